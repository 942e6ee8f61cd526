import assert from "node:assert/strict";
import { test } from "node:test";
import { Bell } from "../../src/board/bell.ts";

test("a ring wakes who waits, long before the timeout", async () => {
  const bell = new Bell();
  const heard = bell.heard(bell.count, 60_000);
  new Bell(bell.buffer).ring();
  await heard;
  assert.equal(bell.count, 1);
});

test("a ring between the look and the wait is not slept through", async () => {
  const bell = new Bell();
  const seen = bell.count;
  bell.ring();
  await bell.heard(seen, 60_000);
});

test("without a ring the wait ends by itself", async () => {
  const bell = new Bell();
  await bell.heard(bell.count, 5);
  assert.equal(bell.count, 0);
});
