import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  Confirmations,
  differencesLeft,
  MAX_WAITING,
  type Verdict,
} from "../../src/control/confirmations.ts";
import type { Compared, Place, Ticket } from "../../src/model/pair.ts";
import { compared, difference, match, mismatchAt } from "./findings.ts";

const ticket = (id: number, thread = 0): Ticket => ({ thread, id });

function open(noise: readonly string[] = []) {
  const asked: Ticket[] = [];
  const settled: Verdict[] = [];
  const clock = { nowMs: 0 };
  const room = new Confirmations({
    ask: (each) => asked.push(each),
    isNoise: (_route, { template }: Place) => noise.includes(template),
    settle: (verdict) => settled.push(verdict),
    nowMs: () => clock.nowMs,
  });
  const again = (id: number, finding: Compared): void =>
    room.answered({ ...finding, confirms: { ticket: ticket(id), afterMs: 2_100 } });
  const places = (): string[][] =>
    settled.map(({ compared: { comparison } }) =>
      comparison.kind === "mismatch" ? comparison.differences.map(({ template }) => template) : [],
    );
  return { room, asked, settled, clock, again, places };
}

test("a mismatch that is gone when it is asked again is transient, with its delay", (t) => {
  const { room, asked, settled, again } = open();
  t.after(() => room.stop());
  const first = mismatchAt(["$.name"], { ticket: ticket(1) });
  assert.equal(room.hold(first, 1_000), true);
  assert.deepEqual([asked, settled], [[ticket(1)], []]);
  again(1, match());
  assert.deepEqual(settled, [{ kind: "transient", compared: first, afterMs: 2_100 }]);
  again(1, match());
  assert.equal(settled.length, 1, "it counts once");
  assert.equal(room.waiting, 0);
});

test("a mismatch that stays is one, at the places that stay", (t) => {
  const { room, settled, again, places } = open();
  t.after(() => room.stop());
  room.hold(mismatchAt(["$.name", "$.lag"], { ticket: ticket(1) }), 1_000);
  again(1, mismatchAt(["$.name"]));
  assert.equal(settled[0]?.kind, "mismatch");
  assert.deepEqual(places(), [["$.name"]]);
});

test("another kind at the same place is another difference, and nothing is confirmed to be well", (t) => {
  const { room, settled, again, places } = open();
  t.after(() => room.stop());
  room.hold(mismatchAt(["$.name"], { ticket: ticket(1) }), 1_000);
  again(1, compared({ kind: "mismatch", differences: [difference("$.name", { kind: "missing" })] }));
  assert.equal(settled[0]?.kind, "mismatch");
  assert.deepEqual(places(), [["$.name"]]);
});

test("noise neither keeps a transient from being one nor makes one of a mismatch elsewhere", (t) => {
  const { room, settled, again, places } = open(["$.nonce"]);
  t.after(() => room.stop());
  for (const id of [1, 2, 3]) room.hold(mismatchAt(["$.nonce", "$.a"], { ticket: ticket(id) }), 1_000);
  again(1, mismatchAt(["$.nonce"]));
  again(2, mismatchAt(["$.nonce", "$.b"]));
  again(3, mismatchAt(["$.a", "$.nonce"]));
  assert.deepEqual(
    settled.map(({ kind }) => kind),
    ["transient", "mismatch", "mismatch"],
  );
  assert.deepEqual(places().slice(1), [
    ["$.nonce", "$.a"],
    ["$.nonce", "$.a"],
  ]);
});

test("a repeat that could not be compared, was lost or comes too late leaves a mismatch", (t) => {
  const { room, settled, clock, again } = open();
  t.after(() => room.stop());
  for (const id of [1, 2, 3]) room.hold(mismatchAt(["$.a"], { ticket: ticket(id) }), 1_000);
  again(1, compared({ kind: "uncompared", why: "decode_failed" }));
  room.unconfirmed(ticket(2));
  room.sweep();
  assert.equal(settled.length, 2);
  clock.nowMs = 1_000;
  room.sweep();
  assert.equal(settled.length, 3);
  again(3, match());
  room.unconfirmed(ticket(3));
  assert.deepEqual(
    settled.map(({ kind }) => kind),
    ["mismatch", "mismatch", "mismatch"],
  );
});

test("no more than five hundred wait, and what cannot be asked again does not", (t) => {
  const { room, asked } = open();
  t.after(() => room.stop());
  assert.equal(room.hold(mismatchAt(["$.a"]), 1_000), false);
  for (let id = 0; id < 2 * MAX_WAITING; id++)
    assert.equal(room.hold(mismatchAt(["$.a"], { ticket: ticket(id) }), 1_000), id < MAX_WAITING);
  assert.equal(asked.length, MAX_WAITING);
  assert.equal(room.waiting, MAX_WAITING);
});

test("a thread that took a dead one's place may use a number again: the first one counts unconfirmed", (t) => {
  const { room, settled, again } = open();
  t.after(() => room.stop());
  room.hold(mismatchAt(["$.a"], { ticket: ticket(1), requestId: "dead" }), 1_000);
  room.hold(mismatchAt(["$.a"], { ticket: ticket(1), requestId: "alive" }), 1_000);
  again(1, match());
  assert.deepEqual(
    settled.map(({ kind, compared: { requestId } }) => [requestId, kind]),
    [
      ["dead", "mismatch"],
      ["alive", "transient"],
    ],
  );
});

test("at the end what waits counts as it is", () => {
  const { room, settled } = open();
  for (const id of [1, 2]) room.hold(mismatchAt(["$.a"], { ticket: ticket(id) }), 1_000);
  room.stop();
  assert.deepEqual(
    settled.map(({ kind }) => kind),
    ["mismatch", "mismatch"],
  );
});

test("nothing real is ever called well: transient means that the repeat differs nowhere but in noise", () => {
  const names: fc.Arbitrary<string[]> = fc.uniqueArray(fc.constantFrom("$.a", "$.b", "$.c", "$.d"));
  fc.assert(
    fc.property(names, names, names, (before, after, noise) => {
      const isNoise = ({ template }: Place): boolean => noise.includes(template);
      const left = differencesLeft(mismatchAt(before), mismatchAt(after), isNoise);
      assert.equal(
        left === null,
        after.every((each) => noise.includes(each)),
      );
      if (left === null) return;
      for (const { template } of left) assert.ok(before.includes(template));
      const real = (all: readonly string[]) => all.filter((each) => !noise.includes(each));
      if (real(before).length > 0) assert.ok(left.some((each) => !isNoise(each)));
    }),
  );
});
