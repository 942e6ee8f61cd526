/** Starts a gateway, lets people and clients at it, kills it, starts it again: so many times. */

import type { TestGateway } from "../support/gateway.ts";
import { type Draws, drawsOf } from "./draws.ts";
import { examine } from "./examine.ts";
import { type Call, type Manners, mustStand, Operator } from "./operator.ts";
import { ROUTES, World } from "./world.ts";

export interface RoundsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Where the first gateways die (see test/support/store-fault.ts), one after the other; later ones where chance says. */
  readonly kills?: readonly string[];
  readonly say?: (text: string) => void;
}

export interface RoundsReport {
  readonly kills: number;
  /** By the point of the store's write, or "at any moment" and "with a request on its way". */
  readonly at: ReadonlyMap<string, number>;
  readonly lines: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly served: number;
  readonly byItself: number;
}

/** Longest life of a gateway that is to die at a write that may not come. */
const LONGEST_LIFE_MS = 3_000;
/** Both sides of every commit that decides who serves. */
export const COMMITS: readonly string[] = [
  ...["promote", "promote by rollout", "completed by rollout", "pause", "resume"],
  ...["rollback", "reset", "pin", "unpin"],
].flatMap((action) => [`before commit ${action} 1`, `after commit ${action} 1`]);

/** How people are at each route. `auto` is left alone mostly, so that it goes by itself. */
const MANNERS: Readonly<Record<string, Manners>> = {
  auto: { pauseMs: 300, meddles: 0.1 },
  hand: { pauseMs: 80, meddles: 1 },
  slow: { pauseMs: 200, meddles: 1 },
};
/** Of the whole of a gateway's life: where people take their time it lives long enough to go some steps. */
const SLOWNESS = [1, 1, 5];

const QUICK: Manners = { pauseMs: 100, meddles: 1 };

type Plan =
  | { readonly kind: "write"; readonly kill: string }
  | { readonly kind: "moment"; readonly afterMs: number }
  | { readonly kind: "request"; readonly count: number; readonly afterMs: number };

/** Throws what it finds, with the seed and the round. */
export async function killRounds({
  rounds,
  seed,
  kills = [],
  say = () => {},
}: RoundsOptions): Promise<RoundsReport> {
  const draws = drawsOf(seed);
  await using world = await World.create();
  const operators = ROUTES.map(({ name }) => new Operator(world, name, draws, MANNERS[name] ?? QUICK));
  const calls = (): Call[] => operators.flatMap((operator) => operator.calls);
  const at = new Map<string, number>();
  let served = 0;
  await (await world.launch())?.stop(); // an orderly end leaves the compiled sources for all others
  for (let round = 1; round <= rounds + 1; round++) {
    const plan = round > rounds ? null : drawPlan(draws, kills[round - 1]);
    const spawnedMs = Date.now();
    const gateway = await world.launch(plan?.kind === "write" ? { kill: plan.kill } : {});
    if (gateway === undefined) {
      count(at, "while it started");
      continue;
    }
    try {
      served += world.served.length;
      const faults = await unlessKilled(gateway, examine(gateway, { world, calls: calls(), spawnedMs }));
      if (faults.length > 0) throw new Error(`seed ${seed}, round ${round}:\n  ${faults.join("\n  ")}`);
      if (plan === null) break;
      await liveAndDie(gateway, world, plan, operators, draws);
      count(at, pointOf(gateway, plan));
    } finally {
      await gateway[Symbol.asyncDispose]();
    }
    if (round % 25 === 0) say(`round ${round} of ${rounds}: ${world.seen.size} audit lines`);
  }
  const told = calls();
  return {
    kills: rounds,
    at,
    lines: world.seen.size,
    acknowledged: told.filter(mustStand).length,
    lost: told.filter(({ answer }) => answer === "lost").length,
    served,
    byItself: [...world.seen.values()].filter(({ by, action }) => by === "rollout" && action !== "rollback")
      .length,
  };
}

function drawPlan(draws: Draws, kill: string | undefined): Plan {
  if (kill !== undefined) return { kind: "write", kill };
  const dice = draws.number();
  if (dice < 0.5) return { kind: "write", kill: `${draws.one(["before", "after"])} * ${draws.from(1, 60)}` };
  if (dice < 0.8) return { kind: "request", count: draws.from(1, 12), afterMs: draws.from(0, 6) };
  return { kind: "moment", afterMs: draws.from(0, LONGEST_LIFE_MS) };
}

async function liveAndDie(
  gateway: TestGateway,
  world: World,
  plan: Plan,
  operators: readonly Operator[],
  draws: Draws,
): Promise<void> {
  let sent = 0;
  const kill = (): void => gateway.signal("SIGKILL");
  const timer = setTimeout(kill, plan.kind === "moment" ? plan.afterMs : LONGEST_LIFE_MS);
  const sending = (): void => {
    sent += 1;
    if (plan.kind === "request" && sent === plan.count) setTimeout(kill, plan.afterMs);
  };
  const slowness = draws.one(SLOWNESS);
  await Promise.all([
    ...operators.map((operator) => operator.work(gateway, slowness, sending)),
    draws.chance(0.4) ? world.editRules(gateway, draws.from(0, 500)) : null,
    gateway.exit(),
  ]);
  clearTimeout(timer);
}

/** A plan may kill it while it is looked at: then there is nothing to say. */
async function unlessKilled(gateway: TestGateway, examined: Promise<string[]>): Promise<string[]> {
  try {
    return await examined;
  } catch (error) {
    const isKilled = /killed (before|after)/.test(gateway.stderr);
    if (isKilled) return [];
    throw error;
  }
}

function pointOf(gateway: TestGateway, { kind }: Plan): string {
  const point = /^killed (.+)$/m.exec(gateway.stderr)?.[1];
  if (point !== undefined) return point;
  return kind === "request" ? "with a request on its way" : "at any moment";
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
