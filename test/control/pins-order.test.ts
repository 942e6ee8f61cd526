import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pins } from "../../src/control/pins.ts";
import type { PinRecord } from "../../src/control/store-types.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import type { Side } from "../../src/model/ruleset.ts";
import { routeOf } from "../model/rules.ts";
import { until } from "../support/until.ts";

const ROUTE = routeOf({ key: [{ kind: "header", name: "x-user" }] });

/** What operators do, and what the disk answers to the oldest write that waits. */
type Step =
  | { readonly kind: "pin"; readonly key: string; readonly side: Side }
  | { readonly kind: "unpin"; readonly key: string }
  | { readonly kind: "disk"; readonly works: boolean };

const key = fc.constantFrom("a", "b");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("pin" as const), key, side: fc.constantFrom<Side>("old", "new") }),
  fc.record({ kind: fc.constant("unpin" as const), key }),
  fc.record({ kind: fc.constant("disk" as const), works: fc.boolean() }),
);

/** A store that answers in the order of the calls, each when it is told to. */
function createDisk() {
  const onDisk = new Map<string, PinRecord>();
  const waiting: ((works: boolean) => void)[] = [];
  const write = async (audit: Omit<AuditEntry, "id">, change: () => void): Promise<AuditEntry> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    waiting.push(resolve);
    if (!(await promise)) throw new Error("the disk is full");
    change();
    return { ...audit, id: 1 };
  };
  return {
    onDisk,
    answer: (works: boolean): boolean => {
      const oldest = waiting.shift();
      oldest?.(works);
      return oldest !== undefined;
    },
    store: {
      pins: async () => [...onDisk.values()],
      pin: (record: PinRecord, audit: Omit<AuditEntry, "id">) =>
        write(audit, () => onDisk.set(record.key, record)),
      unpin: (_route: string, unpinned: string, audit: Omit<AuditEntry, "id">) =>
        write(audit, () => onDisk.delete(unpinned)),
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("in whatever order operators and the disk act, what acts, what is known and what is stored agree in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 24 }), async (steps) => {
      const disk = createDisk();
      const acting = new Map<string, Side>();
      const pins = new Pins({
        store: disk.store,
        wallMs: () => 0,
        announce: () => {},
        log: () => {},
        storeFailed: () => {},
        tickMs: 1,
      });
      pins.actBy(async (changes) => {
        for (const { key: changed, side } of changes) {
          if (side === null) acting.delete(changed);
          else acting.set(changed, side);
        }
      });
      const answers: Promise<unknown>[] = [];
      for (const each of steps) {
        if (each.kind === "pin") {
          answers.push(pins.pin(ROUTE, { key: each.key, side: each.side, reason: "x", forMs: null }));
          if (each.side === "old") assert.equal(acting.get(each.key), "old", "to old waits for nothing");
        } else if (each.kind === "unpin") answers.push(pins.unpin("r", each.key, "x"));
        else disk.answer(each.works);
        await turn();
      }
      const settled = Promise.all(answers);
      let isSettled = false;
      void settled.then(() => {
        isSettled = true;
      });
      const known = () => pins.list("r").map(({ key: of, side }) => `${of} ${side}`);
      const stored = () => [...disk.onDisk.values()].map(({ key: of, side }) => `${of} ${side}`);
      await until(
        `all agree: ${known()} and ${stored()}`,
        async () => {
          while (disk.answer(true)) await turn();
          return isSettled && `${known().toSorted()}` === `${stored().toSorted()}`;
        },
        { everyMs: 2 },
      );
      // Nothing that is tried again later may undo it.
      for (let tick = 0; tick < 3; tick++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        while (disk.answer(true)) await turn();
      }
      pins.stop();
      assert.deepEqual(stored().toSorted(), known().toSorted());
      assert.deepEqual(known().toSorted(), [...acting].map(([of, side]) => `${of} ${side}`).toSorted());
    }),
    { numRuns: 150 },
  );
});
