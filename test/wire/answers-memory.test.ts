import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { startStreamingBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

const MIB = 2 ** 20;
const CHUNK = Buffer.alloc(256 * 1024, "x");
/** `CUTOVER_TEST_DOWNLOAD_MIB=1024` for the long run. */
const DOWNLOAD_BYTES = Number(process.env.CUTOVER_TEST_DOWNLOAD_MIB ?? 256) * MIB;
/** What garbage may lie about between two collections: far below the download. */
const MAX_GROWTH_BYTES = 100 * MIB;

async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}

async function download(url: string): Promise<number> {
  const answer = await fetch(url);
  let read = 0;
  for await (const chunk of answer.body ?? []) read += chunk.length;
  return read;
}

test("a long download takes no memory of its length", {
  timeout: 120_000,
  skip: process.platform !== "linux",
}, async () => {
  let totalBytes = 32 * MIB;
  await using old = await startStreamingBackend((_req, res) => {
    let sent = 0;
    const pour = (): void => {
      while (sent < totalBytes) {
        sent += CHUNK.length;
        if (!res.write(CHUNK)) {
          res.once("drain", pour);
          return;
        }
      }
      res.end();
    };
    pour();
  });
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, old.url, ""),
    flags: ["--threads", "1"],
  });
  assert.equal(await download(gateway.proxyUrl), totalBytes); // warm
  const before = await peakBytes(gateway.pid);
  totalBytes = DOWNLOAD_BYTES;
  assert.equal(await download(gateway.proxyUrl), totalBytes);
  const growth = (await peakBytes(gateway.pid)) - before;
  assert.ok(growth < MAX_GROWTH_BYTES, `grew by ${Math.round(growth / MIB)} MiB`);
});
