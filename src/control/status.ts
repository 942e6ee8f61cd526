/** The state of every route in the words and numbers of the status report. */

import { requestsWord, SHADOW_RESULTS, SIDE_INDEX, SLICE } from "../board/layout.ts";
import { evidenceOf, explainEvidence } from "../model/detector.ts";
import { CODES } from "../model/failures.ts";
import { REASONS } from "../model/reasons.ts";
import type { RollbackReport, RouteStatus, Stage, Verdict } from "../model/reports.ts";
import { currentStep, type Judgement, type RolloutState } from "../model/rollout-state.ts";
import type { Side } from "../model/ruleset.ts";
import { WHOLE_PPM } from "../model/ruleset.ts";
import { withoutCause } from "../model/trip-words.ts";
import { UNCOMPARED_REASONS } from "../model/uncompared.ts";
import { type Book, learningOf } from "./books.ts";
import { type RolloutView, waitingForStep } from "./step-words.ts";
import { judgeBook, uncomparedWords } from "./steps.ts";
import type { LatchRecord } from "./store-types.ts";
import { uncomparedOf } from "./tallies.ts";

/** `rollout` null: the shares are static. `pins`: how many keys operators have pinned. */
export function routeStatus(
  book: Book,
  name: string,
  latch: LatchRecord | undefined,
  rollout: RolloutView | null,
  pins: number,
  nowMs: number,
): RouteStatus {
  const { account, tile, route, detector } = book;
  const latched = tile.latched;
  const canaryPpm = latched ? 0 : tile.canaryPpm(route?.canary.sharePpm ?? 0);
  const rollback = latched && latch !== undefined ? rollbackReport(latch) : null;
  const judgement = rollout === null || latched ? null : judgeBook(book, rollout.state, nowMs);
  return {
    name,
    state: latched ? "rolled-back" : (rollout?.state.phase ?? "serving"),
    canary: canaryPpm / WHOLE_PPM,
    shadow: tile.shadowPpm(route?.shadow.sharePpm ?? 0) / WHOLE_PPM,
    step: rollout?.state.step ?? null,
    steps: rollout?.state.steps.length ?? null,
    stages: stagesOf(book, rollout),
    bake: rollout === null ? null : bakeOf(rollout.state),
    gates:
      rollout === null
        ? []
        : rollout.gates.map(({ name: gate, answer, why }) => ({ name: gate, answer, why })),
    pins,
    latched,
    rollback,
    requests: { old: requestsOf(book, "old"), new: requestsOf(book, "new") },
    errors: account.bySide(SLICE.errors),
    latencyMs: { old: account.latencyMs("old", nowMs), new: account.latencyMs("new", nowMs) },
    comparisons: comparisonCounts(book),
    uncompared: uncomparedCounts(book),
    shadows: shadowCounts(book),
    ...(tile.shadowFailure === null ? {} : { shadowFailure: tile.shadowFailure }),
    fallbacks: account.total(SLICE.fallbacks),
    evidence: detector === null ? {} : evidenceOf(detector),
    verdict: rollback !== null && rollback.by === "guard" ? "fail" : verdictOf(rollout, judgement),
    waitingFor:
      rollout === null || judgement === null
        ? waitingFor(book, latch)
        : waitingForStep(rollout, judgement, learningWords(book)),
    ...(route === null ? {} : { backends: { old: route.old, new: route.new } }),
  };
}

/** Before it has begun, no step has shown anything. */
function verdictOf(rollout: RolloutView | null, judgement: Judgement | null): Verdict {
  return rollout?.state.begun === true && judgement !== null ? judgement.verdict : "hold";
}

function stagesOf({ route }: Book, rollout: RolloutView | null): Stage[] {
  if (rollout === null) {
    const [canary, shadow] = [route?.canary.sharePpm ?? 0, route?.shadow.sharePpm ?? 0];
    return [
      { canary: canary / WHOLE_PPM, shadow: shadow / WHOLE_PPM, bakeSeconds: 0, gates: [], approve: false },
    ];
  }
  return rollout.state.steps.map(({ canaryPpm, shadowPpm, bakeMs, gates, approve }) => ({
    canary: canaryPpm / WHOLE_PPM,
    shadow: shadowPpm / WHOLE_PPM,
    bakeSeconds: bakeMs / 1000,
    gates: [...gates],
    approve,
  }));
}

function bakeOf(state: RolloutState): RouteStatus["bake"] {
  const { bakeMs } = currentStep(state);
  // Also longer than asked for, where something else is missing.
  return { doneSeconds: Math.floor(state.bakedMs / 1000), ofSeconds: bakeMs / 1000 };
}

export function comparisonCounts(book: Book): RouteStatus["comparisons"] {
  const { account, compared } = book;
  return {
    ...compared,
    match: compared.match + account.total(SLICE.comparisons),
    uncompared: compared.uncompared + account.total(SLICE.comparisons + 1),
  };
}

/** What data threads could not bring together, and what the comparison thread could not read. */
export function uncomparedCounts(book: Book): RouteStatus["uncompared"] {
  const counts = { ...uncomparedOf(book) };
  for (const [index, why] of UNCOMPARED_REASONS.entries())
    counts[why] += book.account.total(SLICE.uncompared + index);
  return counts;
}

export function shadowCounts(book: Book): RouteStatus["shadows"] {
  const counts = { sent: 0, shed: 0, too_large: 0, timeout: 0, failed: 0 };
  for (const [index, result] of SHADOW_RESULTS.entries())
    counts[result] = book.account.total(SLICE.shadows + index);
  return counts;
}

/** Answers to clients by this side. */
export function requestsOf(book: Book, side: Side): number {
  return book.account.sum(requestsWord(SIDE_INDEX[side], 0, 0), REASONS.length * CODES.length);
}

function rollbackReport(latch: LatchRecord): RollbackReport {
  const { cause, at, evidence, by, reason } = latch;
  return { cause, at, evidence, by, reason };
}

function waitingFor(book: Book, latch: LatchRecord | undefined): string {
  if (book.tile.latched) return waitingForReset(latch);
  const { tile, route } = book;
  const canaryPpm = tile.canaryPpm(route?.canary.sharePpm ?? 0);
  const uncompared = uncomparedWords(book, canaryPpm, tile.shadowPpm(route?.shadow.sharePpm ?? 0));
  const words = uncompared === null ? learningWords(book) : `; ${uncompared}`;
  return `nothing: the shares are set in the rules${watchedBy(book)}${words}`;
}

/** Until noise is known, no mismatch is judged. */
function learningWords(book: Book): string {
  const learning = learningOf(book);
  return learning === null ? "" : `; learning noise: ${learning.done} of ${learning.of} shadows`;
}

function waitingForReset(latch: LatchRecord | undefined): string {
  if (latch === undefined) return "cutover reset, or a higher revision (rolled back)";
  const { cause, evidence, reason } = latch;
  if (cause === "store-damaged") return `cutover reset --store (${evidence.summary})`;
  if (cause === "store-unreadable")
    return `a restart, once the store can be read again (${evidence.summary})`;
  return `cutover reset, or a higher revision (${cause}: ${withoutCause(cause, evidence.summary || reason)})`;
}

function watchedBy({ detector, route }: Book): string {
  const words = detector === null ? "" : explainEvidence(detector);
  if (words !== "") return `; ${words}`;
  const hasKillSwitch = detector !== null && (route?.guard?.killSwitch ?? null) !== null;
  return hasKillSwitch ? ", and only the kill switch watches" : ", and no guard watches";
}
