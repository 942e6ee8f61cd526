import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { json, stall, startBackend } from "../support/backend.ts";
import { TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** Sends a request and the end of what it sends; resolves to all that comes back. */
async function askAndHalfClose(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", reject);
  socket.on("end", () => {
    socket.end();
    resolve(text);
  });
  socket.end(REQUEST);
  return promise;
}

test("a client that has said all it will say still gets its answer", async () => {
  await using old = await startBackend((req, res, body) => {
    setTimeout(() => json({ late: true })(req, res, body), 100);
  });
  const rules = `version: 1\nbackends: { legacy: { url: "${old.url}" } }\nunmatched: legacy\n`;
  await using gateway = await TestGateway.start({ rules });
  const answer = await askAndHalfClose(gateway.proxyUrl);
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*\{"late":true\}$/);
});

test("where no answer comes, a closed sending side is taken for a client that left", async () => {
  await using old = await startBackend(stall);
  const rules = `version: 1\nbackends: { legacy: { url: "${old.url}" } }\nunmatched: legacy\n`;
  await using gateway = await TestGateway.start({ rules });
  assert.equal(await askAndHalfClose(gateway.proxyUrl), "");
  const line = await until("it is logged", () => gateway.lines.find(({ msg }) => msg === "request"));
  assert.equal(line.failure, "client_gone");
});
