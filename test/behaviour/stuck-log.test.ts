import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { after, before, describe, test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend, type TestBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

/** A thread holds 4 MiB of lines; with a path like this one a line has some 900 bytes. */
const ENOUGH = 6_000;
const LONG_PATH = `/${"a".repeat(500)}`;
const CLIENTS = 8;

async function askOften(url: string, times: number): Promise<number> {
  let well = 0;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < times / CLIENTS; i++) {
      if ((await ask(url, { agent, path: LONG_PATH })).status === 200) well++;
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return well;
}

function rssMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

describe("a log that nobody reads", { skip: process.platform !== "linux" && "needs /proc" }, () => {
  let backend: TestBackend;
  let gateway: TestGateway;

  before(async () => {
    backend = await startBackend(json({ well: true }));
    const rules = rulesFor(backend.url.replace("127.0.0.1", "localhost"), backend.url, "canary: 0%");
    gateway = await TestGateway.start({ rules, flags: ["--threads", "1"] });
    assert.equal(await askOften(gateway.proxyUrl, 1_000), 1_000); // warm: what grows from here on is the log
  });

  after(async () => {
    await gateway[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  });

  test("stops no request, holds bounded memory, and is told what it missed", async () => {
    gateway.readLog(false);
    const beforeMiB = rssMiB(gateway.pid);
    assert.equal(await askOften(gateway.proxyUrl, ENOUGH), ENOUGH);
    const grownMiB = rssMiB(gateway.pid) - beforeMiB;
    assert.ok(grownMiB < 64, `${grownMiB} MiB`);
    await until("stderr says so", () => gateway.stderr.includes("lines of the log are lost"));
    gateway.readLog(true);
    const { lines } = await gateway.logged("log-lost");
    assert.ok(Number(lines) > 0);
    const logged = (): number => gateway.lines.filter(({ msg }) => msg === "request").length;
    await until("the rest has come", () => logged() + Number(lines) === 1_000 + ENOUGH);
  });

  test("does not keep the gateway from its end", async () => {
    gateway.leaveLog();
    assert.equal(await askOften(gateway.proxyUrl, ENOUGH), ENOUGH);
    const begunMs = performance.now();
    assert.equal(await gateway.stop(), 0);
    assert.ok(performance.now() - begunMs < 20_000);
  });
});

test("an orderly stop writes the lines of all requests that it answered", async () => {
  await using backend = await startBackend(json({ well: true }));
  await using gateway = await TestGateway.start({ rules: rulesFor(backend.url, backend.url, "canary: 50%") });
  const answered = await askOften(gateway.proxyUrl, 400);
  assert.equal(await gateway.stop(), 0);
  await until("the last line is read", () => gateway.lines.at(-1)?.msg === "stopped");
  assert.equal(gateway.lines.filter(({ msg }) => msg === "request").length, answered);
});
