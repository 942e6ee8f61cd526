import assert from "node:assert/strict";
import { test } from "node:test";
import { givingBack } from "../../src/proxy/give-back.ts";

const KIB = 1024;
/** As a socket reads: memory of its own, of which the first bytes were the head. */
const read = (bytes: number, headBytes = 0): Buffer =>
  Buffer.from(new ArrayBuffer(bytes)).subarray(headBytes);

test("a large chunk is gone once it is written, the head that came with it too", () => {
  for (const chunk of [read(64 * KIB), read(64 * KIB, 200), read(16 * KIB)]) {
    givingBack(chunk)?.();
    assert.equal(chunk.buffer.byteLength, 0);
    assert.equal(chunk.length, 0);
  }
});

test("what could not be written stays: somebody may still be at it", () => {
  const chunk = read(64 * KIB);
  givingBack(chunk)?.(new Error("the client is gone"));
  assert.equal(chunk.length, 64 * KIB);
});

test("memory that others may share, or that is not worth it, is left to the garbage collector", () => {
  const ofNodes = Buffer.allocUnsafe(Math.floor(Buffer.poolSize / 2) - 1);
  for (const chunk of [read(1 * KIB), read(64 * KIB, 33 * KIB), ofNodes]) {
    assert.equal(givingBack(chunk), undefined);
  }
  assert.equal(givingBack(Buffer.from(new SharedArrayBuffer(64 * KIB))), undefined);
});
