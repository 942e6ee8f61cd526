/** The story, chapter by chapter. Each tells what happens, and proves that it happened. */

import { printable } from "../cli/output.ts";
import { counted, formatCount } from "../model/figures.ts";
import type { MismatchCluster, RouteStatus } from "../model/reports.ts";
import { rolloutClimbs } from "./rollout-chapter.ts";
import { EXPLAINED, ROUTE } from "./rules-file.ts";
import { type Chapter, DEADLINE_MS, refuseFailures, switchFault, type Telling } from "./telling.ts";

const WARM_UP_ANSWERS = 150;
const MISMATCHES_TO_SEE = 50;
const QUIET_COMPARISONS = 150;
/** It takes 0.1 to 0.4 s; a machine that stands still meanwhile adds its own. */
const ROLLBACK_LIMIT_MS = 3_000;
const ANSWERS_AFTER_ROLLBACK = 200;

export const CHAPTERS: readonly Chapter[] = [
  { title: "Two systems behind one gateway: all traffic on old", play: openingOnOld },
  { title: "Shadow finds the difference", play: shadowFindsTheDifference },
  {
    title: "What is meant to differ is written down, and the comparison falls silent",
    play: differencesExplained,
  },
  { title: "The canary climbs", play: canaryClimbs },
  { title: "The fault arrives, and the gateway takes the traffic back", play: faultAndRollback },
  { title: "No client noticed", play: nobodyNoticed },
  { title: "New is mended, and a rollout takes it to 100% by itself", play: rolloutClimbs },
];

async function openingOnOld({ stage, say }: Telling): Promise<void> {
  say(`old ${stage.old.url} (pid ${stage.old.pid}) · new ${stage.new.url} (pid ${stage.new.pid})`);
  say(`gateway ${stage.gateway.proxyUrl} (pid ${stage.gateway.pid}) · rules ${stage.rulesFile}`);
  await stage.until("the first answers come through the gateway", DEADLINE_MS, () =>
    stage.traffic.total.answers >= WARM_UP_ANSWERS ? true : null,
  );
  const { answers, bySide } = stage.traffic.total;
  if (bySide.old !== answers) throw new Error(`${answers - (bySide.old ?? 0)} answers did not come from old`);
  refuseFailures(stage);
  say(`${formatCount(answers)} answers, every one from old`);
}

async function shadowFindsTheDifference({ stage, say, paint }: Telling): Promise<void> {
  say("every request that old answers is also sent to new, and the two answers are compared");
  const route = await stage.until("the comparison finds differences", DEADLINE_MS, async () => {
    const now = await stage.route();
    return now.comparisons.mismatch >= MISMATCHES_TO_SEE ? now : null;
  });
  const renamed = EXPLAINED.slice(0, 2);
  const found = await stage.until("the clusters show the renamed field", DEADLINE_MS, async () => {
    const clusters = clustersOf(await stage.admin.get(`/api/v1/mismatches?route=${ROUTE}`));
    return renamed.every((name) => clusters.some(({ place }) => place === name)) ? clusters : null;
  });
  say(`${counted(route.comparisons.mismatch, "pair")} of answers differ, clients got old's:`);
  for (const { place, kind, count, example } of found) {
    const sides = `${example.old ?? "nothing"} → ${example.new ?? "nothing"}`;
    const shown = paint("yellow", printable(place).padEnd(12));
    say(`  ${shown} ${kind.padEnd(8)} ${printable(sides)}  (${counted(count, "pair")})`);
  }
}

/** An answer that is no list has no clusters. */
function clustersOf(answer: unknown): readonly MismatchCluster[] {
  return Array.isArray(answer) ? (answer as readonly MismatchCluster[]) : [];
}

async function differencesExplained({ stage, say }: Telling): Promise<void> {
  say(`a renamed field and a clock are no mistakes: compare.ignore gets ${EXPLAINED.join(", ")}`);
  await stage.setScene("0%", EXPLAINED);
  let before = await stage.route();
  const compared = await stage.until("no pair differs any more", DEADLINE_MS, async () => {
    const now = await stage.route();
    // A pair that was on its way when the rules changed is judged by the old ones: begin to count again.
    if (now.comparisons.mismatch > before.comparisons.mismatch) before = now;
    const matches = now.comparisons.match - before.comparisons.match;
    return matches >= QUIET_COMPARISONS ? matches : null;
  });
  say(`the file was reloaded; ${counted(compared, "pair")} since then, and not one differs`);
}

const CLIMB: readonly { readonly share: string; readonly ratio: number; readonly answersOfNew: number }[] = [
  { share: "1%", ratio: 0.01, answersOfNew: 2 },
  { share: "5%", ratio: 0.05, answersOfNew: 12 },
  { share: "25%", ratio: 0.25, answersOfNew: 80 },
];

async function canaryClimbs({ stage, say, paint }: Telling): Promise<void> {
  for (const { share, ratio, answersOfNew } of CLIMB) {
    await stage.setScene(share, EXPLAINED);
    const route = await stage.until(`the canary stands at ${share}`, DEADLINE_MS, async () => {
      const now = await stage.route();
      if (now.latched)
        throw new Error(`rolled back too early: ${now.rollback?.evidence.summary ?? "no cause given"}`);
      return Math.abs(now.canary - ratio) < 1e-9 ? now : null;
    });
    stage.traffic.newStretch();
    await stage.until(`new serves clients at ${share}`, DEADLINE_MS, () =>
      (stage.traffic.stretch().bySide.new ?? 0) >= answersOfNew ? true : null,
    );
    const { answers, bySide } = stage.traffic.stretch();
    const served = `${bySide.new ?? 0} of ${formatCount(answers)} answers from new`;
    say(
      `canary ${paint("cyan", share.padStart(3))}: ${served}, errors ${route.errors.new}, no restart, nobody moved back`,
    );
    refuseFailures(stage);
    if (stage.traffic.movedBack() > 0)
      throw new Error(`${stage.traffic.movedBack()} answers went back to old`);
  }
}

async function faultAndRollback({ stage, say, paint }: Telling): Promise<void> {
  const before = await stage.route();
  const faultAtMs = performance.now();
  await switchFault(stage, "on");
  say(paint("red", "new now answers 500 to everything"));
  const rolledBackAtMs = await stage.until("the first answer says rolled-back", DEADLINE_MS, () =>
    stage.traffic.firstAnswerAtMs("rolled-back"),
  );
  const tookMs = Math.round(rolledBackAtMs - faultAtMs);
  const route = await stage.until("status says rolled back", DEADLINE_MS, async () => {
    const now = await stage.route();
    return now.latched && now.rollback !== null ? now : null;
  });
  describeRollback(route, before, tookMs, { stage, say, paint });
  if (tookMs > ROLLBACK_LIMIT_MS)
    throw new Error(`the rollback took ${tookMs} ms, more than ${ROLLBACK_LIMIT_MS} ms`);
  refuseFailures(stage);
}

function describeRollback(
  route: RouteStatus,
  before: RouteStatus,
  tookMs: number,
  { say, paint }: Telling,
): void {
  say(paint("alarm", `ROLLED BACK after ${tookMs} ms`));
  say(`because of ${printable(route.rollback?.evidence.summary ?? "nothing that is known")}`);
  say(
    `${counted(route.fallbacks - before.fallbacks, "request")} met the fault; old answered each of them instead`,
  );
}

async function nobodyNoticed({ stage, say, paint }: Telling): Promise<void> {
  stage.traffic.newStretch();
  await stage.until("traffic goes on", DEADLINE_MS, () =>
    stage.traffic.stretch().answers >= ANSWERS_AFTER_ROLLBACK ? true : null,
  );
  const { answers, bySide, byReason } = stage.traffic.stretch();
  if (bySide.old !== answers || byReason["rolled-back"] !== answers) {
    throw new Error(
      `of ${answers} answers after the rollback only ${byReason["rolled-back"] ?? 0} were held on old`,
    );
  }
  refuseFailures(stage);
  say(
    `${formatCount(answers)} more answers: all from old, all say rolled-back, until a person resets the route`,
  );
  say(paint("green", `${formatCount(stage.traffic.total.answers)} client requests, 0 failed`));
}
