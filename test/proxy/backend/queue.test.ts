import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Queue, type Queued } from "../../../src/proxy/queue.ts";
import { poolTo, startPeer } from "./asking.ts";

class Member implements Queued<Member> {
  previous: Member | null = null;
  next: Member | null = null;
  readonly n: number;

  constructor(n: number) {
    this.n = n;
  }
}

test("a queue is what an array would be, and lets go of those who leave", () => {
  const step = fc.oneof(fc.constantFrom("push", "shift"), fc.nat(9));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new Queue<Member>();
      const array: Member[] = [];
      const left: Member[] = [];
      for (const [n, what] of steps.entries()) {
        if (what === "push") {
          const member = new Member(n);
          queue.push(member);
          array.push(member);
        } else if (what === "shift") {
          const member = queue.shift();
          assert.equal(member, array.shift() ?? null);
          if (member !== null) left.push(member);
        } else {
          const member = array[what as number];
          if (member !== undefined) {
            queue.remove(member);
            queue.remove(member);
            array.splice(what as number, 1);
            left.push(member);
          }
        }
        const inQueue: number[] = [];
        for (let at = queue.first; at !== null; at = at.next) inQueue.push(at.n);
        assert.deepEqual(
          inQueue,
          array.map((member) => member.n),
        );
        assert.equal(queue.length, array.length);
      }
      for (const { previous, next } of left) assert.deepEqual([previous, next], [null, null]);
    }),
  );
});

test("the longest queue that the rules allow is given up without a stall", async () => {
  await using peer = await startPeer(() => {});
  using to = poolTo(peer.url, { maxConnections: 1 });
  const busy = to.ask();
  const waiting = Array.from({ length: 100_000 }, () => to.ask());
  const begun = process.cpuUsage();
  for (const asked of waiting) asked.abort();
  const { user, system } = process.cpuUsage(begun);
  // A third of a second, most of it the test's own; with a search for each it took 7 s.
  assert.ok(user + system < 4_000_000, `${user + system} µs`);
  busy.abort();
});
