import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import type { Explanation, RouteStatus, StatusReport } from "../../src/model/reports.ts";
import { run } from "../cli/fixtures.ts";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { cutover } from "../support/command.ts";
import { rulesWith, TestGateway, TOKEN } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const ROUTES = {
  plain: "canary: 30%",
  users: "key: [header:x-user, cookie:uid, query:user]\nsplit: { new: [acme], old: [whale] }\ncanary: 40%",
  marked: [
    "key: [ip]",
    "canary:",
    "  share: 0.5%",
    "  always: [{ header: x-canary, equals: 'true' }]",
    "  never: [{ cookie: staff }]",
    "  methods: [GET, HEAD]",
  ].join("\n"),
  taken: "key: [header:x-user]\nsplit: { new: [acme], onRollback: stay }\ncanary: 100%",
  whole: "canary: 100%\nfallback: off",
};

test("the command line and the gateway that it speaks to", async (t) => {
  await using old = await startBackend(json({}));
  await using fresh = await startBackend(json({}));
  const rules = rulesWith(old.url, fresh.url, ROUTES);
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "off"] });
  /** In this process, for speed: two hundred of them are to come. */
  const cli = (...args: string[]) => run([...args, "--admin", gateway.adminUrl, "--admin-token", TOKEN]);
  const sideOf = async (route: string): Promise<string | null> =>
    (await ask(gateway.proxyUrl, { path: `/${route}/x` })).side;

  await t.test("status shows the gateway, or one route; 1 for a route that is not there", async () => {
    const all = await cli("status", "-o", "json");
    const report = JSON.parse(all.out) as StatusReport;
    assert.deepEqual([all.code, report.routes.map(({ name }) => name)], [0, Object.keys(ROUTES)]);
    const one = await cli("status", "plain", "-o", "json");
    assert.equal((JSON.parse(one.out) as RouteStatus).canary, 0.3);
    assert.match((await cli("status")).out, /plain .*30%/);
    const none = await cli("status", "nobody");
    assert.equal(none.code, 1);
    assert.match(none.err, /no route is named "nobody"/);
    assert.equal((await cli("status", "--ready")).code, 0);
  });

  await t.test("rollback and reset act at once, want a reason, and may be repeated", async () => {
    const wanted = await cli("rollback", "whole");
    assert.equal(wanted.code, 2);
    assert.match(wanted.err, /--reason/);
    assert.equal(await sideOf("whole"), "new");
    for (const words of [/whole is rolled back: everything goes to old/, /rolled back already/]) {
      const { code, out } = await cli("rollback", "whole", "--reason", "drill");
      assert.equal(code, 0);
      assert.match(out, words);
      assert.equal(await sideOf("whole"), "old");
    }
    for (const words of [/whole is reset/, /not rolled back: nothing to reset/]) {
      const { code, out } = await cli("reset", "whole", "--reason", "drill is over");
      assert.equal(code, 0);
      assert.match(out, words);
      assert.equal(await sideOf("whole"), "new");
    }
    assert.equal((await cli("reset", "--store", "--reason", "no need")).code, 1);
  });

  await t.test("reload says what changed, or every error, placed", async () => {
    await writeFile(gateway.rulesFile, rules.replace("canary: 30%", "canary: 35%"));
    const changed = await cli("reload");
    const changedText = changed.out + (await gateway.logged("reload")).changes;
    assert.equal(changed.code, 0);
    // The watcher may have been first: then there is nothing left to change.
    assert.match(changedText, /plain: canary 30% → 35%/);
    assert.match((await cli("reload")).out, /nothing changed/);
    await writeFile(gateway.rulesFile, rules.replace("canary: 30%", "canary: 135%"));
    const broken = await cli("reload");
    assert.equal(broken.code, 1);
    assert.match(broken.err, /rules\.yaml:\d+:\d+ {2}.*at most 100%/);
    await writeFile(gateway.rulesFile, rules);
    assert.equal((await cli("reload")).code, 0);
  });

  await t.test("explain says what the gateway then does, for 200 requests of all sorts", async () => {
    await gateway.act("taken", "rollback", "drill");
    const requests = fc.sample(anyRequest, 200);
    const sides = new Set<string>();
    await Promise.all(
      requests.map(async ({ method, path, headers }) => {
        const flags = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
        const [explained, did] = await Promise.all([
          cli("explain", method, path, ...flags, "-o", "json"),
          ask(gateway.proxyUrl, { method, path, headers }),
        ]);
        const said = JSON.parse(explained.out) as Explanation;
        const about = `${method} ${path} ${JSON.stringify(headers)}: ${explained.out}`;
        sides.add(`${did.side} ${did.reason}`);
        if (said.route === null) return assert.deepEqual([did.status, did.reason], [404, "unmatched"], about);
        if (said.side === null) return assert.match(`${did.reason}`, /^(canary-share|default-old)$/, about);
        assert.deepEqual([did.side, did.reason], [said.side, said.reason], about);
      }),
    );
    assert.ok(sides.size >= 8, `many reasons took part: ${[...sides].join(", ")}`);
  });

  await t.test("without the token nothing acts, and the error says where it is", async () => {
    const { code, err } = await run([
      "rollback",
      "whole",
      "--reason",
      "x",
      "--admin",
      gateway.adminUrl,
      "--admin-token",
      "wrong",
    ]);
    assert.equal(code, 1);
    assert.match(err, /admin token/);
    assert.equal(await sideOf("whole"), "new");
  });

  await t.test("a command in a shell of its own; drain ends the gateway; then 3: nobody there", async () => {
    const env = { CUTOVER_ADMIN: gateway.adminUrl, CUTOVER_ADMIN_TOKEN: TOKEN };
    const shown = await cutover(["status", "-o", "json"], env);
    assert.deepEqual([shown.code, shown.err], [0, ""]);
    assert.equal((await cli("drain")).code, 0);
    assert.equal(await gateway.exit(), 0);
    const { code, err } = await cutover(["status"], env);
    assert.equal(code, 3);
    assert.match(err, /no gateway answers at/);
  });
});

test("the token is made at the first start, and the command line finds it in the state folder", async () => {
  await using backend = await startBackend(json({}));
  const rules = rulesWith(backend.url, backend.url, { r: "canary: 100%" });
  await using gateway = await TestGateway.start({ rules, env: { CUTOVER_ADMIN_TOKEN: "" } });
  const cli = (state: string, ...args: string[]) =>
    run([...args, "--reason", "drill", "--admin", gateway.adminUrl, "--state", state]);
  assert.equal((await cli(`${gateway.folder}/state`, "rollback", "--all")).code, 0);
  await until(
    "it acts",
    async () => (await ask(gateway.proxyUrl, { path: "/r/x" })).reason === "rolled-back",
  );
  const lost = await cli("/nowhere", "reset", "r");
  assert.equal(lost.code, 1);
  assert.match(lost.err, /admin\.token/);
});

interface AnyRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

const user = fc.oneof(fc.constantFrom("acme", "whale"), fc.stringMatching(/^[a-z0-9-]{1,12}$/));

/** Of the routes above and of none, with and without what they look at. */
const anyRequest: fc.Arbitrary<AnyRequest> = fc
  .record({
    method: fc.constantFrom("GET", "GET", "HEAD", "POST", "DELETE"),
    route: fc.constantFrom(...Object.keys(ROUTES), "users", "nobody"),
    rest: fc.constantFrom("x", "x/y", "", "%2F", "a//b"),
    query: fc.option(user),
    user: fc.option(user),
    cookie: fc.option(fc.constantFrom("uid=acme", "uid=7; staff=1", "other=1", "staff=yes")),
    canary: fc.option(fc.constantFrom("true", "false")),
  })
  .map(({ method, route, rest, query, user: name, cookie, canary }) => ({
    method,
    path: `/${route}/${rest}${query === null ? "" : `?user=${query}`}`,
    headers: {
      ...(name === null ? {} : { "x-user": name }),
      ...(cookie === null ? {} : { cookie }),
      ...(canary === null ? {} : { "x-canary": canary }),
    },
  }));
