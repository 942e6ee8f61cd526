import assert from "node:assert/strict";
import { test } from "node:test";
import { forgetRedacted, isStricter } from "../../src/control/redaction.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Redact, Route } from "../../src/model/ruleset.ts";
import { routeOf } from "../model/rules.ts";
import { createFakeStore, full } from "./fake-store.ts";

const NONE: Redact = { paths: [], headers: [], query: [] };
const EMAIL: Redact = { ...NONE, paths: ["$.email"] };
const route = (name: string, redact: Redact, samples = true): Route =>
  routeOf({ name, compare: { ...DEFAULT_COMPARE, redact, samples } });

test("stricter is whatever must not be stored any more and may have been", () => {
  const allowed = (redact: Redact, samples = true) => ({ redact, samples });
  assert.equal(isStricter(allowed(NONE), allowed(NONE)), false);
  assert.equal(isStricter(allowed(NONE), allowed(EMAIL)), true);
  assert.equal(isStricter(allowed(EMAIL), allowed(NONE)), false);
  assert.equal(isStricter(allowed(EMAIL), allowed({ ...EMAIL, headers: ["x-user"] })), true);
  assert.equal(isStricter(allowed(EMAIL), allowed({ ...EMAIL, query: ["token"] })), true);
  assert.equal(isStricter(allowed(NONE), allowed(NONE, false)), true);
  assert.equal(isStricter(allowed(NONE, false), allowed(NONE)), false);
});

test("samples go when their route's rules become stricter, over restarts too, and only then", async () => {
  const store = createFakeStore();
  await forgetRedacted(store, [route("a", NONE), route("b", NONE)]);
  assert.deepEqual(store.dropped, []);
  await forgetRedacted(store, [route("a", EMAIL), route("b", NONE)]);
  assert.deepEqual(store.dropped, [["a"]]);
  await forgetRedacted(store, [route("a", EMAIL), route("b", NONE)]);
  await forgetRedacted(store, [route("a", NONE)]);
  assert.equal(store.dropped.length, 1);
  await forgetRedacted(store, [route("a", NONE), route("b", NONE, false)]);
  assert.deepEqual(store.dropped.at(-1), ["b"], "it had left the rules meanwhile");
});

test("samples of a version that did not know redaction go at the first start with it", async () => {
  const store = createFakeStore();
  assert.deepEqual(await forgetRedacted(store, [route("a", EMAIL)]), { routes: ["a"], samples: 1 });
});

test("where they cannot be removed, the next time tries again", async () => {
  const store = createFakeStore();
  await forgetRedacted(store, [route("a", NONE)]);
  store.disk = full;
  await assert.rejects(forgetRedacted(store, [route("a", EMAIL)]), /disk is full/);
  store.disk = async () => {};
  await forgetRedacted(store, [route("a", EMAIL)]);
  assert.deepEqual(store.dropped, [["a"]]);
});
