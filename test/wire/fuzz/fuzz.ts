/** The fuzzer: a gateway of its own, hostile clients and a hostile backend, and what must hold at the end. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { TestGateway } from "../../support/gateway.ts";
import { until } from "../../support/until.ts";
import { converse } from "../client.ts";
import { ok, startRecorder } from "../recorder.ts";
import { fuzzAnswers, startLiar } from "./answers.ts";
import { fuzzRequests } from "./requests.ts";
import { Run } from "./run.ts";

/** Sockets that may be open beyond those at the start: kept connections to the backends. */
const SPARE_SOCKETS = 32;
/** Heaps of several threads fill up to their size in the first half of a run; from then on it is a leak. */
const SPARE_MEMORY_BYTES = 96 * 1024 * 1024;
const MEMORY_SAMPLES = 12;
/** A gateway that has served nothing yet says little of how much it needs. */
const WARM_UP_MS = 3_000;

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** To look at one case again: begin with it. */
  readonly firstCase?: number;
  readonly say?: (text: string) => void;
}

/** Fuzzes for so long; throws with seed and case where a promise is broken. */
export async function fuzz({ seed, seconds, firstCase = 0, say = () => {} }: FuzzOptions): Promise<void> {
  await using recorder = await startRecorder();
  let shadows = 0;
  await using copies = await startRecorder((message, socket) => {
    shadows++;
    copies.requests.length = 0; // counted, not kept: a run may be long
    ok(message, socket);
  });
  await using liar = await startLiar(seed);
  const rules = [
    "version: 1",
    "backends:",
    `  strict: { url: "${recorder.url}" }`,
    `  copies: { url: "${copies.url}" }`,
    `  liar: { url: "${liar.url}", timeouts: { headers: 2s, stall: 2s } }`,
    `  other: { url: "${liar.url}", timeouts: { headers: 2s, stall: 2s } }`,
    "routes:",
    "  - name: liar",
    '    match: { path: "/liar/**" }',
    "    old: liar",
    "    new: other",
    "    canary: 50%",
    "    shadow: 50%",
    "    guard: off",
    "  - name: r",
    '    match: { path: "/**" }',
    "    old: strict",
    "    new: copies",
    "    shadow: { share: 50%, methods: [GET, HEAD, POST, PUT, DELETE], sideEffects: allowed }",
    "",
  ].join("\n");
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "off"] });
  const url = gateway.proxyUrl;
  const begunMs = Date.now();
  const warm = await runBoth(begunMs + Math.min(WARM_UP_MS, seconds * 250), 0);
  const sockets = openSockets(gateway.pid);
  const memoryBytes = residentBytes(gateway.pid);
  const samples: number[] = [];
  const sampling = setInterval(
    () => samples.push(residentBytes(gateway.pid)),
    (seconds * 1_000) / MEMORY_SAMPLES,
  );
  const main = await runBoth(begunMs + seconds * 1_000, warm.cases);
  clearInterval(sampling);
  say(`requests: ${main.requests}\nanswers: ${main.answers}`);

  const faults = [...warm.faults, ...main.faults];
  assert.equal(faults.length, 0, faults.join("\n"));
  assert.deepEqual(copies.violations, [], "a shadow that no strict parser accepts");
  assert.ok(shadows > 0, "no shadow was sent");
  assert.ok(!gateway.lines.some((line) => line.msg === "thread-replaced"), "a data thread died");
  assert.equal(gateway.stderr, "", "a bug has shown");
  assert.deepEqual(
    (await gateway.route("r")).errors,
    { old: 0, new: 0 },
    "a client's fault was held against old",
  );
  for (const target of ["/healthy", "/healthy/2"]) {
    const { answers } = await converse(url, [
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    ]);
    assert.deepEqual(
      answers.answers.map(({ body }) => body),
      ["ok"],
    );
  }
  await until("nothing is in flight", async () => (await gateway.metric("cutover_inflight_requests")) === 0);
  await until("no socket has leaked", () => openSockets(gateway.pid) <= sockets + SPARE_SOCKETS);
  const middleBytes = Math.max(memoryBytes, ...samples.slice(0, MEMORY_SAMPLES / 2));
  const grownBytes = residentBytes(gateway.pid) - middleBytes;
  say(`memory over time, in MiB: ${samples.map((bytes) => Math.round(bytes / 2 ** 20)).join(" ")}`);
  assert.ok(grownBytes < SPARE_MEMORY_BYTES, `memory has grown by ${grownBytes} bytes in the second half`);

  async function runBoth(
    untilMs: number,
    done: number,
  ): Promise<{ faults: string[]; cases: number; requests: Run; answers: Run }> {
    const options = { seed, untilMs, firstCase: firstCase + done, minCases: 1 };
    const requests = new Run({ ...options, parallel: 4 });
    const answers = new Run({ ...options, parallel: 4 });
    await Promise.all([fuzzRequests(requests, url, recorder), fuzzAnswers(answers, url, liar)]);
    const cases = Math.max(requests.cases, answers.cases);
    return { faults: [...requests.faults, ...answers.faults], cases, requests, answers };
  }
}

function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentBytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return pages * 4096;
}
