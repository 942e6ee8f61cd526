import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";

import { advance, MAX_TICK_MS, missing, type RolloutEvent } from "../../src/model/rollout.ts";
import { movedByRules } from "../../src/model/rollout-edit.ts";
import {
  beforeBeginning,
  beginRollout,
  beginsByItself,
  currentStep,
  type GateAnswer,
  type Known,
  type Moved,
  type RolloutState,
  shortDuration,
} from "../../src/model/rollout-state.ts";
import type { Rollout, RolloutStep } from "../../src/model/ruleset.ts";

const MINUTE = 60_000;

function step(canaryPercent: number, fields: Partial<RolloutStep> = {}): RolloutStep {
  return {
    canaryPpm: canaryPercent * 10_000,
    shadowPpm: 1_000_000,
    bakeMs: 10 * MINUTE,
    minSamples: 50,
    gates: [],
    approve: false,
    ...fields,
  };
}

function rolloutOf(steps: readonly RolloutStep[], start: Rollout["start"] = "running"): Rollout {
  return { start, steps, gates: {} };
}

const PASS: Known = { judgement: { verdict: "pass", why: "errors 0/812 new vs 13/81,234 old" }, gates: [] };
const HOLD: Known = { judgement: { verdict: "hold", why: "40 more answers of new" }, gates: [] };

function gate(name: string, answer: GateAnswer["answer"]): GateAnswer {
  return { name, answer, why: `${name} says ${answer}` };
}

function after(state: RolloutState, ...events: RolloutEvent[]): RolloutState {
  let now = state;
  for (const event of events) {
    const next = advance(now, event);
    assert.equal(next.kind, "done", next.kind === "refused" ? next.why : "");
    if (next.kind === "done") now = next.state;
  }
  return now;
}

function refusal(state: RolloutState, event: RolloutEvent): string {
  const next = advance(state, event);
  assert.equal(next.kind, "refused");
  return next.kind === "refused" ? next.why : "";
}

function bake(state: RolloutState, ms: number, known: Known = PASS): RolloutState {
  let now = state;
  for (let left = ms; left > 0; left -= 1_000) now = after(now, { kind: "tick", elapsedMs: 1_000, known });
  return now;
}

function promote(fields: Partial<Extract<RolloutEvent, { kind: "promote" }>> = {}): RolloutEvent {
  return { kind: "promote", reason: "looks well", toPpm: null, fromStep: null, known: PASS, ...fields };
}

const THREE = rolloutOf([step(0), step(5), step(100)]);

describe("rollout", () => {
  test("a step is left when it has baked and the evidence passes", () => {
    const began = beginRollout(THREE);
    assert.equal(bake(began, 10 * MINUTE - 1_000).step, 0);
    const next = bake(began, 10 * MINUTE);
    assert.equal(next.step, 1);
    assert.equal(next.shares.canaryPpm, 50_000);
    assert.equal(next.bakedMs, 0);
  });

  test("evidence that holds, keeps the step however long it bakes", () => {
    const state = bake(beginRollout(THREE), 60 * MINUTE, HOLD);
    assert.equal(state.step, 0);
    assert.deepEqual(missing(state, HOLD), ["40 more answers of new"]);
  });

  test("the last step leads to completed, and its shares stay", () => {
    const state = bake(beginRollout(THREE), 31 * MINUTE);
    assert.equal(state.phase, "completed");
    assert.equal(state.shares.canaryPpm, 1_000_000);
  });

  test("a promotion names its evidence", () => {
    const ready: RolloutState = { ...beginRollout(THREE), bakedMs: 10 * MINUTE };
    const next = advance(ready, { kind: "tick", elapsedMs: 1_000, known: PASS });
    assert.deepEqual(next.kind === "done" && next.moved, {
      action: "promote",
      by: "rollout",
      reason: "baked 10 min, errors 0/812 new vs 13/81,234 old",
      from: "step 0 (canary 0%, shadow 100%)",
      to: "step 1 (canary 5%, shadow 100%)",
    } satisfies Moved);
  });

  test("a gate that errs, or was not asked, is never a yes", () => {
    const gated = beginRollout(rolloutOf([step(0, { gates: ["lag"] }), step(5)]));
    for (const gates of [[], [gate("lag", "error")], [gate("lag", "no")], [gate("other", "yes")]]) {
      assert.equal(bake(gated, 20 * MINUTE, { ...PASS, gates }).step, 0);
    }
    assert.equal(bake(gated, 20 * MINUTE, { ...PASS, gates: [gate("lag", "yes")] }).step, 1);
  });

  test("a step to be approved waits for a person, and promote is the approval", () => {
    const state = bake(beginRollout(rolloutOf([step(1, { approve: true }), step(5)])), 60 * MINUTE);
    assert.deepEqual([state.step, missing(state, PASS)], [0, ["approval"]]);
    assert.equal(after(state, promote()).step, 1);
  });

  test("promote skips baking and counts, but never a gate", () => {
    const gated = beginRollout(rolloutOf([step(0, { gates: ["lag"] }), step(5)]));
    const known = { ...HOLD, gates: [gate("lag", "no")] };
    assert.match(refusal(gated, promote({ known })), /^gate lag does not say yes \(lag says no\).*--to/);
    assert.equal(after(gated, promote({ known: { ...HOLD, gates: [gate("lag", "yes")] } })).step, 1);
  });

  test("promote from a step that was left already does nothing", () => {
    const state = after(beginRollout(THREE), promote({ fromStep: 0 }));
    assert.equal(after(state, promote({ fromStep: 0 })), state);
    assert.match(refusal(state, promote({ fromStep: 2 })), /it is at step 1/);
  });

  test("a promotion that names a step is no beginning, so that a repeated one is harmless", () => {
    const state = beginRollout(rolloutOf([step(5), step(100)], "paused"));
    assert.match(refusal(state, promote({ fromStep: 0 })), /has not begun: resume begins it; .*`--to`/);
  });

  test("a share below the first step's own leads to that step, not past it", () => {
    const steps = rolloutOf([step(25), step(100)]);
    const at1 = after(beginRollout({ ...steps, start: "paused" }), promote({ toPpm: 10_000 }));
    assert.deepEqual([at1.step, at1.shares.canaryPpm], [0, 10_000]);
    const at25 = bake(at1, 10 * MINUTE);
    assert.deepEqual([at25.step, at25.shares.canaryPpm], [0, 250_000]);
    assert.equal(bake(at25, 10 * MINUTE).shares.canaryPpm, 1_000_000);
    // The same after an edit that leaves no step as low as the present one.
    const at5 = after(beginRollout(THREE), promote());
    const edited = after(at5, { kind: "rules", rollout: steps }, { kind: "resume", reason: "go" });
    assert.equal(edited.shares.canaryPpm, 50_000);
    assert.equal(bake(edited, 10 * MINUTE).shares.canaryPpm, 250_000);
  });

  test("promote to a share goes straight there, past gates, and never down", () => {
    const gated = beginRollout(rolloutOf([step(0, { gates: ["lag"] }), step(5), step(25), step(100)]));
    const at30 = after(gated, promote({ toPpm: 300_000 }));
    assert.deepEqual([at30.step, at30.shares.canaryPpm], [2, 300_000]);
    assert.match(refusal(at30, promote({ toPpm: 50_000 })), /only raises/);
    const bang = after(at30, promote({ toPpm: 1_000_000 }));
    assert.deepEqual([bang.step, bang.shares.canaryPpm], [3, 1_000_000]);
    assert.equal(bake(bang, 10 * MINUTE).phase, "completed");
  });

  test("a step never takes back what promote --to gave", () => {
    const at90 = after(beginRollout(rolloutOf([step(5), step(25)])), promote({ toPpm: 900_000 }));
    assert.equal(bake(at90, 10 * MINUTE).shares.canaryPpm, 900_000);
  });

  test("start: paused lets new serve nobody until somebody resumes", () => {
    const state = beginRollout(rolloutOf([step(5), step(100)], "paused"));
    assert.deepEqual([state.phase, state.step, state.shares.canaryPpm], ["paused", 0, 0]);
    assert.equal(bake(state, 60 * MINUTE).shares.canaryPpm, 0);
    const begun = after(state, { kind: "resume", reason: "go" });
    assert.deepEqual([begun.phase, begun.step, begun.shares.canaryPpm], ["baking", 0, 50_000]);
    // promote begins it too: the next share after nothing is that of step 0.
    assert.equal(after(state, promote()).shares.canaryPpm, 50_000);
    // … but where step 0 only shadows, that acts already, and the next is step 1.
    assert.equal(after(beginRollout({ ...THREE, start: "paused" }), promote()).step, 1);
  });

  test("start: running is begun by the next tick, as a promotion of its own, whatever is known", () => {
    const before = beforeBeginning(rolloutOf([step(5, { gates: ["lag"], approve: true }), step(100)]));
    assert.deepEqual([before.phase, before.begun, before.shares.canaryPpm], ["baking", false, 0]);
    const next = advance(before, { kind: "tick", elapsedMs: 60 * MINUTE, known: HOLD });
    assert.ok(next.kind === "done");
    assert.deepEqual([next.state.begun, next.state.bakedMs, next.state.shares.canaryPpm], [true, 0, 50_000]);
    assert.deepEqual(next.moved, {
      action: "promote",
      by: "rollout",
      reason: "start: running",
      from: "not begun",
      to: "step 0 (canary 5%, shadow 100%)",
    } satisfies Moved);
    assert.deepEqual(next.state, beginRollout(rolloutOf(before.steps)));
  });

  test("before it has begun a person may pause it, begin it, or go past its first steps", () => {
    const before = beforeBeginning(THREE);
    const paused = after(before, { kind: "pause", reason: "not yet" });
    assert.deepEqual([paused.phase, paused.begun, paused.why], ["paused", false, "paused: not yet"]);
    assert.equal(bake(paused, 60 * MINUTE), paused);
    assert.equal(after(before, { kind: "resume", reason: "go" }).begun, true);
    assert.equal(after(before, promote({ toPpm: 1_000_000 })).shares.canaryPpm, 1_000_000);
  });

  test("an edit to start: paused calls off what has not begun; one to running begins nothing", () => {
    const before = beforeBeginning(THREE);
    const calledOff = after(before, { kind: "rules", rollout: { ...THREE, start: "paused" } });
    assert.deepEqual([calledOff.phase, calledOff.why], ["paused", "not begun: resume begins it"]);
    assert.equal(movedByRules(before, calledOff)?.action, "pause");
    const back = after(calledOff, { kind: "rules", rollout: THREE });
    assert.deepEqual([back.phase, back.begun], ["paused", false]);
    const edited = after(before, { kind: "rules", rollout: rolloutOf([step(1, { shadowPpm: 0 }), step(5)]) });
    assert.ok(beginsByItself(edited));
    assert.equal(movedByRules(before, edited), null, "it has moved nowhere yet");
  });

  test("pause keeps the shares, resume goes on with the time baked", () => {
    const half = bake(beginRollout(rolloutOf([step(5), step(100)])), 5 * MINUTE);
    const paused = after(half, { kind: "pause", reason: "lunch" });
    assert.equal(paused.shares.canaryPpm, 50_000);
    assert.equal(bake(paused, 60 * MINUTE).bakedMs, 5 * MINUTE);
    assert.equal(after(paused, { kind: "resume", reason: "back" }).bakedMs, 5 * MINUTE);
    assert.equal(after(paused, { kind: "pause", reason: "again" }), paused);
  });

  test("a rollback ends it, and a reset waits paused before step 0", () => {
    const state = after(bake(beginRollout(THREE), 10 * MINUTE), { kind: "rolled-back" });
    assert.equal(state.phase, "rolled-back");
    for (const kind of ["pause", "resume"] as const) refusal(state, { kind, reason: "x" });
    refusal(state, promote());
    refusal(state, promote({ toPpm: 1_000_000 }));
    const reset = after(state, { kind: "reset" });
    assert.deepEqual([reset.phase, reset.step, reset.shares.canaryPpm], ["paused", 0, 0]);
    assert.equal(after(bake(beginRollout(THREE), 10 * MINUTE), { kind: "reset" }).step, 1);
  });

  test("a clock that jumps bakes no more than one tick", () => {
    const state = beginRollout(THREE);
    for (const elapsedMs of [86_400_000, Number.POSITIVE_INFINITY]) {
      assert.equal(after(state, { kind: "tick", elapsedMs, known: PASS }).bakedMs, MAX_TICK_MS);
    }
    for (const elapsedMs of [-86_400_000, Number.NaN, 0]) {
      assert.equal(after(state, { kind: "tick", elapsedMs, known: PASS }).bakedMs, 0);
    }
  });

  test("edited steps are known again by their shares", () => {
    const at5 = after(beginRollout(THREE), promote());
    const edited = rolloutOf([step(0), step(1), step(5, { bakeMs: MINUTE }), step(50), step(100)]);
    const state = after({ ...at5, bakedMs: 30_000 }, { kind: "rules", rollout: edited });
    assert.deepEqual([state.phase, state.step, state.bakedMs], ["baking", 2, 30_000]);
    assert.equal(bake(state, 30_000).shares.canaryPpm, 500_000);
  });

  test("where the current step is gone, the rollout waits at one that serves less", () => {
    const at5 = after(beginRollout(THREE), promote());
    const state = after(at5, { kind: "rules", rollout: rolloutOf([step(0), step(2), step(50)]) });
    assert.deepEqual([state.phase, state.step, state.shares.canaryPpm], ["paused", 1, 20_000]);
    const onlyMore = after(at5, { kind: "rules", rollout: rolloutOf([step(10), step(50)]) });
    assert.deepEqual([onlyMore.phase, onlyMore.shares.canaryPpm], ["paused", 50_000]);
  });

  test("an operator's reason for a pause outlasts edits, and what the rules did is one line of the trail", () => {
    const at5 = after(beginRollout(THREE), promote());
    const paused = after(at5, { kind: "pause", reason: "hold" });
    const lower = after(paused, { kind: "rules", rollout: rolloutOf([step(0), step(2), step(50)]) });
    const gone = "the step at 5% is gone from the rules: waits at 2%, resume goes on";
    assert.equal(lower.why, `paused: hold; ${gone}`);
    assert.deepEqual(movedByRules(paused, lower), {
      action: "pause",
      by: "rules",
      reason: gone,
      from: "step 1 (canary 5%, shadow 100%)",
      to: "step 1 (canary 2%, shadow 100%)",
    } satisfies Moved);
    const lowest = after(lower, { kind: "rules", rollout: rolloutOf([step(0), step(50)]) });
    assert.equal(
      lowest.why,
      "paused: hold; the step at 2% is gone from the rules: waits at 0%, resume goes on",
    );
    const nobodyPaused = after(at5, { kind: "rules", rollout: rolloutOf([step(0), step(2), step(50)]) });
    assert.equal(nobodyPaused.why, gone);
  });

  test("an edit that moves what runs says that it goes on, and one that moves nothing says nothing", () => {
    const at5 = after(beginRollout(THREE), promote());
    const edited = (steps: readonly RolloutStep[]) =>
      movedByRules(at5, after(at5, { kind: "rules", rollout: rolloutOf(steps) }));
    assert.deepEqual(edited([step(0), step(5, { shadowPpm: 0 }), step(100)]), {
      action: "resume",
      by: "rules",
      reason: "its step has shadow 0% in the rules now",
      from: "step 1 (canary 5%, shadow 100%)",
      to: "step 1 (canary 5%, shadow 0%)",
    } satisfies Moved);
    assert.equal(
      edited([step(0), step(1), step(5), step(100)])?.reason,
      "its step has another number in the rules now",
    );
    assert.equal(edited([step(0), step(5, { bakeMs: MINUTE }), step(50)]), null);
  });

  test("a promotion says what else it ends or passes over, and a resume that it runs again", () => {
    const message = (state: RolloutState, event: RolloutEvent): string => {
      const next = advance(state, event);
      return next.kind === "done" ? next.message : next.why;
    };
    const hold: RolloutEvent = { kind: "pause", reason: "hold" };
    const paused = after(beginRollout(THREE), promote(), hold);
    const over = "; its pause (hold) is over";
    assert.equal(
      message(paused, promote()),
      `step 1 (canary 5%, shadow 100%) → step 2 (canary 100%, shadow 100%)${over}`,
    );
    assert.ok(message(paused, promote({ toPpm: 500_000 })).endsWith(over));
    assert.ok(message(after(paused, promote(), hold), promote()).endsWith(over));
    assert.doesNotMatch(message(beginRollout(THREE), promote()), /;/);
    const unbegun = (steps: readonly RolloutStep[]) => beginRollout(rolloutOf(steps, "paused"));
    assert.match(
      message(unbegun([step(0), step(5)]), promote()),
      /→ step 1 \(.*\); step 0 was passed over: resume would have begun it$/,
    );
    assert.doesNotMatch(message(unbegun([step(5), step(100)]), promote()), /;/);
    const resume: RolloutEvent = { kind: "resume", reason: "go" };
    assert.equal(message(paused, resume), "runs again at step 1 (canary 5%, shadow 100%)");
    assert.match(message(unbegun([step(5)]), resume), /^before step 0 .* → step 0 /);
  });

  test("steps added behind the last one reopen a completed rollout, paused", () => {
    const done = bake(beginRollout(rolloutOf([step(0), step(5)])), 20 * MINUTE);
    const more = after(done, { kind: "rules", rollout: THREE });
    assert.deepEqual([more.phase, more.step, more.shares.canaryPpm], ["paused", 1, 50_000]);
  });

  test("what is left is never said to be nothing", () => {
    assert.equal(shortDuration(1), "1 s");
    assert.equal(shortDuration(26 * MINUTE - 1), "26 min");
    assert.equal(shortDuration(90 * MINUTE), "90 min");
    assert.equal(shortDuration(150 * MINUTE), "2 h 30 min");
  });
});

const steps = fc
  .array(
    fc.record({
      canaryPpm: fc.constantFrom(0, 10_000, 50_000, 250_000, 1_000_000),
      shadowPpm: fc.constantFrom(0, 1_000_000),
      bakeMs: fc.constantFrom(0, 1_000, 20_000),
      minSamples: fc.constant(1),
      gates: fc.constantFrom<readonly string[]>([], ["g"]),
      approve: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) => list.map((made) => ({ ...made })).toSorted((a, b) => a.canaryPpm - b.canaryPpm));
const rollouts = fc.record({
  start: fc.constantFrom("paused" as const, "running" as const),
  steps,
  gates: fc.constant({}),
});
const known: fc.Arbitrary<Known> = fc.record({
  judgement: fc.constantFrom(PASS.judgement, HOLD.judgement),
  gates: fc.constantFrom<readonly GateAnswer[]>(
    [],
    [gate("g", "yes")],
    [gate("g", "no")],
    [gate("g", "error")],
  ),
});
const events: fc.Arbitrary<RolloutEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("tick" as const), elapsedMs: fc.double(), known }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("tick" as const), elapsedMs: fc.constant(1e4), known }),
  },
  fc.record({
    kind: fc.constant("promote" as const),
    reason: fc.constant("r"),
    toPpm: fc.constantFrom(null, null, 50_000, 1_000_000),
    fromStep: fc.constantFrom(null, 0, 1, 2),
    known,
  }),
  fc.record({ kind: fc.constantFrom("pause" as const, "resume" as const), reason: fc.constant("r") }),
  fc.constantFrom<RolloutEvent>({ kind: "rolled-back" }, { kind: "reset" }),
  fc.record({ kind: fc.constant("rules" as const), rollout: rollouts }),
);

describe("rollout, whatever happens", () => {
  test("every event in every phase has an answer, and the rules of the road hold", () => {
    fc.assert(
      fc.property(
        rollouts,
        fc.boolean(),
        fc.array(events, { maxLength: 60 }),
        (rollout, isKept, happenings) => {
          let state = isKept ? beforeBeginning(rollout) : beginRollout(rollout);
          for (const event of happenings) {
            const next = advance(state, event);
            if (next.kind === "refused") continue;
            check(state, event, next.state, next.moved);
            state = next.state;
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("a restart at any point goes on as if nothing had been", () => {
    fc.assert(
      fc.property(rollouts, fc.array(events, { maxLength: 40 }), fc.nat(40), (rollout, happenings, at) => {
        let through = beforeBeginning(rollout);
        let restarted = through;
        for (const [index, event] of happenings.entries()) {
          if (index === at) restarted = JSON.parse(JSON.stringify(restarted)) as RolloutState;
          const one = advance(through, event);
          const other = advance(restarted, event);
          assert.deepEqual(other, one);
          if (one.kind === "done") through = one.state;
          if (other.kind === "done") restarted = other.state;
        }
      }),
    );
  });
});

function check(before: RolloutState, event: RolloutEvent, now: RolloutState, moved: Moved | null): void {
  const wasBaked = before.bakedMs + MAX_TICK_MS >= currentStep(before).bakeMs;
  const more = now.shares.canaryPpm > before.shares.canaryPpm;
  // Only a passed step and a person raise the share of new.
  if (more) assert.ok(["tick", "promote", "resume"].includes(event.kind), event.kind);
  if (more || (now.step > before.step && event.kind !== "rules")) assert.ok(moved !== null);
  if (before.phase === "rolled-back" && event.kind !== "reset") {
    assert.equal(now.phase, "rolled-back");
    assert.ok(!more);
  }
  if (event.kind === "rules" && (before.phase === "paused" || before.phase === "baking")) {
    const isElsewhere = now.step !== before.step || !isDeepStrictEqual(now.shares, before.shares);
    const isTold = (isElsewhere || now.phase !== before.phase) && !beginsByItself(now);
    assert.equal(movedByRules(before, now) !== null, isTold);
    // An operator's words stay for as long as it is paused.
    if (before.why === "paused: r") assert.ok(now.why.startsWith("paused: r"), now.why);
  }
  if (!now.begun) assert.equal(now.shares.canaryPpm, 0);
  if (event.kind === "tick" && !before.begun) {
    // Only the rules begin it, and that in its first step.
    assert.equal(now.begun, beginsByItself(before));
    assert.equal(now.step, 0);
    if (now.begun) assert.equal(moved?.reason, "start: running");
  } else if (event.kind === "tick" && moved !== null && now.phase !== "completed") {
    const isBelow = before.shares.canaryPpm < currentStep(before).canaryPpm;
    assert.equal(now.step, isBelow ? before.step : before.step + 1);
    assert.equal(before.phase, "baking");
    assert.ok(wasBaked);
    assert.equal(event.known.judgement.verdict, "pass");
    assert.ok(!currentStep(before).approve);
    assert.ok(
      currentStep(before).gates.every((name) =>
        event.known.gates.some((g) => g.name === name && g.answer === "yes"),
      ),
    );
  }
  assert.ok(now.step >= 0 && now.step < now.steps.length);
  assert.ok(now.bakedMs >= 0 && Number.isFinite(now.bakedMs));
}
