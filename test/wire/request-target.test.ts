import assert from "node:assert/strict";
import { test } from "node:test";
import { TestGateway } from "../support/gateway.ts";
import { bytes, get, startRawBackend, talk, valuesOf } from "../support/raw.ts";

test("a target and its host are read one way, for the match and for what is forwarded", async (t) => {
  await using old = await startRawBackend();
  const rules = [
    "version: 1",
    "backends:",
    `  legacy: { url: "${old.url}" }`,
    "defaults: { old: legacy }",
    "routes:",
    '  - { name: shop, match: { path: "/x/**", hosts: [shop.example] } }',
    "  - { name: other, match: { hosts: [other.example] } }",
    '  - { name: rest, match: { path: "/**" } }',
    "",
  ].join("\n");
  await using gateway = await TestGateway.start({ rules });
  /** The head that the backend got, and the route that the client was told. */
  const sent = async (request: string): Promise<{ head: string; route: string; status: string }> => {
    const before = old.heads.length;
    const answer = await talk(gateway.proxyUrl, request);
    const [route = ""] = valuesOf(answer, "x-cutover-route");
    return { head: old.heads[before] ?? "", route, status: answer.split(" ")[1] ?? "" };
  };
  const line = (head: string): string => head.split("\r\n")[0] ?? "";

  await t.test("an absolute target goes on as its path, with its own host in place of Host", async () => {
    const { head, route } = await sent(get("http://other.example:81/x/%2e?y"));
    assert.equal(line(head), "GET /x/%2e?y HTTP/1.1");
    assert.deepEqual(valuesOf(head, "host"), ["other.example:81"]);
    assert.equal(route, "other");
  });

  await t.test("OPTIONS * reaches the backend as it is", async () => {
    const { head, status } = await sent(get("*", [], "OPTIONS"));
    assert.equal(line(head), "OPTIONS * HTTP/1.1");
    assert.equal(status, "200");
    const absolute = await sent(get("http://other.example", [], "OPTIONS"));
    assert.equal(line(absolute.head), "OPTIONS * HTTP/1.1");
    assert.equal(absolute.route, "other");
  });

  await t.test(
    "Max-Forwards counts down on OPTIONS and TRACE, and at 0 the gateway answers itself",
    async () => {
      const counted = await sent(get("/x/", ["Max-Forwards: 3"], "OPTIONS"));
      assert.deepEqual(valuesOf(counted.head, "max-forwards"), ["2"]);
      const kept = await sent(get("/x/", ["Max-Forwards: 3"]));
      assert.deepEqual(valuesOf(kept.head, "max-forwards"), ["3"]);
      const last = await sent(get("/x/", ["Max-Forwards: 0"], "OPTIONS"));
      assert.deepEqual([last.head, last.status], ["", "204"]);
      const trace = await sent(get("/x/", ["Max-Forwards: 0"], "TRACE"));
      assert.deepEqual([trace.head, trace.status], ["", "405"]);
    },
  );

  await t.test("CONNECT is refused with an answer, not with a cut", async () => {
    const { head, status } = await sent(get("shop.example:443", [], "CONNECT"));
    assert.deepEqual([head, status], ["", "405"]);
  });
});

test("a refusal never lands within an answer, nor takes the place of an earlier one", async (t) => {
  await using old = await startRawBackend(bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold"));
  const rules = `version: 1\nbackends: { legacy: { url: "${old.url}" } }\nunmatched: legacy\n`;
  await using gateway = await TestGateway.start({ rules });

  await t.test("garbage after a request: first its answer, then the refusal, then the end", async () => {
    const answer = await talk(gateway.proxyUrl, "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\noldHTTP\/1\.1 400 /);
  });

  await t.test("a body that breaks after the answer has begun cuts the connection", async () => {
    old.answer((_head, socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nold"));
    const request = "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    const answer = await talk(gateway.proxyUrl, request, (soFar) =>
      soFar.endsWith("old") ? "zz\r\n" : null,
    );
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
    assert.ok(answer.endsWith("old"));
  });

  await t.test("a body that breaks before the answer is 400, and held against nobody", async () => {
    old.answer(() => {});
    const answer = await talk(
      gateway.proxyUrl,
      "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /connection: close/);
  });
});
