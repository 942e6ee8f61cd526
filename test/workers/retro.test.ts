import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAgainInThread, type RetroLimits, type RetroQuestion } from "../../src/workers/retro.ts";

const QUESTION: RetroQuestion = { samples: [], compares: {}, ignoring: null, rulesVersion: "0123456789ab" };

/** A thread in place of the judge's. */
function judgedBy(code: string, limits: Partial<RetroLimits> = {}): Promise<unknown> {
  const text = `import { parentPort, workerData } from "node:worker_threads"; ${code}`;
  const entry = new URL(`data:text/javascript,${encodeURIComponent(text)}`);
  return judgeAgainInThread(QUESTION, { entry, ...limits });
}

test("the thread is given the question, and its report comes back", async () => {
  assert.deepEqual(await judgedBy("parentPort.postMessage({ got: workerData })"), { got: QUESTION });
});

test("a judge that fails, ends or takes too long is said so", async () => {
  await assert.rejects(judgedBy("throw new Error('it broke')"), /failed: it broke/);
  await assert.rejects(judgedBy("process.exit(0)"), /without a report/);
  await assert.rejects(judgedBy("for (;;);", { timeoutMs: 300 }), /took over 300 ms/);
});

test("a judge that needs too much memory ends alone", async () => {
  const code = "const all = []; for (;;) all.push({ a: Math.random() });";
  await assert.rejects(judgedBy(code, { maxHeapMb: 16 }), /failed: .*memory/);
});

test("one is judged after another, and too many at once are refused", async () => {
  const slow = (): Promise<unknown> =>
    judgedBy("setTimeout(() => parentPort.postMessage([Date.now() - 50, Date.now()]), 50)");
  const four = [slow(), slow(), slow(), slow()];
  await assert.rejects(slow(), /try again later/);
  const spans = (await Promise.all(four)) as [number, number][];
  for (const [index, [begun]] of spans.entries()) {
    const before = spans[index - 1];
    if (before !== undefined) assert.ok(begun >= before[1] - 1, "it began when the one before had ended");
  }
  assert.deepEqual(await judgedBy("parentPort.postMessage(1)"), 1, "and then there is room again");
});
