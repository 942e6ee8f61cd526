import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CallRequest } from "../../../src/proxy/backend/call.ts";
import { declaredBytes, keepsConnection, requestHead } from "../../../src/proxy/backend/request-head.ts";

function request(changes: Partial<CallRequest> = {}): CallRequest {
  return {
    method: "GET",
    target: "/a?b",
    headers: [],
    host: "a.test",
    body: null,
    upgrade: null,
    ...changes,
  };
}

const BODY = Buffer.from("hello");
const STREAM = { readable: true } as unknown as NonNullable<CallRequest["body"]>;

test("a request is its line, Host, Connection, and its fields as they are, in this order", () => {
  assert.equal(
    requestHead(request({ headers: ["X-A", "b", "x-a", "caf\xe9"] })),
    "GET /a?b HTTP/1.1\r\nhost: a.test\r\nconnection: keep-alive\r\nX-A: b\r\nx-a: caf\xe9\r\n\r\n",
  );
});

test("each request tells its framing once, and in one way", () => {
  const length = ["Content-Length", "5"];
  const cases: readonly (readonly [Partial<CallRequest>, readonly string[]])[] = [
    [{}, []],
    [{ method: "DELETE" }, []],
    [{ method: "POST" }, ["content-length: 0"]],
    [{ method: "PUT" }, ["content-length: 0"]],
    [{ method: "POST", body: BODY }, ["content-length: 5"]],
    [{ method: "POST", body: BODY, headers: length }, ["Content-Length: 5"]],
    [{ method: "POST", body: STREAM }, ["transfer-encoding: chunked"]],
    [{ method: "POST", body: STREAM, headers: length }, ["Content-Length: 5"]],
    [{ method: "GET", body: STREAM }, ["transfer-encoding: chunked"]],
    [{ method: "GET", headers: ["content-length", "0"] }, ["content-length: 0"]],
  ];
  for (const [changes, framing] of cases) {
    const head = requestHead(request(changes));
    const told = head.split("\r\n").filter((line) => /^(?:content-length|transfer-encoding):/i.test(line));
    assert.deepEqual(told, framing, head);
  }
});

test("a connection goes on only behind requests that every backend reads alike", () => {
  const cases: readonly (readonly [boolean, Partial<CallRequest>])[] = [
    [true, {}],
    [true, { method: "DELETE" }],
    [true, { method: "OPTIONS", target: "*" }],
    [true, { method: "POST", body: BODY }],
    [true, { method: "PATCH", body: STREAM }],
    [false, { method: "HEAD" }],
    [false, { method: "GET", body: BODY }],
    [false, { method: "DELETE", body: STREAM }],
    [false, { upgrade: "websocket" }],
  ];
  for (const [kept, changes] of cases) {
    assert.equal(keepsConnection(request(changes)), kept, JSON.stringify(changes));
    const line = changes.upgrade ? "connection: upgrade" : `connection: ${kept ? "keep-alive" : "close"}`;
    assert.deepEqual(
      requestHead(request(changes))
        .split("\r\n")
        .filter((each) => /^connection:/i.test(each)),
      [line],
    );
  }
});

test("an upgrade names its protocol", () => {
  assert.match(
    requestHead(request({ upgrade: "websocket" })),
    /\r\nconnection: upgrade\r\nupgrade: websocket\r\n/,
  );
});

test("a body's length is what its request names, or its own", () => {
  assert.equal(declaredBytes(request({ body: STREAM })), null);
  assert.equal(declaredBytes(request({ body: STREAM, headers: ["CONTENT-LENGTH", "7"] })), 7);
  assert.equal(declaredBytes(request({ body: BODY })), 5);
});

test("a head has as many lines as fields and three of its own, whatever bytes a parser lets through", () => {
  // What node:http hands over: no control characters but the tab.
  const value = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
  });
  const fields = fc
    .array(fc.tuple(fc.constantFrom("X-A", "cookie", "via"), value))
    .map((pairs) => pairs.flat());
  fc.assert(
    fc.property(fields, value, (headers, host) => {
      const bytes = Buffer.from(requestHead(request({ headers, host })), "latin1").toString("latin1");
      assert.equal(bytes.split("\r\n").length, 3 + headers.length / 2 + 2);
      assert.equal(bytes.split(/[\r\n]/).length, 2 * (3 + headers.length / 2 + 2) - 1);
    }),
  );
});
