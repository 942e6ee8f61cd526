import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend, type TestBackend } from "../support/backend.ts";
import { type LogLine, rulesFor, TestGateway, TOKEN } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SECRETS = {
  authorization: "Bearer s3cret-authorization",
  cookie: "session=s3cret-cookie",
  "x-user": "s3cret-key",
};

describe("a gateway that logs in ECS", () => {
  let backend: TestBackend;
  let gateway: TestGateway;
  const rules = (share: string): string =>
    rulesFor(backend.url, backend.url, `key: [header:x-user]\ncanary: ${share}`).replace(
      `modern: { url: "${backend.url}"`,
      `modern: { url: "${backend.url.replace("127.0.0.1", "localhost")}"`,
    );

  const event = (action: string): Promise<LogLine> =>
    until(`${action} is logged`, () => gateway.lines.find((line) => line["event.action"] === action));

  before(async () => {
    backend = await startBackend(json({ well: true }));
    gateway = await TestGateway.start({ rules: rules("50%"), flags: ["--log-format", "ecs"] });
  });

  after(async () => {
    await gateway[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  test("says where it listens, in the schema's names", async () => {
    const line = await event("listening");
    assert.equal(line.message, "listening");
    assert.deepEqual([line["event.category"], line["event.type"]], [["process"], ["start"]]);
    assert.match(String(line["cutover.proxy"]), /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(line["cutover.threads"], 2);
  });

  test("a request has its trace, its id, its time in nanoseconds, and none of its secrets", async () => {
    const headers = { ...SECRETS, traceparent: `00-${TRACE}-b7ad6b7169203331-01`, "x-request-id": "order-7" };
    await ask(gateway.proxyUrl, { path: "/profiles/7?token=s3cret-query", headers });
    const line = await event("request");
    assert.equal(line["url.path"], "/profiles/7");
    assert.equal(line["trace.id"], TRACE);
    assert.equal(line["http.request.id"], "order-7");
    assert.equal(line["http.response.status_code"], 200);
    assert.equal(line["event.outcome"], "success");
    assert.ok(Number.isInteger(line["event.duration"]) && Number(line["event.duration"]) > 1_000);
    assert.match(String(line["cutover.key"]), /^[0-9a-f]{16}$/);
    assert.equal(line["cutover.route"], "r");
  });

  test("a request that failed has the failure as the type of its error", async () => {
    backend.answer((req) => req.socket.destroy());
    await ask(gateway.proxyUrl, { method: "POST", path: "/fails", headers: { "x-request-id": "order-8" } });
    backend.answer(json({ well: true }));
    const line = await until("the failure is logged", () =>
      gateway.lines.find((each) => each["http.request.id"] === "order-8"),
    );
    assert.equal(line["event.outcome"], "failure");
    assert.deepEqual(line["event.type"], ["access", "error"]);
    assert.match(String(line["error.type"]), /^[a-z_]+$/);
  });

  test("a reload, a rollback and a reset are changes, with who, why and of what", async () => {
    await gateway.reloadWith(rules("60%"));
    assert.ok(Array.isArray((await event("reload"))["cutover.changes"]));
    assert.equal((await gateway.act("r", "rollback", "to be seen")).status, 200);
    const rollback = await event("rollback");
    assert.deepEqual([rollback["event.category"], rollback["event.type"]], [["configuration"], ["change"]]);
    assert.deepEqual(
      [
        rollback["cutover.route"],
        rollback["cutover.by"],
        rollback["cutover.cause"],
        rollback["event.reason"],
      ],
      ["r", "operator", "operator", "to be seen"],
    );
    assert.equal(typeof rollback["cutover.evidence.summary"], "string");
    assert.equal((await gateway.act("r", "reset", "mended")).status, 200);
    assert.equal((await event("reset"))["event.reason"], "mended");
  });

  test("no line has our own names, and none has a secret", () => {
    assert.ok(gateway.lines.length >= 6);
    for (const line of gateway.lines) {
      assert.deepEqual(Object.keys(line).slice(0, 4), ["@timestamp", "log.level", "message", "ecs.version"]);
      for (const name of ["level", "time", "msg", "route"]) assert.ok(!(name in line), name);
    }
    const all = JSON.stringify(gateway.lines);
    assert.ok(!all.includes("s3cret") && !all.includes(TOKEN));
  });
});
