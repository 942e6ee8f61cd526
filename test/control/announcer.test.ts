import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { Announcer } from "../../src/control/announcer.ts";
import type { Store } from "../../src/control/store-types.ts";
import type { Log } from "../../src/observe/log.ts";

/** Lines on stderr, and a clock to set. */
function listening(context: TestContext) {
  const said: string[] = [];
  context.mock.method(process.stderr, "write", (text: string) => said.push(text) > 0);
  let nowMs = 0;
  const clock = { nowIso: () => "2026-05-01T10:00:00.000Z", nowMs: () => nowMs };
  const announcer = new Announcer({} as Store, {} as Log, clock);
  const fail = (text: string): void => announcer.storeFailed(new Error(text));
  return {
    said,
    fail,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("of two kinds of trouble that take turns, each is said once", (context) => {
  const { said, fail, pass } = listening(context);
  for (let second = 0; second < 300; second += 1) {
    fail("the disk is full: the rollout stays where it is");
    if (second % 30 === 0) fail("the disk is full: a restart would not know this pin");
    pass(1_000);
  }
  assert.deepEqual(said, [
    "cutover: the disk is full: the rollout stays where it is\n",
    "cutover: the disk is full: a restart would not know this pin\n",
  ]);
});

test("trouble that was over and comes again is said again", (context) => {
  const { said, fail, pass } = listening(context);
  fail("the disk is full");
  pass(61_000);
  fail("the disk is full");
  assert.equal(said.length, 2);
});

test("texts that are never the same are said, and do not pile up", (context) => {
  const { said, fail } = listening(context);
  for (let n = 0; n < 1_000; n += 1) fail(`trouble ${n}`);
  fail("trouble 999");
  fail("trouble 0"); // forgotten by now
  assert.equal(said.length, 1_001);
});
