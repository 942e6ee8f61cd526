import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { MismatchSample } from "../../src/model/reports.ts";
import { ask } from "../support/ask.ts";
import { type Script, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

/** Never stored, logged or shown; each in a place of its own, each side's with a letter of its own. */
const SECRETS = {
  path: "rosebud",
  nested: "xanadu",
  header: "kenobi",
  query: "swordfish",
  authorization: "opensesame",
  cookie: "gingerbread",
  setCookie: "shortcrust",
} as const;
const EVERY = Object.values(SECRETS);

const RULES = `shadow: 100%
match: { path: "/**", headers: { x-app: web } }
key: [header:x-user]
compare:
  headers: [content-type, x-user, set-cookie, authorization, x-shown]
  redact: ["$..email", "$..secret", "header:x-user", "query:token"]`;

type Body = (side: "old" | "new") => { readonly type: string; readonly text: string };

const { path, nested } = SECRETS;
/** A difference inside a redacted place, beside one, and above one. */
const BODIES: Readonly<Record<string, Body>> = {
  json: (side) => ({
    type: "application/json",
    text: JSON.stringify({
      name: `visible-${side}`,
      email: `${path}.${side}@example.com`,
      list: [{ secret: { deep: [`${nested}-${side}`] } }],
      ...(side === "new" ? { added: { secret: nested, other: 1 } } : {}),
    }),
  }),
  "json that is none": (side) => ({
    type: "application/json",
    text: `{"name":"visible-${side}","email":"${path}.${side}@example.com",`,
  }),
  xml: (side) => ({
    type: "application/xml",
    text: `<r><name>visible-${side}</name><email>${path}.${side}@example.com</email><secret>${nested}-${side}</secret></r>`,
  }),
  text: (side) => ({ type: "text/plain", text: `visible ${side}\n${path} ${side}\n${nested} ${side}\n` }),
  html: (side) => ({
    type: "text/html",
    text: `<p>visible ${side}</p><email>${path} ${side}</email><secret class="${nested}-${side}">x</secret>`,
  }),
  form: (side) => ({
    type: "application/x-www-form-urlencoded",
    text: `name=visible-${side}&email=${path}.${side}&secret=${nested}-${side}`,
  }),
  ndjson: (side) => ({
    type: "application/x-ndjson",
    text: `{"name":"visible-${side}"}\n{"email":1,"secret":"${nested}-${side}"}\n`,
  }),
  events: (side) => ({
    type: "text/event-stream",
    text: `data: {"name":"visible-${side}","secret":"${nested}-${side}"}\n\ndata: end\n\n`,
  }),
};

/** Answers by the kind that the path names. */
function answer(side: "old" | "new"): Script {
  return (req, res) => {
    const kind = decodeURIComponent((req.url ?? "").split("?")[0]?.slice(1) ?? "");
    const { type, text } = (BODIES[kind] ?? assert.fail(`no ${kind}`))(side);
    res.writeHead(200, {
      "content-type": type,
      "x-user": `${SECRETS.header}-${side}`,
      "x-shown": `shown-${side}`,
      "set-cookie": `s=${SECRETS.setCookie}-${side}`,
      authorization: `Basic ${SECRETS.authorization}-${side}`,
    });
    res.end(text);
  };
}

test("what is to be redacted, and credentials always, are nowhere: not in store, logs, API or metrics", async (t) => {
  await using old = await startBackend(answer("old"));
  await using fresh = await startBackend(answer("new"));
  const rules = rulesFor(old.url, fresh.url, RULES).replace('    match: { path: "/**" }\n', "");
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "all"] });
  const kinds = Object.keys(BODIES);
  for (const kind of kinds) {
    const target = `/${encodeURIComponent(kind)}?token=${SECRETS.query}&page=2`;
    const answered = await ask(gateway.proxyUrl, {
      path: target,
      headers: {
        "x-app": "web",
        "x-user": SECRETS.header,
        accept: "*/*",
        authorization: `Bearer ${SECRETS.authorization}`,
        "proxy-authorization": `Bearer ${SECRETS.authorization}`,
        cookie: `sid=${SECRETS.cookie}`,
        referer: `http://example.com/?token=${SECRETS.query}`,
      },
    });
    assert.equal(answered.body, BODIES[kind]?.("old").text, "the client's own answer is whole");
  }
  await until("all are compared", async () => {
    const { mismatch, noise } = (await gateway.route("r")).comparisons;
    return mismatch + noise >= kinds.length;
  });
  const samples = await until("samples are stored", async () => {
    const { body } = await gateway.admin("GET", "/api/v1/samples");
    const list = body as MismatchSample[];
    return list.length >= 3 ? list : undefined;
  });

  const holds = (what: string, text: string): void => {
    for (const secret of EVERY) assert.ok(!text.includes(secret), `${secret} is in ${what}`);
  };
  await t.test("API", async () => {
    const paths = ["mismatches", "samples", "retro", "status", "audit", "routes/r"].map(
      (each) => `/api/v1/${each}`,
    );
    for (const { id, clusters } of samples)
      for (const each of [id, ...clusters]) paths.push(`/api/v1/mismatches/${each}`);
    let all = "";
    for (const each of [...new Set(paths), "/metrics"]) {
      const { body } = await gateway.admin("GET", each);
      const text = JSON.stringify(body);
      holds(each, text);
      all += text;
    }
    for (const shown of [
      "visible-old",
      "visible-new",
      "shown-old",
      "[redacted]",
      "page=2",
      "$.email",
      "$.r.email",
    ])
      assert.ok(all.includes(shown), `${shown} is there to be read`);
  });
  await t.test("logs", async () => {
    await gateway.logged("mismatch");
    holds("stdout", JSON.stringify(gateway.lines));
    holds("stderr", gateway.stderr);
  });
  await t.test("state folder, while it runs and after", async () => {
    const folder = join(gateway.folder, "state");
    const files = (): void => {
      for (const name of readdirSync(folder))
        holds(name, readFileSync(join(folder, name)).toString("latin1"));
    };
    files();
    await gateway.stop();
    files();
    const text = readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString("latin1"));
    assert.ok(text.some((each) => each.includes("visible-old")));
  });
});
