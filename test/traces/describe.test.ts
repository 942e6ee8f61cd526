import assert from "node:assert/strict";
import { test } from "node:test";
import { FAILURES } from "../../src/model/failures.ts";
import type { LegSpan, RequestSpan } from "../../src/model/span.ts";
import { describe } from "../../src/traces/describe.ts";

const COMMON = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentId: null,
  flags: "01",
  startMs: 1_777_000_000_000,
  durationMs: 2.5,
  method: "GET",
  path: "/profiles/7",
  side: "new",
  route: "profiles",
  rules: "0123456789ab",
  status: 200,
  failure: null,
} as const;

function request(changes: Partial<RequestSpan> = {}): RequestSpan {
  return {
    kind: "request",
    ...COMMON,
    reason: "canary-share",
    template: "/profiles/{id}",
    host: "api.example.com",
    scheme: "https",
    httpVersion: "1.1",
    fallback: false,
    shadow: true,
    ...changes,
  };
}

function leg(changes: Partial<LegSpan> = {}): LegSpan {
  return { kind: "leg", ...COMMON, role: "serving", origin: "http://10.0.0.7:9002", resends: 0, ...changes };
}

test("a request is a server span by the conventions, with the decision under cutover.", () => {
  assert.deepEqual(describe(request()), {
    name: "GET /profiles/{id}",
    kind: "server",
    isError: false,
    attributes: {
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "cutover.route": "profiles",
      "cutover.side": "new",
      "cutover.rules": "0123456789ab",
      "url.path": "/profiles/7",
      "url.scheme": "https",
      "http.route": "/profiles/{id}",
      "server.address": "api.example.com",
      "network.protocol.version": "1.1",
      "cutover.reason": "canary-share",
      "cutover.fallback": false,
      "cutover.shadow": true,
    },
  });
});

test("a leg is a client span that says which side and server it went to, and what for", () => {
  assert.deepEqual(describe(leg({ role: "shadow", resends: 1 })), {
    name: "GET new (shadow)",
    kind: "client",
    isError: false,
    attributes: {
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "cutover.route": "profiles",
      "cutover.side": "new",
      "cutover.rules": "0123456789ab",
      "server.address": "10.0.0.7",
      "server.port": 9002,
      "url.full": "http://10.0.0.7:9002/profiles/7",
      "http.request.resend_count": 1,
      "cutover.leg": "shadow",
    },
  });
});

test("a server's address is a name or an address without brackets, its port the scheme's where none is named", () => {
  const server = (origin: string) => {
    const { attributes } = describe(leg({ origin }));
    return [attributes["server.address"], attributes["server.port"]];
  };
  assert.deepEqual(server("https://app.internal"), ["app.internal", 443]);
  assert.deepEqual(server("http://app.internal"), ["app.internal", 80]);
  assert.deepEqual(server("http://[::1]:9001"), ["::1", 9001]);
  assert.deepEqual(server(""), [undefined, undefined]);
});

test("what a client leaves out is left out, and OPTIONS * has no path to its URL", () => {
  const { name, attributes } = describe(request({ template: null, host: "", status: null }));
  assert.equal(name, "GET");
  for (const absent of ["http.route", "server.address", "http.response.status_code", "error.type"])
    assert.ok(!(absent in attributes), absent);
  assert.equal(describe(leg({ path: "*" })).attributes["url.full"], "http://10.0.0.7:9002/");
});

test("a method that nobody knows makes no names", () => {
  for (const span of [request({ method: "BREW".repeat(100) }), leg({ method: "BREW".repeat(100) })]) {
    const { name, attributes } = describe(span);
    assert.match(name, /^HTTP /);
    assert.equal(attributes["http.request.method"], "_OTHER");
    assert.equal(attributes["http.request.method_original"], "BREW".repeat(8));
  }
});

test("a 5xx is an error of both, a 4xx of the leg alone", () => {
  const seen = [200, 301, 404, 499, 500, 503].map((status) => {
    const [server, client] = [describe(request({ status })), describe(leg({ status }))];
    return [
      status,
      server.isError,
      server.attributes["error.type"],
      client.isError,
      client.attributes["error.type"],
    ];
  });
  assert.deepEqual(seen, [
    [200, false, undefined, false, undefined],
    [301, false, undefined, false, undefined],
    [404, false, undefined, true, "404"],
    [499, false, undefined, true, "499"],
    [500, true, "500", true, "500"],
    [503, true, "503", true, "503"],
  ]);
});

test("a failure is the error's type by its name; what the client did is no error", () => {
  for (const failure of FAILURES) {
    for (const span of [request({ failure, status: null }), leg({ failure, status: null })]) {
      const { attributes, isError } = describe(span);
      assert.equal(attributes["error.type"], failure);
      const isClients = /^(client_gone|http_request_error|http_request_denied|destination_not_found)$/.test(
        failure,
      );
      assert.equal(isError, !isClients, failure);
    }
  }
});
