import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startStreamingBackend } from "../support/backend.ts";
import { rulesFor, rulesWith, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const MIB = 2 ** 20;
const CHUNK = Buffer.alloc(256 * 1024, "x");
/** `CUTOVER_TEST_DOWNLOAD_MIB=1024` for the long run. */
const DOWNLOAD_BYTES = Number(process.env.CUTOVER_TEST_DOWNLOAD_MIB ?? 256) * MIB;
/** What has been written is given back at once. */
const MAX_GROWTH_BYTES = 24 * MIB;

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
}, async (t) => {
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
  t.diagnostic(`${Math.round(growth / MIB)} MiB more`);
  assert.ok(growth < MAX_GROWTH_BYTES, `grew by ${Math.round(growth / MIB)} MiB`);
});

test("large answers come to each client byte by byte, however they are sent and read", {
  timeout: 60_000,
}, async () => {
  const bodies = Array.from({ length: 6 }, (_, at) => randomBytes(MIB + at * 10_007));
  const sums = bodies.map((body) => createHash("sha256").update(body).digest("hex"));
  await using backend = await startStreamingBackend((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? "/", "http://backend");
    const body = bodies[Number(searchParams.get("body"))] as Buffer;
    if (pathname.endsWith("/length")) res.setHeader("content-length", body.length);
    res.write(body.subarray(0, 20_000));
    res.end(body.subarray(20_000));
  });
  await using gateway = await TestGateway.start({
    rules: rulesWith(backend.url, backend.url, {
      plain: "shadow: 0%",
      shadowed: "shadow: 100%\nguard: off",
      copied: "shadow: { share: 100%, maxBody: 4MiB }\nguard: off",
    }),
    flags: ["--threads", "1"],
  });
  const sumOf = async (path: string, pauseMs: number): Promise<string> => {
    const answer = await fetch(gateway.proxyUrl + path);
    const hash = createHash("sha256");
    for await (const chunk of answer.body ?? []) {
      hash.update(chunk);
      if (pauseMs > 0) await sleep(pauseMs);
    }
    return hash.digest("hex");
  };
  for (const path of ["/plain/length", "/plain/chunks", "/shadowed/length", "/copied/chunks"]) {
    const found = await Promise.all(bodies.map((_, at) => sumOf(`${path}?body=${at}`, at % 3)));
    assert.deepEqual(found, sums, path);
  }
  // What is kept for comparison is not given back before.
  await until("all copies are compared", async () => {
    const { match } = (await gateway.route("copied")).comparisons;
    return match === bodies.length;
  });
});
