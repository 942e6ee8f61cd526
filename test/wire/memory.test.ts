import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

/** 5,000 for the figures in docs/operations.md; fewer by default, to be quick beside other tests. */
const CONNECTIONS = Number(process.env.CUTOVER_TEST_CONNECTIONS ?? 1_000);
const MIB = 2 ** 20;

const residentMib = async (gateway: TestGateway) =>
  (await gateway.metric("process_resident_memory_bytes")) / MIB;

/** Opens connections that send this much and then nothing. Some may be cut. */
async function hold(url: string, text: string): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const bytes = Buffer.from(text, "latin1");
  const sockets: Socket[] = [];
  for (let at = 0; at < CONNECTIONS; at += 100) {
    const batch = Array.from({ length: Math.min(100, CONNECTIONS - at) }, () => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on("error", () => {}); // refused ones may be reset
      socket.write(bytes);
      return socket;
    });
    await Promise.all(batch.map((socket) => once(socket, "connect")));
    sockets.push(...batch);
  }
  return sockets;
}

test("thousands of half-open connections and heads that never end cost bounded memory, and clients nothing", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  const rules = `limits: { headTimeout: 20s }\n${rulesFor(old.url, old.url, "")}`;
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "off"] });
  for (let i = 0; i < 20; i++) await ask(gateway.proxyUrl);
  const before = await residentMib(gateway);
  for (const [name, text, mostKib] of [
    ["silent", "", 64],
    ["a begun head", "GET / HTTP/1.1\r\nHost: a\r\nX-", 64],
    [
      "a head of 30 KiB without its end",
      `GET / HTTP/1.1\r\nHost: a\r\n${"x: 0123456789\r\n".repeat(2000)}`,
      64,
    ],
    ["a bomb of fields", `GET / HTTP/1.1\r\nHost: a\r\n${"a:\r\n".repeat(7500)}`, 64],
    ["a bomb of one endless field", `GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(64 * 1024)}`, 64],
  ] as const) {
    const sockets = await hold(gateway.proxyUrl, text);
    assert.equal((await ask(gateway.proxyUrl)).status, 200, name);
    const grownMib = (await residentMib(gateway)) - before;
    t.diagnostic(`${CONNECTIONS} × ${name}: ${grownMib.toFixed(0)} MiB more`);
    assert.ok(grownMib < 100 + (CONNECTIONS * mostKib) / 1024, `${name}: ${grownMib.toFixed(0)} MiB`);
    for (const socket of sockets) socket.destroy();
    await until("they are gone", () => sockets.every(({ closed }) => closed));
  }
});
