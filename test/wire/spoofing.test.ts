import assert from "node:assert/strict";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway, TOKEN } from "../support/gateway.ts";
import { until } from "../support/until.ts";
import { lines } from "./cases.ts";
import { converse } from "./client.ts";
import { valuesIn } from "./reading.ts";
import { startRecorder } from "./recorder.ts";

const FORCE_TOKEN = "a-force-token";
const CLOSE = ["Host: a.test", "Connection: close"];

test("nothing that a client says of the gateway is believed, or goes further", async (t) => {
  await using recorder = await startRecorder();
  await using gateway = await TestGateway.start({
    rules: rulesFor(recorder.url, recorder.url, "canary: 0%"),
    env: { CUTOVER_FORCE_TOKEN: FORCE_TOKEN },
  });
  const ask = async (
    fields: readonly string[],
    target = "/",
  ): Promise<{ side: string; at: (name: string) => string[]; answer: string }> => {
    const { bytes, answers } = await converse(gateway.proxyUrl, [
      lines(`GET ${target} HTTP/1.1`, [...CLOSE, ...fields]),
    ]);
    const message = recorder.requests.at(-1);
    return {
      side: valuesIn(answers.answers[0]?.fields ?? [], "x-cutover-side").join(),
      at: (name) => valuesIn(message?.fields ?? [], name),
      answer: bytes,
    };
  };

  const forged = [
    "x-cutover-side: new",
    "X-Cutover-Side: new",
    "X-CUTOVER-ROUTE: evil",
    "x-cutover-rules: 0",
    "x-cutover-shadow: 1",
    "x-cutover-reason: forced",
    "x-cutover-force: new",
    "X-Cutover-Token: guess",
    "x-cutover-anything: y",
  ];
  for (const field of forged) {
    await t.test(`${field} is stripped`, async () => {
      const { at, side } = await ask([field]);
      assert.equal(side, "old");
      assert.deepEqual(at("x-cutover-side"), ["old"]);
      assert.deepEqual(at("x-cutover-route"), ["r"]);
      assert.match(at("x-cutover-rules").join(), /^[0-9a-f]{12}$/);
      for (const name of ["shadow", "reason", "force", "token", "anything"]) {
        assert.deepEqual(at(`x-cutover-${name}`), [], name);
      }
    });
  }

  await t.test("all of them at once, and twice", async () => {
    const { at, side } = await ask([...forged, ...forged]);
    assert.equal(side, "old");
    assert.deepEqual(at("x-cutover-side"), ["old"]);
    assert.deepEqual(at("x-cutover-shadow"), []);
  });

  for (const token of [
    "",
    "a",
    FORCE_TOKEN.slice(0, -1),
    `${FORCE_TOKEN}x`,
    FORCE_TOKEN.toUpperCase(),
    "\xff".repeat(64),
    "a".repeat(8_000),
  ]) {
    await t.test(
      `a force with the token ${JSON.stringify(token.slice(0, 20))} (${token.length} bytes) forces nothing`,
      async () => {
        const { side, at } = await ask(["x-cutover-force: new", `x-cutover-token: ${token}`]);
        assert.equal(side, "old");
        assert.deepEqual(at("x-cutover-token"), []);
      },
    );
  }

  await t.test("a force with the right token holds, and the token goes no further", async () => {
    const { side, at } = await ask(["x-cutover-force: new", `x-cutover-token: ${FORCE_TOKEN}`]);
    assert.equal(side, "new");
    assert.deepEqual(at("x-cutover-token"), []);
    assert.deepEqual(at("x-cutover-side"), ["new"]);
  });

  await t.test("Connection cannot take away what the gateway itself sets", async () => {
    const names = [
      "x-cutover-side",
      "x-cutover-route",
      "x-forwarded-for",
      "via",
      "x-request-id",
      "traceparent",
      "host",
    ];
    const { at } = await ask([`Connection: ${names.join(", ")}`]);
    for (const name of names) assert.equal(at(name).length, 1, name);
  });

  await t.test("what Connection names goes no further, and other fields do", async () => {
    const { at } = await ask(["Connection: x-secret,, X-Other ,", "X-Secret: 1", "x-other: 2", "X-Kept: 3"]);
    assert.deepEqual([at("x-secret"), at("x-other"), at("x-kept")], [[], [], ["3"]]);
  });

  await t.test("fields of the connection go no further", async () => {
    const { at } = await ask([
      "Keep-Alive: 5",
      "Proxy-Connection: x",
      "Proxy-Authorization: Basic YQ==",
      "TE: gzip",
      "Upgrade: h2c",
    ]);
    for (const name of ["keep-alive", "proxy-connection", "proxy-authorization", "upgrade"])
      assert.deepEqual(at(name), [], name);
    assert.ok(["", "trailers"].includes(at("te").join()));
  });

  await t.test("h2c is never passed on", async () => {
    const { at, side } = await ask([
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
    ]);
    assert.equal(side, "old");
    assert.deepEqual([at("upgrade"), at("http2-settings")], [[], []]);
    assert.ok(!at("connection").join().toLowerCase().includes("upgrade"));
  });

  await t.test("a client that nobody trusts does not say where it comes from", async () => {
    const { at } = await ask([
      "X-Forwarded-For: 1.2.3.4",
      "X-Forwarded-For: 5.6.7.8",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil",
      "Forwarded: for=1.2.3.4;proto=https",
      "X-Forwarded-Port: 443",
      "X-Forwarded-Prefix: /evil",
    ]);
    assert.deepEqual(at("x-forwarded-for"), ["127.0.0.1"]);
    assert.deepEqual(at("x-forwarded-proto"), ["http"]);
    assert.deepEqual(at("x-forwarded-host"), ["a.test"]);
    for (const name of ["x-forwarded-port", "x-forwarded-prefix"]) assert.deepEqual(at(name), [], name);
    assert.ok(!at("forwarded").join().includes("1.2.3.4"));
  });

  await t.test("a request id or a trace that is none is replaced, not passed on", async () => {
    for (const value of ["a b", "a\tb", '"x"', "{}", "<script>", "\xff", "a".repeat(5_000)]) {
      const { at, answer } = await ask([`x-request-id: ${value}`, `traceparent: ${value}`]);
      assert.match(at("x-request-id").join(), /^[\w.:/+=@-]{1,200}$/, value);
      assert.match(at("traceparent").join(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
      assert.ok(!answer.includes(value), "nor is it reflected");
    }
  });

  await t.test("an error page tells nothing of the request", async () => {
    const { bytes } = await converse(gateway.proxyUrl, [
      lines("GET /secret-path#x HTTP/1.1", [...CLOSE, "X: secret-field"]),
    ]);
    assert.match(bytes, /^HTTP\/1\.1 400 /);
    assert.doesNotMatch(bytes, /secret/);
  });

  await t.test("nothing that a client sends writes a line of the log or a control character", async () => {
    const hostile = '/a","msg":"listening","x":"%0a{%22msg%22:%22stopped%22}\\u001b[31m';
    const key = '\xe9"},\x80{"msg":"stopped"}';
    const before = gateway.lines.length;
    await ask([`x-user: ${key}`, `User-Agent: ${key}`, `x-request-id: ${'a","msg":"stopped'}`], hostile);
    const line = await until("it is logged", () =>
      gateway.lines.slice(before).find((each) => each.path === hostile),
    );
    assert.equal(line.msg, "request");
    assert.deepEqual(
      gateway.lines.slice(before).filter((each) => each.msg !== "request"),
      [],
    );
  });
});

test("an answer cannot claim to be the gateway's, nor split into two", async (t) => {
  await using recorder = await startRecorder();
  await using gateway = await TestGateway.start({ rules: rulesFor(recorder.url, recorder.url, "") });
  const relayed = async (raw: string): Promise<string> => {
    recorder.answer((_message, socket) => void socket.end(Buffer.from(raw, "latin1")));
    return (await converse(gateway.proxyUrl, [lines("GET / HTTP/1.1", CLOSE)])).bytes;
  };

  await t.test("forged fields of the gateway are replaced", async () => {
    const bytes = await relayed(
      "HTTP/1.1 200 OK\r\nX-Cutover-Side: new\r\nx-cutover-reason: forced\r\nX-Cutover-Evil: 1\r\nX-Request-Id: forged\r\nContent-Length: 0\r\n\r\n",
    );
    assert.match(bytes, /\r\nx-cutover-side: old\r\n/);
    assert.doesNotMatch(bytes, /evil|forged|forced|side: new/i);
  });

  for (const [name, field] of [
    ["a bare LF", "X: a\nSet-Cookie: evil=1"],
    ["a bare CR", "X: a\rSet-Cookie: evil=1"],
    ["a NUL", "X: a\x00evil"],
    ["a folded line", "X: a\r\n evil=1"],
    ["a space before the colon", "evil : 1"],
    ["a name that is none", "evil(): 1"],
  ] as const) {
    await t.test(`a field with ${name} is a 502, and none of it reaches the client`, async () => {
      const bytes = await relayed(`HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 2\r\n\r\nok`);
      assert.match(bytes, /^HTTP\/1\.1 502 /);
      assert.doesNotMatch(bytes, /evil/);
    });
  }
});

test("the admin port tells nothing and does nothing without its token", async (t) => {
  await using old = await startBackend(json({ ok: true }));
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, "") });
  const { host } = new URL(gateway.adminUrl);
  const ask = async (
    first: string,
    fields: readonly string[],
    body = "",
  ): Promise<{ status: number; bytes: string }> => {
    const { answers, bytes } = await converse(gateway.adminUrl, [
      lines(first, [...fields, "Connection: close"], body),
    ]);
    return { status: answers.answers[0]?.status ?? 0, bytes };
  };
  const bearer = `Authorization: Bearer ${TOKEN}`;

  await t.test("a Host that was rebound is refused, with the token too", async () => {
    for (const fields of [
      ["Host: evil.test"],
      ["Host: evil.test", bearer],
      ["Host: 127.0.0.1.evil.test"],
      ["Host: localhost@evil.test"],
    ]) {
      assert.equal((await ask("GET /api/v1/status HTTP/1.1", fields)).status, 421, fields.join());
    }
  });

  await t.test("malformed requests are refused", async () => {
    for (const fields of [
      [`Host: ${host}`, "X y: z"],
      [`Host: ${host}`, "Content-Length: 5", "Transfer-Encoding: chunked"],
      [`Host: ${host}\nX: y`],
    ]) {
      assert.equal((await ask("POST /api/v1/reload HTTP/1.1", fields)).status, 400);
    }
  });

  await t.test("an action without a token, or with another, is refused and reflects nothing", async () => {
    for (const fields of [
      [],
      ["Authorization: Bearer secret-guess"],
      ["Authorization: Basic dGVzdC10b2tlbg=="],
      [`Authorization: Bearer ${TOKEN}x`],
    ]) {
      const { status, bytes } = await ask("POST /api/v1/routes/r/rollback HTTP/1.1", [
        `Host: ${host}`,
        "Content-Length: 0",
        ...fields,
      ]);
      assert.equal(status, 401);
      assert.doesNotMatch(bytes, /secret-guess|test-token/);
    }
    assert.equal((await gateway.route("r")).latched, false);
  });

  await t.test("a path that is none is not reflected", async () => {
    const { status, bytes } = await ask("GET /<script>secret</script> HTTP/1.1", [`Host: ${host}`, bearer]);
    assert.equal(status, 404);
    assert.doesNotMatch(bytes, /<script>/);
  });

  await t.test("a body beyond the limit is refused", async () => {
    const { status } = await ask("POST /api/v1/routes/r/rollback HTTP/1.1", [
      `Host: ${host}`,
      bearer,
      "Content-Type: application/json",
      "Content-Length: 104857600",
    ]);
    assert.equal(status, 413);
  });
});
