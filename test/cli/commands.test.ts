import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cutover } from "../support/command.ts";
import { type FakeAdmin, fakeAdmin, type Heard, ok, problem, run } from "./fixtures.ts";

const explanation = {
  rules: "0123456789ab",
  route: "profiles",
  key: { source: "header:x-user-id", value: "7\u001b[31m" },
  bucket: 0.031415,
  canary: 0.05,
  side: "new",
  reason: "canary-share",
  backend: "modern",
  shadow: "no: served by new",
  steps: [
    { step: "force", outcome: "no x-cutover-force" },
    { step: "canary share", outcome: "bucket 3.1415% < 5%: new" },
  ],
};

let admin: FakeAdmin;
let folder: string;

function respond({ path, authorization }: Heard) {
  if (authorization !== "Bearer secret") return problem(401, "no token");
  if (path === "/api/v1/explain") return ok(explanation);
  if (path === "/api/v1/reload")
    return ok({ ok: true, version: "ba9876543210", changes: ["profiles: canary 5% → 10%"], errors: [] });
  if (path === "/api/v1/routes/a%2Fb/reset") return problem(409, "a/b is not rolled back");
  return ok({ ok: true, message: `done ${path}` });
}

before(async () => {
  admin = await fakeAdmin(respond);
  folder = await mkdtemp(join(tmpdir(), "cutover-cli-"));
  await writeFile(join(folder, "admin.token"), "secret\n");
});
after(async () => {
  await admin.close();
  await rm(folder, { recursive: true, force: true });
});

const here = () => ["--admin", admin.url, "--state", folder];
const lastHeard = () => admin.heard.at(-1);

test("each action posts its reason to the right place, with the state folder's token", async () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["rollback", "profiles"], "/api/v1/routes/profiles/rollback"],
    [["rollback", "--all"], "/api/v1/rollback"],
    [["reset", "profiles"], "/api/v1/routes/profiles/reset"],
    [["reset", "--store"], "/api/v1/store/reset"],
    [["drain"], "/api/v1/drain"],
    [["pause", "pro/files"], "/api/v1/routes/pro%2Ffiles/pause"],
    [["resume", "profiles"], "/api/v1/routes/profiles/resume"],
  ];
  for (const [words, path] of cases) {
    const { code, out } = await run([...words, "--reason", "because", ...here()]);
    assert.deepEqual([code, out], [0, `done ${path}\n`]);
    const expected = { method: "POST", path, authorization: "Bearer secret", body: { reason: "because" } };
    assert.deepEqual(lastHeard(), expected);
  }
});

test("a refused action is exit 1 with the gateway's own sentence", async () => {
  const { code, out, err } = await run(["reset", "a/b", "--reason", "x", ...here()]);
  assert.deepEqual([code, out, err], [1, "", "cutover: a/b is not rolled back\n"]);
});

test("without a token the refusal says where to get one", async () => {
  const { code, err } = await run([
    "rollback",
    "--all",
    "--reason",
    "x",
    "--admin",
    admin.url,
    "--state",
    "/nowhere",
  ]);
  assert.equal(code, 1);
  assert.match(
    err,
    /asks for its admin token: there is no admin token in \/nowhere\. The token is in the file admin\.token.*--state.*--token-file or CUTOVER_ADMIN_TOKEN/,
  );
});

test("a token file goes before the state folder's token, and an unreadable one is wrong usage", async () => {
  const file = join(folder, "other.token");
  await writeFile(file, "other\n");
  const { code } = await run(["reload", ...here(), "--token-file", file]);
  assert.equal(code, 1);
  assert.equal(lastHeard()?.authorization, "Bearer other");
  const missing = await run(["reload", ...here(), "--token-file", join(folder, "none")]);
  assert.equal(missing.code, 2);
  assert.match(missing.err, /--token-file: .*none cannot be read \(ENOENT\)/);
});

test("reload prints what changed in meaning", async () => {
  const { code, out } = await run(["reload", ...here()]);
  assert.deepEqual([code, out], [0, "rules ba9876543210 act now:\n  profiles: canary 5% → 10%\n"]);
});

test("a reload that changes nothing says what the load in force changed, and when", async () => {
  const at = "2026-05-01T12:00:00.123Z";
  const answer = (inForce: object | undefined) =>
    ok({ ok: true, version: "ba9876543210", changes: [], errors: [], notes: [], inForce });
  const loads = [
    { at, by: "rules", changes: ["profiles: canary 5% → 10%"], notes: ["later"] },
    { at, by: "operator", changes: ["profiles: canary 5% → 10%"], notes: [] },
    { at, by: null, changes: [], notes: [] },
    undefined,
  ];
  const said: string[] = [];
  for (const load of loads) {
    const late = await fakeAdmin(() => answer(load));
    const { code, out } = await run(["reload", "--admin", late.url]);
    assert.equal(code, 0);
    said.push(out);
    await late.close();
  }
  const since = "rules ba9876543210 act already: nothing changed since 2026-05-01 12:00:00 UTC";
  assert.deepEqual(said, [
    `${since}, when they were loaded as the files changed:\n  profiles: canary 5% → 10%\n  note: later\n`,
    `${since}, when they were loaded by a reload:\n  profiles: canary 5% → 10%\n`,
    `${since}, when the gateway started with them\n`,
    "rules ba9876543210 act already: nothing changed\n",
  ]);
});

test("a reload of broken rules is exit 1 with every error", async () => {
  const broken = await fakeAdmin(() =>
    problem(422, "the rules have 2 errors", { errors: ["a.yaml:1:1  x", "a.yaml:2:1  y"] }),
  );
  const { code, err } = await run(["reload", "--admin", broken.url]);
  assert.equal(code, 1);
  assert.match(err, /2 errors\na\.yaml:1:1 {2}x\na\.yaml:2:1 {2}y/);
  await broken.close();
});

test("a reload says what does not act at once", async () => {
  const notes = ["limits.requestHead acts on connections from now on"];
  const noted = await fakeAdmin(() =>
    ok({
      ok: true,
      version: "ba9876543210",
      changes: ["limits: requestHead 2KiB → 8KiB"],
      errors: [],
      notes,
    }),
  );
  const { out } = await run(["reload", "--admin", noted.url]);
  assert.match(out, /→ 8KiB\n {2}note: limits\.requestHead acts on connections from now on\n$/);
  await noted.close();
});

test("with -o json every refusal is JSON on stdout, with the exit code and the sentence as ever", async () => {
  const report = { ok: false, version: "0123456789ab", changes: [], errors: ["a.yaml:1:1  x"] };
  const broken = await fakeAdmin(() => problem(422, "the rules have an error", report));
  const reload = await run(["reload", "-o", "json", "--admin", broken.url]);
  assert.equal(reload.code, 1);
  assert.match(reload.err, /the rules have an error\na\.yaml:1:1/);
  assert.deepEqual(JSON.parse(reload.out), { error: "the rules have an error", ...report });
  await broken.close();
  const refused = await run(["reset", "a/b", "--reason", "x", ...here(), "-o", "json"]);
  assert.deepEqual(
    [refused.code, JSON.parse(refused.out)],
    [1, { ok: false, error: "a/b is not rolled back" }],
  );
  const away = await run(["status", "--admin", "127.0.0.1:1", "-o", "json"]);
  assert.equal(away.code, 3);
  const { ok: isOk, error } = JSON.parse(away.out) as { ok: boolean; error: string };
  assert.equal(isOk, false);
  assert.match(error, /no gateway answers/);
  const usage = await run(["rollback", "--reason", "x", "-o", "json"]);
  assert.equal(usage.code, 2);
  assert.match((JSON.parse(usage.out) as { error: string }).error, /name a route/);
});

test("the schema is printed with -o json too", async () => {
  const { code, out } = await run(["schema", "-o", "json"]);
  assert.equal(code, 0);
  assert.equal(out, (await run(["schema"])).out);
});

test("a side that chance chooses is told as such", async () => {
  const reason = "without a key each request is drawn on its own: 50% of them go to new";
  const drawn = { ...explanation, key: null, bucket: null, side: null, reason, backend: null };
  const fake = await fakeAdmin(() => ok(drawn));
  const { out } = await run(["explain", "GET", "/", "--admin", fake.url]);
  assert.match(out, /side +either: without a key/);
  assert.match(out, /backend +that of the side/);
  await fake.close();
});

test("a planned command says that it is not built, and what to do instead", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["verify", "r"], /verify is not built yet: `cutover mismatches` shows where/],
    [["replay", "--log", "x", "--help"], /replay is not built yet: `cutover simulate RULES --log FILE`/],
    [["backfill", "r"], /backfill is not built yet\n$/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, message);
  }
  const help = (await run(["--help"])).out;
  assert.doesNotMatch(help, /verify|backfill|journal/);
  for (const built of ["promote", "pause", "resume", "history"])
    assert.match(help, new RegExp(`^ +${built} `, "m"));
});

test("two tokens for one purpose are refused, wherever they come from", async () => {
  const admin = await run(["status", "--token-file", "f", "--admin-token", "t"]);
  assert.equal(admin.code, 2);
  assert.match(admin.err, /--token-file.*cannot be used with.*--admin-token/);
  // Commander reads the variables of the process: it takes one of its own.
  const mixed = await cutover(["status", "--token-file", "f"], { CUTOVER_ADMIN_TOKEN: "t" });
  assert.equal(mixed.code, 2);
  assert.match(mixed.err, /--token-file.*cannot be used with environment variable 'CUTOVER_ADMIN_TOKEN'/);
  const force = await run(["serve", "x", "--force-token-file", "f", "--force-token", "t"]);
  assert.equal(force.code, 2);
  assert.match(force.err, /--force-token-file.*cannot be used with.*--force-token/);
});

test("explain sends the request as it would come, and prints the reasoning step by step", async () => {
  const args = [
    "explain",
    "get",
    "/profiles/7",
    "-H",
    "X-User-Id: 7",
    "-H",
    "a: 1",
    "-H",
    "a: 2",
    "-H",
    "__proto__: x",
  ];
  const { code, out } = await run([...args, ...here()]);
  assert.equal(code, 0);
  const headers = JSON.parse('{ "X-User-Id": "7", "a": ["1", "2"], "__proto__": "x" }');
  assert.deepEqual(lastHeard()?.body, { method: "GET", url: "/profiles/7", headers });
  assert.match(out, /key +header:x-user-id = "7\\x1b\[31m"/);
  assert.match(out, /side +new \(canary-share\)/);
  assert.match(out, / 1\. force +no x-cutover-force\n +2\. canary share +bucket 3\.1415% < 5%: new/);
  const asJson = await run([...args, ...here(), "-o", "json"]);
  assert.deepEqual(JSON.parse(asJson.out), explanation);
});

test("wrong usage is exit 2 and says what to write", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /Usage: cutover/],
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["statsu"], /Did you mean status\?/],
    [["status", "--wach"], /unknown option '--wach'/],
    [["status", "a", "b"], /too many arguments/],
    [["status", "-o", "yaml"], /Allowed choices are text, json/],
    [["status", "--ready", "--watch"], /leave ROUTE and --watch out/],
    [["rollback", "--reason", "x"], /name a route/],
    [["rollback", "r", "--all", "--reason", "x"], /exclude each other/],
    [["rollback", "r"], /required option '--reason <text>'/],
    [["reset", "r", "--reason", " "], /must not be empty/],
    [["explain", "GET"], /missing required argument 'url'/],
    [["explain", "GET", "profiles"], /write a path such as \/profiles\/7/],
    [["explain", "GET", "/", "-H", "nocolon"], /write -H 'name: value'/],
    [["serve", "x", "--listen", "8080"], /Write the host too: 127\.0\.0\.1:8080/],
    [["serve", "x", "--listen", "127.0.0.1:9090"], /--listen and --admin are both on port 9090/],
    [["serve", "x", "--listen", "0.0.0.0:9090"], /give each a port of its own/],
    [["serve", "x", "--threads", "0"], /auto, or a number/],
    [["serve", "x", "--samples", "maybe"], /Write on or off/],
    [["mismatches", "--show", "3", "--retro"], /leave --retro out/],
    [["mismatches", "--show", "../status"], /"\.\.\/status" is not an id: write the number of a pair/],
    [["mismatches", "--retro", "--limit", "3"], /--limit is about the list/],
    [["mismatches", "--limit", "0"], /Write a number from 1 to 1000/],
    [["ignore", "r"], /missing required argument 'path'/],
    [["ignore", "r", "$.a", "--rules"], /argument missing/],
    [["serve", "x", "--access-log", "5"], /a share: 5%/],
    [["serve", "x", "--webhook", "hooks.example.com"], /Write a URL, such as https:/],
    [["serve", "x", "--webhook", "https://u:p@h/"], /Leave the credentials out.*CUTOVER_WEBHOOK_SECRET/],
    [["serve", "x", "--webhook", "https://h/#a"], /behind #/],
    [["promote", "r"], /required option '--reason <text>'/],
    [["promote", "--reason", "x"], /missing required argument 'route'/],
    [["promote", "r", "--reason", "x", "--to", "25"], /Write 25%/],
    [["promote", "r", "--reason", "x", "--to", "0.5"], /Write 50% \(or 0\.5%\)/],
    [["promote", "r", "--reason", "x", "--to", "105%"], /A share is at most 100%/],
    [["promote", "r", "--reason", "x", "--to", "25%", "--step", "1"], /leave --step out/],
    [["promote", "r", "--reason", "x", "--step", "-1"], /Write the number of a step/],
    [["promote", "r", "--reason", "x", "--to", "100%"], /no terminal to ask at: add --yes/],
    [["pause", "r"], /required option '--reason <text>'/],
    [["resume", "r", "--reason", " "], /must not be empty/],
    [["history", "--limit", "0"], /Write a number from 1 to 1000/],
    [["history", "--report"], /write `cutover history ROUTE --report`/],
    [["history", "r", "--report", "--limit", "3"], /--limit is about the list/],
    [["status", "--admin", "http://h/\u001b[2J"], /Leave the path out/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, message);
    assert.doesNotMatch(err, /\n\s+at /);
    assert.ok(!err.includes("\u001b"));
  }
});

test("a webhook secret without a URL to sign for is wrong usage, not silence", async () => {
  const { code, err } = await run(["serve", "x"], { CUTOVER_WEBHOOK_SECRET: "s" });
  assert.equal(code, 2);
  assert.match(err, /CUTOVER_WEBHOOK_SECRET is set, and no URL.*--webhook or CUTOVER_WEBHOOK\n$/);
});

test("help and version are exit 0", async () => {
  assert.equal((await run(["--help"])).code, 0);
  assert.equal((await run(["serve", "--help"])).code, 0);
  assert.match((await run(["--version"])).out, /^\d+\.\d+\.\d+/);
});

test("no gateway is exit 3 with a sentence, never a stack", async () => {
  // No ephemeral port, so that no test beside this one comes to listen there.
  const port = 1;
  const promote = ["promote", "r", "--reason", "x", "--to", "100%", "--yes"];
  const others = [promote, ["pause", "r", "--reason", "x"], ["history"], ["history", "r", "--report"]];
  for (const words of [["status"], ["status", "--ready"], ["explain", "GET", "/"], ["reload"], ...others]) {
    const { code, err } = await run([...words, "--admin", `127.0.0.1:${port}`]);
    assert.equal(code, 3);
    assert.equal(err.split("\n").length, 2);
    assert.match(err, /no gateway answers at http:\/\/127\.0\.0\.1:\d+ \(connection refused\).*--admin/);
  }
});

test("something else that answers is not taken for a gateway", async () => {
  const other = await fakeAdmin(() => ({ status: 200, body: "<html>hello", contentType: "text/html" }));
  const { code, err } = await run(["status", "--admin", other.url]);
  assert.equal(code, 3);
  assert.match(err, /is not a cutover admin port/);
  await other.close();
  const shy = await fakeAdmin(() => ok({ hello: "world" }));
  assert.equal((await run(["status", "--admin", shy.url])).code, 3);
  await shy.close();
});

test("what does not speak HTTP is not taken for a gateway", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.resume();
    socket.end("SSH-2.0-OpenSSH_9.2\r\n");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const { code, err } = await run(["status", "--admin", `127.0.0.1:${port}`]);
  assert.equal(code, 3);
  assert.doesNotMatch(err, /\n\s+at /);
  await new Promise((closed) => server.close(closed));
});
