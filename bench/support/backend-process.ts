/**
 * A backend as cheap as Node can make one: raw sockets, a fixed answer of 890 bytes of JSON, bodiless requests
 * alone. What it does can be changed while it runs. Started by backend.ts, which it speaks to over IPC.
 */

import { type AddressInfo, createServer, type Socket } from "node:net";
import type { BackendMode, BackendOrder, BackendRecord } from "./backend.ts";
import { monotonicMs } from "./stats.ts";

const HUGE_BYTES = 100 * 2 ** 20;
const HUGE_CHUNK = Buffer.alloc(256 * 1024, "x");
const SLOW_MS = 5_000;
const DRIP_MS = 1_000;
const HEAD_END = Buffer.from("\r\n\r\n");

const body = JSON.stringify({ items: Array.from({ length: 12 }, (_, id) => ({ id, text: "t".repeat(54) })) });
const padded = body.padEnd(890, " ");
const good = answer("200 OK", process.env.BENCH_BODY ?? padded);
const bad = answer("500 Internal Server Error", '{"error":true}');

let mode: BackendMode = "well";
let record: BackendRecord = { arrivals: [], failedAt: [] };
let recording = false;

function answer(status: string, text: string): Buffer {
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n`;
  return Buffer.from(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

const server = createServer({ noDelay: true }, (socket) => {
  let waiting: Buffer | null = null;
  socket.on("error", () => {}); // a connection that is cut is part of the measurement
  socket.on("data", (chunk: Buffer) => {
    let bytes = waiting === null ? chunk : Buffer.concat([waiting, chunk]);
    for (let end = bytes.indexOf(HEAD_END); end !== -1; end = bytes.indexOf(HEAD_END)) {
      bytes = bytes.subarray(end + HEAD_END.length);
      if (recording) record.arrivals.push(monotonicMs());
      respond(socket);
    }
    waiting = bytes.length === 0 ? null : bytes;
  });
});

function respond(socket: Socket): void {
  switch (mode) {
    case "well":
      socket.write(good);
      break;
    case "failing":
      socket.write(bad);
      if (recording) record.failedAt.push(monotonicMs());
      break;
    case "stuck":
      break;
    case "slow":
      setTimeout(() => {
        if (!socket.destroyed) socket.write(good);
      }, SLOW_MS);
      break;
    case "dripping":
      drip(socket);
      break;
    case "huge":
      void writeHuge(socket);
      break;
  }
}

function drip(socket: Socket): void {
  let at = good.indexOf(HEAD_END) + HEAD_END.length;
  socket.write(good.subarray(0, at));
  const timer = setInterval(() => socket.write(good.subarray(at, ++at)), DRIP_MS);
  socket.once("close", () => clearInterval(timer));
}

async function writeHuge(socket: Socket): Promise<void> {
  socket.write(
    `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: ${HUGE_BYTES}\r\n\r\n`,
  );
  for (let sent = 0; sent < HUGE_BYTES && !socket.destroyed; sent += HUGE_CHUNK.length) {
    if (socket.write(HUGE_CHUNK)) continue;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once("drain", resolve).once("close", resolve);
    await promise;
    socket.off("drain", resolve).off("close", resolve);
  }
}

process.on("message", (order: BackendOrder) => {
  switch (order.kind) {
    case "mode":
      mode = order.mode;
      process.send?.({ kind: "done" });
      break;
    case "record":
      recording = true;
      record = { arrivals: [], failedAt: [] };
      process.send?.({ kind: "done" });
      break;
    case "report":
      process.send?.({ kind: "report", record });
      break;
  }
});
process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => {
  process.send?.({ kind: "listening", port: (server.address() as AddressInfo).port });
});
