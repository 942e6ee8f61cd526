import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CUTOVER = fileURLToPath(new URL("../../bin/cutover.js", import.meta.url));
const DEADLINE_MS = 60_000;

/** Starts the demo; `out` grows as it speaks. */
function startDemo() {
  const child = spawn(process.execPath, [CUTOVER, "demo", "--once"], { stdio: ["ignore", "pipe", "pipe"] });
  const demo = { child, out: "", closed: Promise.withResolvers<number | null>() };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    demo.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    demo.out += text;
  });
  child.once("close", (code) => demo.closed.resolve(code));
  return demo;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, `${what}: not in time`);
    await sleep(20);
  }
}

/** The processes and the folder that the demo's first lines name. */
function whatItRuns(out: string): { readonly pids: readonly number[]; readonly folder: string } {
  const pids = [...out.matchAll(/\(pid (\d+)\)/g)].map((match) => Number(match[1]));
  const folder = /rules (\/.*)\/rules\.yaml/.exec(out)?.[1] ?? "";
  assert.equal(pids.length, 3, out);
  assert.ok(existsSync(folder), folder);
  return { pids, folder };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("the demo's story really happens: difference, climb, fault, rollback, rollout, and no client notices", async () => {
  const demo = startDemo();
  const code = await demo.closed.promise;
  assert.equal(code, 0, demo.out);
  assert.match(demo.out, /\$\.fullName +added +nothing → "User \d+"/);
  assert.match(demo.out, /canary 25%: \d+ of \d+ answers from new, errors 0/);
  const rollback = /ROLLED BACK after (\d+) ms/.exec(demo.out);
  assert.ok(Number(rollback?.[1]) <= 3_000, demo.out);
  assert.match(demo.out, /step 2 \(canary 100%, shadow 100%\): baked 1 s, errors 0\//);
  assert.match(demo.out, /completed \(canary 100%\): baked 1 s/);
  assert.match(demo.out, /[\d,]+ client requests, 0 failed\nstopped/);
});

test("a demo that is killed leaves no process and no folder behind", async () => {
  const demo = startDemo();
  await until("the story begins", () => demo.out.includes("every one from old"));
  const { pids, folder } = whatItRuns(demo.out);
  demo.child.kill("SIGKILL");
  await until("its processes end", () => !pids.some(isAlive));
  await until("its folder goes", () => !existsSync(folder));
});

test("a demo that is stopped cleans up, and says that the story was not told to its end", async () => {
  const demo = startDemo();
  await until("the story begins", () => demo.out.includes("every one from old"));
  const { pids, folder } = whatItRuns(demo.out);
  demo.child.kill("SIGINT");
  assert.equal(await demo.closed.promise, 1);
  assert.ok(!pids.some(isAlive));
  assert.ok(!existsSync(folder));
});
