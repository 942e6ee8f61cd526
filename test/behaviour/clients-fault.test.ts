import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

/** New's: longer than a busy machine stands still. */
const THINKING_MS = 2_000;

test("what a client does wrong is held against nobody, and trips nothing", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const rules = rulesFor(
    old.url,
    fresh.url,
    "canary: 100%\nfallback: idempotent\nguard: { killSwitch: 1 }",
  ).replace(`"${fresh.url}" }`, `"${fresh.url}", timeouts: { headers: ${THINKING_MS}ms } }`);
  await using gateway = await TestGateway.start({ rules });
  const { hostname, port } = new URL(gateway.proxyUrl);
  const send = (text: string): Socket => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on("error", () => {}); // refused requests may be cut
    socket.write(text);
    return socket;
  };
  const logged = (path: string) =>
    until(`${path} is logged`, () => gateway.lines.find((line) => line.path === path));
  const post = (path: string, rest: string): string => `POST ${path} HTTP/1.1\r\nHost: a\r\n${rest}`;

  await t.test("a body that ends short", async () => {
    const socket = send(post("/short", "Content-Length: 10\r\n\r\nabc"));
    await until("it is under way", () => gateway.metric("cutover_inflight_requests"));
    socket.destroy();
    assert.equal((await logged("/short")).failure, "client_gone");
  });

  await t.test("a chunk that is none", async () => {
    send(post("/chunk", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n\r\n"));
    assert.ok(["client_gone", "http_request_error"].includes(String((await logged("/chunk")).failure)));
  });

  const stalled = async (method: string): Promise<void> => {
    const path = `/stalled-${method}`;
    const socket = send(`${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc`);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    const begun = Date.now();
    await until("twice that long is over", () => text !== "" || Date.now() - begun > 2 * THINKING_MS);
    socket.write("def");
    await until("the answer comes", () => text.includes('{"from":"new"}'));
    assert.equal((await logged(path)).status, 200);
    socket.destroy();
  };
  await t.test("a body that stalls longer than new may think: the answer comes when it goes on", async () => {
    await Promise.all(["POST", "PUT"].map(stalled));
  });

  await t.test("a slow upload is no slow answer", async () => {
    const { durationMs, backendMs } = await logged("/stalled-POST");
    assert.ok(Number(durationMs) > 1.5 * THINKING_MS, String(durationMs));
    assert.ok(Number(backendMs) < THINKING_MS, String(backendMs));
  });

  await t.test("new has no error, and serves on", async () => {
    await until("the two answers are counted", async () => (await gateway.route("r")).requests.new >= 2);
    const { errors, latched } = await gateway.route("r");
    assert.deepEqual({ errors, latched }, { errors: { old: 0, new: 0 }, latched: false });
  });
});
