/** `cutover promote`: to the next step, or straight to a share; `--to 100%` is the big bang. */

import { setTimeout as sleep } from "node:timers/promises";
import { formatCount, formatShare as formatRatio } from "../model/figures.ts";
import type { RouteStatus } from "../model/reports.ts";
import { type SharePpm, WHOLE_PPM } from "../model/ruleset.ts";
import { formatShare } from "../rules/units.ts";
import { perform, type RemoteFlags, routePath } from "./action.ts";
import { askLine, canAsk } from "./ask.ts";
import { type AdminClient, createAdminClient } from "./client.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_USAGE } from "./exit.ts";
import { formatJson, printable } from "./output.ts";
import { fetchRoute } from "./status-fetch.ts";

export interface PromoteFlags extends RemoteFlags {
  readonly reason: string;
  /** Straight to this share. */
  readonly to?: SharePpm;
  /** Only from this step. */
  readonly step?: number;
  /** Do not ask. */
  readonly yes?: boolean;
}

/** How long requests are counted, to say how many a second a big bang moves. */
const RATE_WINDOW_MS = 1_000;

/** 0 once the next shares act, or act already; 1 when the gateway refuses, or nobody confirms. */
export async function promote(route: string, flags: PromoteFlags, context: Context): Promise<number> {
  checkFlags(route, flags, context);
  const client = createAdminClient(flags);
  const before = await fetchRoute(client, route);
  refuseEarly(before);
  const { to } = flags;
  // Asked before anything is: what nobody needs to confirm needs no confirmation.
  if (to !== undefined && atShare(before, to)) return sayDone(before, to, flags, context);
  if (to === WHOLE_PPM) await bigBang(before, client, flags, context);
  const body = {
    reason: flags.reason,
    ...(to === undefined ? {} : { to: formatShare(to) }),
    // The step that was seen: whoever promotes at the same moment does not make it two.
    step: flags.step ?? before.step,
  };
  const message = await perform(`${routePath(route)}/promote`, body, `${route} is promoted`, flags, context);
  // Only now: what the gateway refuses goes past nothing.
  if (to !== undefined && to !== WHOLE_PPM) note([...wentPast(before), ...passedSteps(message)], context);
  return EXIT_DONE;
}

function checkFlags(route: string, { to, step, yes }: PromoteFlags, { streams }: Context): void {
  if (to !== undefined && step !== undefined) {
    throw new CliError("--to goes straight to a share from any step: leave --step out", EXIT_USAGE);
  }
  if (to !== WHOLE_PPM || yes === true || canAsk(streams)) return;
  throw new CliError(
    `promote --to 100% sends everything of ${route} to new at once, and there is no terminal to ask at: ` +
      "add --yes if that is meant",
    EXIT_USAGE,
  );
}

/** What the gateway would refuse too, before a person is asked for nothing. */
function refuseEarly({ name, step, latched }: RouteStatus): void {
  if (step === null) {
    throw new CliError(
      `${name} has no rollout: its shares are set in the rules. Write \`rollout: { steps: … }\` for the route there, ` +
        "or change its canary",
      EXIT_NO,
    );
  }
  if (latched) {
    throw new CliError(
      `${name} is rolled back: \`cutover reset ${name} --reason '…'\` first, once new is mended`,
      EXIT_NO,
    );
  }
}

/** Also before its beginning a rollout may stand at 0%. */
function atShare({ canary }: RouteStatus, to: SharePpm): boolean {
  return to > 0 && Math.round(canary * WHOLE_PPM) === to;
}

function sayDone({ name }: RouteStatus, to: SharePpm, flags: PromoteFlags, { streams }: Context): number {
  const message = `new serves ${formatShare(to)} of ${name} already`;
  const text = flags.output === "json" ? formatJson({ ok: true, message }) : printable(message);
  streams.out.write(`${text}\n`);
  return EXIT_DONE;
}

/** Says what everything at once means, and goes on only when that is confirmed. Throws CliError 1. */
async function bigBang(
  before: RouteStatus,
  client: AdminClient,
  flags: PromoteFlags,
  context: Context,
): Promise<void> {
  if (flags.yes === true) {
    note([effect(before, null), ...passed(before)], context);
    return;
  }
  note([effect(before, await requestsPerSecond(before, client)), ...passed(before)], context);
  const typed = await askLine("type the route's name to go on: ", context.streams);
  if (typed?.trim() === before.name) return;
  throw new CliError(`not confirmed: nothing was changed, new serves ${formatRatio(before.canary)}`, EXIT_NO);
}

async function requestsPerSecond(before: RouteStatus, client: AdminClient): Promise<number> {
  const startedMs = performance.now();
  await sleep(RATE_WINDOW_MS);
  const after = await fetchRoute(client, before.name);
  const more = after.requests.old + after.requests.new - before.requests.old - before.requests.new;
  return Math.max(0, (more * 1000) / (performance.now() - startedMs));
}

function effect({ name, canary }: RouteStatus, perSecond: number | null): string {
  const rate =
    perSecond === null
      ? ""
      : perSecond === 0
        ? ", without a request at present,"
        : `, about ${formatCount(Math.max(1, perSecond))} ${perSecond < 1.5 ? "request" : "requests"} a second,`;
  return `100% of ${name}${rate} will go to new at once (${formatRatio(canary)} at present)`;
}

/**
 * What a big bang leaves out: the steps up to the last one, which is the one that begins, from the next one on; where
 * not even the first has begun, from that one.
 */
function passed(before: RouteStatus): string[] {
  const first = hasBegun(before) ? (before.step ?? 0) + 1 : 0;
  const last = (before.steps ?? 0) - 2;
  const words = [
    ...(last < first ? [] : [first === last ? `step ${first}` : `steps ${first} to ${last}`]),
    ...passedGates(before),
  ];
  return words.length === 0 ? [] : [`passed over: ${words.join("; ")}`];
}

/** Before step 0 and in it have the same number: the gateway's sentence and the shares tell them apart. */
function hasBegun({ step, canary, stages, waitingFor }: RouteStatus): boolean {
  return step !== 0 || !(waitingFor.startsWith("resume: ") || canary < (stages?.[0]?.canary ?? 0));
}

function wentPast(before: RouteStatus): string[] {
  return passedGates(before).map((gate) => `went past ${gate}`);
}

function passedGates({ gates }: RouteStatus): string[] {
  return gates
    .filter(({ answer }) => answer !== "yes")
    .map(({ name, answer, why }) => `gate ${name}, which says ${answer} (${why})`);
}

/** From the gateway's own "step 1 (…) → step 4 (…)". */
function passedSteps(message: string): string[] {
  const match = /\b(before )?step (\d{1,4})\b[^→]*→ step (\d{1,4})\b/.exec(message);
  if (match === null) return [];
  const first = Number(match[2]) + (match[1] === undefined ? 1 : 0);
  const last = Number(match[3]) - 1;
  if (last < first) return [];
  return [first === last ? `step ${first} was passed over` : `steps ${first} to ${last} were passed over`];
}

/** On stderr, so that stdout stays the gateway's answer. */
function note(lines: readonly string[], { streams }: Context): void {
  for (const line of lines) streams.err.write(`cutover: ${printable(line)}\n`);
}
