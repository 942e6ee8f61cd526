/** The targets of the gateway, each judged by what one run has found. */

import { type Found, GATEWAY, PLAIN_BESIDE, type Round, type Row, type Threads } from "./measured.ts";
import { type Ratio, ratioOf } from "./pairs.ts";

export type Verdict = "kept" | "missed" | "not measured";

export interface Judged {
  readonly target: string;
  readonly verdict: Verdict;
  /** What it was: a ratio with its spread, or why there is none. */
  readonly found: string;
}

const MAX_MEMORY_MIB = 200;

export const cpuOf = (round: Round): number => round.cpuUs;
const p99Of = (round: Round): number | null => round.paced?.p99Ms ?? null;
const p999Of = (round: Round): number | null => round.paced?.p999Ms ?? null;

/** All targets, in the order in which they were set. */
export function judge(found: readonly Found[], threads: Threads | null): readonly Judged[] {
  const rows = (scenario: string): readonly Row[] =>
    found.find(({ scenario: { name } }) => name === scenario)?.rows ?? [];
  const most = (
    target: string,
    limit: number,
    scenario: string,
    other: string,
    of = cpuOf as Figure,
  ): Judged => atMost(target, limit, between(rows(scenario), GATEWAY, other, of));
  const beaten = rows("plain").filter(({ kind }) => kind === "node" || kind === "go");
  return [
    most("plain: CPU per request at most 0.90 of Envoy's", 0.9, "plain", "envoy"),
    most("5% canary: CPU per request at most 0.90 of Envoy's", 0.9, "canary", "envoy"),
    most("100% shadow, compared: CPU at most 0.85 of Envoy's mirror", 0.85, "shadow", "envoy"),
    ...(beaten.length === 0 ? [missing("every Node and Go peer beaten by 1.3 or more, plain")] : []),
    ...beaten.map(({ name }) =>
      atLeast(
        `plain: CPU of ${name} at least 1.3 of ours`,
        1.3,
        between(rows("plain"), name, GATEWAY, cpuOf),
      ),
    ),
    most("p99 at 4,000/s no worse than bare's", 1, "plain", "bare", p99Of),
    most("p99.9 at 4,000/s no worse than bare's", 1, "plain", "bare", p999Of),
    most("stretch: p99 at 4,000/s at most 1.3 of Envoy's", 1.3, "plain", "envoy", p99Of),
    most("million-key split: CPU within 10% of plain", 1.1, "keys", PLAIN_BESIDE),
    most("1,000 routes: CPU within 10% of plain", 1.1, "routes", PLAIN_BESIDE),
    memory(threads),
    scaling(threads),
  ];
}

type Figure = (round: Round) => number | null;

function between(rows: readonly Row[], ours: string, theirs: string, of: Figure): Ratio | null {
  const [our, their] = [ours, theirs].map((name) => rows.find((row) => row.name === name));
  return our === undefined || their === undefined ? null : ratioOf(our.rounds, their.rounds, of);
}

function missing(target: string): Judged {
  return { target, verdict: "not measured", found: "one of the two did not take part" };
}

function atMost(target: string, limit: number, ratio: Ratio | null): Judged {
  if (ratio === null) return missing(target);
  return { target, verdict: ratio.median <= limit ? "kept" : "missed", found: against(ratio, limit) };
}

function atLeast(target: string, limit: number, ratio: Ratio | null): Judged {
  if (ratio === null) return missing(target);
  return { target, verdict: ratio.median >= limit ? "kept" : "missed", found: against(ratio, limit) };
}

/** The median decides; where single rounds say otherwise, the reader is told. */
function against(ratio: Ratio, limit: number): string {
  const isCrossed = ratio.least <= limit && ratio.most > limit;
  return `${inWords(ratio)}${isCrossed ? "; single rounds lie on both sides" : ""}`;
}

/** "0.93 (0.88 to 1.02 in 7 rounds; of the least 0.91)" */
export function inWords({ median, least, most, ofLeast, rounds }: Ratio): string {
  const [middle, from, to, minima] = [median, least, most, ofLeast].map((value) => value.toFixed(2));
  return `${middle} (${from} to ${to} in ${rounds} ${rounds === 1 ? "round" : "rounds"}; least over least ${minima})`;
}

function memory(threads: Threads | null): Judged {
  const target = `memory at two threads under load at most ${MAX_MEMORY_MIB} MB`;
  if (threads === null) return { target, verdict: "not measured", found: "left out of this run" };
  const { plainMiB, shadowMiB } = threads;
  const most = Math.max(plainMiB, shadowMiB);
  const found = `plain ${plainMiB.toFixed(0)} MiB, with a compared shadow ${shadowMiB.toFixed(0)} MiB`;
  return { target, verdict: (most * 2 ** 20) / 1e6 <= MAX_MEMORY_MIB ? "kept" : "missed", found };
}

function scaling(threads: Threads | null): Judged {
  const target = "throughput on two threads at least 1.8 of one";
  if (threads === null) return { target, verdict: "not measured", found: "left out of this run" };
  if (!threads.hadCores) return { target, verdict: "not measured", found: "needs four cores of their own" };
  return atLeast(
    target,
    1.8,
    ratioOf(threads.two, threads.one, (round) => round.perSecond),
  );
}
