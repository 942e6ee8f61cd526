/** The steps of a rollout as a route's book knows them: when one begins, what it has shown, and what a judge says. */

import { fingerprintOf } from "../model/counted-keys.ts";
import { startStep } from "../model/detector.ts";
import { judge, type StepJudgement } from "../model/judge.ts";
import { currentStep, type RolloutState } from "../model/rollout-state.ts";
import { type SharePpm, WHOLE_PPM } from "../model/ruleset.ts";
import { restoreShown, shownOf } from "../model/shown.ts";
import { type Book, comparisonOf, learningOf } from "./books.ts";

/** Slower than an hour is no p99. */
const MOST_SLOW_US = 3_600_000_000;

/** A rollout has changed the shares (the tile has the new ones already): a new step begins, evidence stays. */
export function stepChanged(book: Book, nowMs: number): void {
  if (book.detector !== null) startStep(book.detector, nowMs);
}

/** Judges the current step of the route's rollout. */
export function judgeBook(book: Book, state: RolloutState, nowMs: number): StepJudgement {
  const { canaryPpm, shadowPpm } = state.shares;
  const facts = {
    canaryPpm,
    minSamples: currentStep(state).minSamples,
    comparesPairs: comparesPairs(book, canaryPpm, shadowPpm),
    uncompared: uncomparedWords(book, canaryPpm, shadowPpm),
    learning: learningOf(book),
  };
  return judge(book.detector, facts, nowMs);
}

function comparesPairs({ route }: Book, canaryPpm: SharePpm, shadowPpm: SharePpm): boolean {
  // Where everything is on new, only the reverse can be compared.
  const isShadowed = shadowPpm > 0 && (canaryPpm < WHOLE_PPM || route?.shadow.reverse === true);
  return isShadowed && route?.compare != null;
}

/** With everything on new, why guarded mismatches are not judged, and what to write; null: they are, or not guarded. */
export function uncomparedWords(book: Book, canaryPpm: SharePpm, shadowPpm: SharePpm): string | null {
  const { route } = book;
  if (route?.guard?.mismatches == null || canaryPpm < WHOLE_PPM) return null;
  if (comparesPairs(book, canaryPpm, shadowPpm)) return null;
  const nothing = "nothing that new serves is compared at 100%";
  if (route.compare === null) return `${nothing}: take compare: off away, or guard.mismatches`;
  if (shadowPpm > 0) return `${nothing}: write shadow: { reverse: true }, which shows old what new serves`;
  return `${nothing}: write shadow: { share: 100%, reverse: true }, which shows old what new serves`;
}

/** What the current step has shown, for RolloutRecord.shown: plain JSON, small; null: there is no guard. */
export function shownOfBook(book: Book, nowMs: number): unknown {
  if (book.detector === null) return null;
  return {
    guard: shownOf(book.detector, nowMs),
    slowUs: book.tile.slowUs,
    compared: comparedBy(book),
  };
}

/**
 * Goes on with what was shown before a restart; call it once the book follows the rules and the shares are set. What
 * it does not understand it ignores.
 */
export function restoreBook(book: Book, shown: unknown, nowMs: number): void {
  const { detector, route, tile } = book;
  if (detector === null || typeof shown !== "object" || shown === null) return;
  const { guard, slowUs, compared } = shown as Readonly<Record<string, unknown>>;
  restoreShown(detector, guard, nowMs, compared === comparedBy(book));
  // With everything on new there is no old to measure again.
  if (route?.guard?.latency == null || tile.slowUs !== 0) return;
  if (Number.isInteger(slowUs) && (slowUs as number) > 0 && (slowUs as number) < MOST_SLOW_US)
    tile.setSlowUs(slowUs as number);
}

/** Stands for the way pairs are compared. */
function comparedBy({ route }: Book): number {
  return route === null ? 0 : fingerprintOf(comparisonOf(route));
}
