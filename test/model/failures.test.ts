import assert from "node:assert/strict";
import { test } from "node:test";
import { CODES, codeIndex, FAILURE_STATUS, FAILURES, isBackendsFault } from "../../src/model/failures.ts";
import { REASON_INDEX, REASONS } from "../../src/model/reasons.ts";

test("a client's fault or the gateway's own is never evidence against a backend", () => {
  const nobodys = FAILURES.filter((failure) => !isBackendsFault(failure));
  assert.deepEqual(nobodys, [
    "connection_limit_reached",
    "destination_not_found",
    "http_request_error",
    "http_request_denied",
    "proxy_internal_error",
    "client_gone",
    "drain_limit_reached",
  ]);
});

test("a backend that is down, slow, cut off or speaks nonsense is at fault", () => {
  for (const failure of [
    "connection_refused",
    "connection_terminated",
    "connection_timeout",
    "destination_unavailable",
    "dns_error",
    "tls_certificate_error",
    "tls_protocol_error",
    "http_protocol_error",
    "http_response_incomplete",
    "http_response_timeout",
  ] as const) {
    assert.equal(isBackendsFault(failure), true, failure);
  }
});

test("timeouts answer 504, overload 503, a broken backend 502, and only our own fault 500", () => {
  const of = (status: number) => FAILURES.filter((failure) => FAILURE_STATUS[failure] === status);
  assert.deepEqual(of(504), [
    "connection_timeout",
    "http_response_timeout",
    "connection_read_timeout",
    "connection_write_timeout",
  ]);
  assert.deepEqual(of(503), ["connection_limit_reached", "destination_unavailable", "drain_limit_reached"]);
  assert.deepEqual(of(500), ["proxy_internal_error"]);
  for (const failure of FAILURES) {
    const status = FAILURE_STATUS[failure];
    if (isBackendsFault(failure)) assert.ok(status >= 502 && status <= 504, failure);
  }
});

test("an answer is counted by its class, a failure by its name, whatever the status", () => {
  const codeOf = (...args: Parameters<typeof codeIndex>) => CODES[codeIndex(...args)];
  assert.deepEqual(
    [100, 204, 304, 404, 503].map((status) => codeOf(status, null)),
    ["1xx", "2xx", "3xx", "4xx", "5xx"],
  );
  for (const failure of FAILURES) assert.equal(codeOf(200, failure), failure);
});

test("a status out of all classes is counted in the nearest one, never outside the table", () => {
  for (const [status, code] of [
    [0, "1xx"],
    [99, "1xx"],
    [600, "5xx"],
    [999, "5xx"],
  ] as const) {
    assert.equal(CODES[codeIndex(status, null)], code);
  }
});

test("each code and each reason has one place", () => {
  assert.equal(new Set(CODES).size, CODES.length);
  assert.equal(new Set(REASONS).size, REASONS.length);
  for (const [index, reason] of REASONS.entries()) assert.equal(REASON_INDEX[reason], index);
});
