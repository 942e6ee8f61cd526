import assert from "node:assert/strict";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { TestGateway } from "../support/gateway.ts";
import { talk, valuesOf } from "../support/raw.ts";
import { until } from "../support/until.ts";

test("what is refused before a route is looked for is counted, logged and named like any other request", async () => {
  await using old = await startBackend(json({}));
  const rules = `version: 1\nbackends: { legacy: { url: "${old.url}" } }\nunmatched: legacy\n`;
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "errors"] });
  const refused = [
    ["GET /no-host?secret=1 HTTP/1.1\r\n\r\n", "400", "GET", "/no-host"],
    ["GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400", "GET", "/"],
    ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505", "GET", "/"],
    ["GARBAGE\r\n\r\n", "400", "", ""],
    ["CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "405", "", ""],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(70_000)}\r\n\r\n`, "431", "", ""],
  ] as const;
  for (const [request, status, method, path] of refused) {
    const answer = await talk(gateway.proxyUrl, request);
    assert.equal(answer.split(" ")[1], status);
    assert.match(answer, /proxy-status: cutover; error=http_request_error/);
    const [requestId] = valuesOf(answer, "x-request-id");
    const line = await until("it is logged", () =>
      gateway.lines.find((each) => each.requestId === requestId),
    );
    assert.deepEqual(
      [line.status, line.failure, line.route, line.method, line.path],
      [Number(status), "http_request_error", "unmatched", method, path],
    );
  }
  const counted = () =>
    gateway.metric("cutover_requests_total", { route: "unmatched", code: "http_request_error" });
  await until("all are counted", async () => (await counted()) === refused.length);
  assert.equal(old.seen.length, 0);
});
