/**
 * How long new still gets requests after the failing answer that crosses the limit, at 2,000 requests a second
 * over two data threads with a 25% canary. Measured at new itself: when it wrote that answer, and when the last
 * request arrived. The promise is under 10 ms on every thread.
 *
 *   node bench/rollback.ts [--quick]
 */

import { type Batch, createDetector, observe } from "../src/model/detector.ts";
import { rulesFor } from "../test/support/gateway.ts";
import { until } from "../test/support/until.ts";
import { Backend } from "./support/backend.ts";
import { BenchGateway } from "./support/gateway.ts";
import { waitedForCoreMs } from "./support/linux.ts";
import { load } from "./support/load.ts";
import { isMain, isQuick } from "./support/script.ts";
import { fixed, median, print, sleep } from "./support/stats.ts";

const PER_SECOND = 2_000;
const HEALTHY_MS = 600;
/** Both sorts of rollback are over by then. */
const FAILING_MS = 150;
const RUN_MS = 1_000;
const CANARY_PPM = 250_000;
const KILL_LIMIT = 5;
const LIMIT_MS = 10;
/** Of the time around the rollback: more, and it is the machine that is measured. */
const WAITED_LITTLE_MS = 15;

interface Measured {
  /** From the crossing answer to the last request, in milliseconds. */
  readonly lastMs: number;
  /** From the first failing answer, for the time that the evidence took. */
  readonly fromFirstMs: number;
  /** Failing answers until the limit was crossed. */
  readonly crossing: number;
  /** Requests to new after the crossing answer was written. */
  readonly after: number;
  /** What clients were answered other than 200. */
  readonly failures: number;
  /** How long threads of the gateway stood in line for a core meanwhile: no fault of theirs. */
  readonly waitedMs: number;
}

/** `crossingAnswer`: which of the failing answers crossed the limit, from 1. */
async function once(
  gateway: BenchGateway,
  fresh: Backend,
  crossingAnswer: () => Promise<number>,
): Promise<Measured> {
  await fresh.mode("well");
  await gateway.reset("r");
  await fresh.record();
  const loaded = load({
    url: gateway.proxyUrl,
    path: "/items",
    connections: 32,
    durationMs: RUN_MS,
    perSecond: PER_SECOND,
  });
  await sleep(HEALTHY_MS);
  const waitedBefore = waitedForCoreMs(gateway.pid);
  await fresh.mode("failing");
  await sleep(FAILING_MS);
  const waitedMs = waitedForCoreMs(gateway.pid) - waitedBefore;
  const { failures } = await loaded;
  await until("the route is rolled back", async () => (await gateway.status()).routes[0]?.latched);
  const { arrivals, failedAt } = await fresh.report();
  const crossing = await crossingAnswer();
  const crossedAt = failedAt[crossing - 1];
  const last = arrivals.at(-1);
  if (crossedAt === undefined || last === undefined)
    throw new Error(`new never wrote failing answer ${crossing}`);
  return {
    lastMs: Math.max(0, last - crossedAt),
    fromFirstMs: last - (failedAt[0] as number),
    crossing,
    after: arrivals.filter((at) => at > crossedAt).length,
    failures,
    waitedMs,
  };
}

/**
 * The errors that the gateway had counted when it tripped, but no more than its own arithmetic needs for the
 * relative test: a control thread that looks late must not count its delay as evidence.
 */
async function errorsAtTrip(gateway: BenchGateway): Promise<number> {
  const rollback = (await gateway.status()).routes[0]?.rollback;
  if (rollback == null || rollback.cause === "killSwitch") throw new Error("not rolled back by its evidence");
  return Math.min(rollback.evidence.errors.new, errorsNeeded());
}

/** Errors of new alone, one after another, until the default guard trips. */
function errorsNeeded(): number {
  const detector = createDetector(
    {
      errors: { maxRate: 0.05, ratio: 2 },
      clientErrors: "all",
      latency: null,
      mismatches: null,
      minSamples: 50,
      killSwitch: null,
      falseAlarmSeconds: 90 * 24 * 3600,
    },
    0,
  );
  // Healthy answers in the same second, so that the test against a limit does not come first.
  observe(detector, batchOf(1_000, []), 0);
  for (let errors = 1; errors < 1_000; errors++) {
    const error = { kind: "error", side: "new", rhoPpm: CANARY_PPM, unit: null } as const;
    if (observe(detector, batchOf(0, [error]), 0) !== null) return errors;
  }
  throw new Error("a thousand failing answers do not trip the guard");
}

function batchOf(cleanNew: number, events: Batch["events"]): Batch {
  return {
    sharePpm: CANARY_PPM,
    cleanNew,
    fastNew: 0,
    events,
    old: { answers: 0, errors: 0 },
    comparisons: { match: 0, mismatchUnits: [] },
  };
}

async function series(name: string, guard: string, rounds: number): Promise<string[]> {
  using old = await Backend.start();
  using fresh = await Backend.start();
  const rules = rulesFor(old.url, fresh.url, `canary: 25%\nguard: ${guard}`);
  await using gateway = await BenchGateway.start({ rules, threads: 2 });
  const isKill = !guard.includes("off");
  const runs: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    runs.push(await once(gateway, fresh, async () => (isKill ? KILL_LIMIT : errorsAtTrip(gateway))));
  }
  const lasts = runs.map(({ lastMs }) => lastMs);
  const undisturbed = runs.filter(({ waitedMs }) => waitedMs < WAITED_LITTLE_MS);
  const undisturbedMax = Math.max(0, ...undisturbed.map(({ lastMs }) => lastMs));
  return [
    name,
    String(rounds),
    fixed(median(lasts), 2),
    fixed(Math.max(...lasts), 2),
    undisturbed.length === 0 ? "none" : `${fixed(undisturbedMax, 2)} of ${undisturbed.length}`,
    undisturbed.length === 0 ? "unknown" : undisturbedMax < LIMIT_MS ? "yes" : "NO",
    fixed(median(runs.map(({ crossing }) => crossing)), 0),
    String(Math.max(...runs.map(({ after }) => after))),
    fixed(median(runs.map(({ fromFirstMs }) => fromFirstMs)), 1),
    String(runs.reduce((sum, { failures }) => sum + failures, 0)),
  ];
}

export async function benchRollback(quick: boolean): Promise<void> {
  const rounds = quick ? 5 : 20;
  console.log(`rollback: ${PER_SECOND}/s, two data threads, canary 25%; milliseconds at new's own clock`);
  const rows = [
    await series(
      "kill switch alone",
      `{ killSwitch: ${KILL_LIMIT}, errors: { max: 90%, ratio: 50 } }`,
      rounds,
    ),
    await series("evidence alone", "{ killSwitch: off }", rounds),
  ];
  const head = [
    "last request to new",
    "runs",
    "median ms",
    "max ms",
    "max undisturbed",
    "< 10 ms",
    "answers to cross",
    "requests after, max",
    "ms since first failure",
    "failures at clients",
  ];
  print(head, rows);
  console.log(`undisturbed: no thread of the gateway stood in line for a core for ${WAITED_LITTLE_MS} ms`);
}

if (isMain(import.meta.url)) await benchRollback(isQuick());
