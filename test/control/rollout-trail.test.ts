/** Whatever people, guards and disks do: the trail hangs together, and new serves no more than it says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { breaksIn, marksOf } from "../durability/trail.ts";
import { createFakeStore, full } from "./fake-store.ts";
import { openRoom, stagedOf, step, TRIP } from "./rollout-room.ts";

const ROUTE = stagedOf([step(0), step(5), step(25), step(100)]);
const NOT_BEGUN = { phase: "paused", begun: false, step: 0, canary: 0 } as const;
const HAPPENINGS = [
  "a second",
  "a second",
  "a second",
  "pause",
  "resume",
  "promote",
  "rollback",
  "reset",
  "the disk is full",
  "the disk has room",
] as const;

test("what acted on a full disk is in the trail later, in its order, and new never serves what is not", async () => {
  const happenings = fc.array(fc.constantFrom(...HAPPENINGS), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(happenings, fc.boolean(), async (all, beginsFull) => {
      const store = createFakeStore();
      if (beginsFull) store.disk = full;
      const { room, late, latches, rollouts, book, ticks, canary } = await openRoom(store, [ROUTE]);
      let acted = 0;
      for (const happening of all) {
        switch (happening) {
          case "a second":
            await ticks(1);
            break;
          case "pause":
            acted += (await rollouts.pause("profiles", "x")).ok ? 1 : 0;
            break;
          case "resume":
            await rollouts.resume("profiles", "x");
            break;
          case "promote":
            await rollouts.promote("profiles", { reason: "x", toPpm: null, fromStep: null });
            break;
          case "rollback":
            if (!book().tile.latched) await latches.rollback(book(), TRIP);
            break;
          case "reset":
            if (book().tile.latched) await latches.reset("profiles", "operator", "x").catch(() => {});
            break;
          case "the disk is full":
            store.disk = full;
            break;
          case "the disk has room":
            store.disk = async () => {};
        }
        const stored = marksOf(room.announced, "profiles", NOT_BEGUN).at(-1)?.place ?? NOT_BEGUN;
        const serves = book().tile.latched ? 0 : canary() / 100;
        assert.ok(
          serves <= stored.canary + 1e-9,
          `${happening}: new serves ${serves}, stored is ${stored.canary}`,
        );
      }
      store.disk = async () => {};
      await late.retry();
      await rollouts.stop();
      const entries = (await store.audit({ route: null, limit: 1_000 })).toReversed();
      assert.deepEqual(breaksIn(marksOf(entries, "profiles", NOT_BEGUN), NOT_BEGUN), []);
      assert.equal(late.count("profiles"), 0);
      assert.equal(room.logged.length, entries.length, "each line of the log is one of the trail");
      assert.ok(entries.filter(({ action }) => action === "pause").length <= acted);
    }),
    { numRuns: 400 },
  );
});
