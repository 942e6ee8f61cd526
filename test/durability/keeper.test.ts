import assert from "node:assert/strict";
import { test } from "node:test";
import { RolloutKeeper } from "../../src/control/rollout-keeper.ts";
import type { RolloutRecord } from "../../src/control/store-types.ts";
import { beginRollout } from "../../src/model/rollout-state.ts";

test("progress is sent to the store before any move that follows it, also where a rollout is dropped", async () => {
  const step = { canaryPpm: 0, shadowPpm: 0, bakeMs: 0, minSamples: 0, gates: [], approve: false };
  const state = beginRollout({ start: "running", steps: [step], gates: {} });
  const record: RolloutRecord = { route: "r", state, shown: null };
  const sent: string[] = [];
  const answered = Promise.withResolvers<void>();
  const keeper = new RolloutKeeper({
    store: {
      dropRollouts: (routes) => {
        sent.push(`drop ${routes.join()}`);
        return answered.promise;
      },
      keepRollouts: async (records) => {
        sent.push(`keep ${records.map(({ route }) => route).join()}`);
      },
    },
    storeFailed: (error) => assert.fail(String(error)),
  });
  keeper.drop("gone");
  const keeping = keeper.keep(() => ({ records: [record], failed: () => {} }));
  sent.push("move r"); // what is decided now must not be written over by what was true before it
  answered.resolve();
  await keeping;
  assert.deepEqual(sent, ["drop gone", "keep r", "move r"]);
});
