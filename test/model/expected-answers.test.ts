import assert from "node:assert/strict";
import { test } from "node:test";
import { expectedAnswers } from "../../src/model/expected-answers.ts";
import type { Matcher, Rollout, Route } from "../../src/model/ruleset.ts";
import { canaryOf, routeOf, splitOf } from "./rules.ts";

const FALLBACK = { when: "safe", afterMs: 5_000 } as const;
const MATCHER: Matcher = { source: "header", name: "x-canary", test: { kind: "present" } };

function rolloutOf(...shares: number[]): Rollout {
  const step = { shadowPpm: 0, bakeMs: 1_000, minSamples: 1, gates: [], approve: false };
  return { start: "paused", gates: {}, steps: shares.map((canaryPpm) => ({ ...step, canaryPpm })) };
}

const CASES: [what: string, route: Partial<Route>, old: string[], fresh: string[]][] = [
  ["all on old", { new: null }, ["default-old"], []],
  ["shadows alone", { fallback: FALLBACK }, ["default-old"], []],
  ["a share", { canary: canaryOf({ sharePpm: 1 }) }, ["default-old", "rolled-back"], ["canary-share"]],
  [
    "a share with a fallback",
    { canary: canaryOf({ sharePpm: 1_000_000 }), fallback: FALLBACK },
    ["default-old", "rolled-back", "fallback"],
    ["canary-share"],
  ],
  [
    "lists",
    {
      split: splitOf({ new: ["acme"], old: ["whale"] }),
      canary: canaryOf({ always: [MATCHER], never: [MATCHER] }),
    },
    ["default-old", "pinned-old", "canary-never", "rolled-back"],
    ["split-new", "canary-always"],
  ],
  ["lists that keep all on old", { split: splitOf({ old: ["whale"] }) }, ["default-old", "pinned-old"], []],
  ["a rollout of shadows", { rollout: rolloutOf(0), canary: canaryOf({ sharePpm: 5 }) }, ["default-old"], []],
  ["a rollout", { rollout: rolloutOf(0, 10_000) }, ["default-old", "rolled-back"], ["canary-share"]],
];

for (const [what, route, old, fresh] of CASES) {
  test(`${what}: ${[...old, ...fresh].join(", ")}`, () => {
    assert.deepEqual(expectedAnswers(routeOf(route)), [
      ...old.map((reason) => ({ side: "old", reason })),
      ...fresh.map((reason) => ({ side: "new", reason })),
    ]);
  });
}
