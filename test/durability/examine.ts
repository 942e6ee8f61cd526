/** Looks at a gateway that has just started, and says what is not as the trail and the acknowledgements have it. */

import type { AuditEntry, PinReport, RouteStatus } from "../../src/model/reports.ts";
import type { TestGateway } from "../support/gateway.ts";
import { type Call, mustStand } from "./operator.ts";
import { breaksIn, describe, hasteIn, type Mark, marksOf, mayServe, type Place } from "./trail.ts";
import { bucket, KEYS, PINNED_KEYS, ROUTES, type RouteUnderTest, START, type World } from "./world.ts";

const AUDIT_LIMIT = 1_000;

export interface Past {
  readonly world: World;
  /** In the order of the answers, of each route. */
  readonly calls: readonly Call[];
  readonly spawnedMs: number;
}

interface Picture {
  readonly trail: readonly AuditEntry[];
  readonly routes: readonly RouteStatus[];
  readonly pins: readonly PinReport[];
}

/** Faults in words; empty: everything is as it must be. */
export async function examine(gateway: TestGateway, past: Past): Promise<string[]> {
  const { world } = past;
  const faults: string[] = [];
  const picture = await stillPicture(gateway);
  const { trail } = picture;
  faults.push(...lostLines(world, trail), ...unkept(past.calls, trail));
  const all = [...world.seen.values()].sort((a, b) => a.id - b.id);
  const { trips, served } = world;
  world.trips = [];
  world.served = [];
  const sure: { readonly route: RouteUnderTest; readonly place: Place }[] = [];
  for (const route of ROUTES) {
    const say = (text: string): number => faults.push(`${route.name}: ${text}`);
    const marks = marksOf(all, route.name, START);
    for (const text of [...breaksIn(marks, START), ...hasteIn(marks, route.bakesMs)]) say(text);
    const place = marks.at(-1)?.place ?? START;
    const status = picture.routes.find(({ name }) => name === route.name);
    if (status === undefined) say("is not in the status");
    else for (const text of otherThan(place, status, marks.length > 0)) say(text);
    for (const { key, startMs, endMs } of served.filter((each) => each.route === route.name)) {
      if (PINNED_KEYS.includes(key) || mayServe(marks, bucket(route.name, key), { startMs, endMs })) continue;
      say(
        `new served ${key} (${bucket(route.name, key)}) at ${iso(startMs)}…${iso(endMs)}: ${near(marks, endMs)}`,
      );
    }
    const begun = marks.findLast(({ atMs }) => atMs < past.spawnedMs)?.place ?? START;
    const nextMs = marks.find(({ atMs }) => atMs >= past.spawnedMs)?.atMs ?? Number.POSITIVE_INFINITY;
    for (const trip of trips) {
      if (trip.route !== route.name || trip.startMs < past.spawnedMs || trip.endMs >= nextMs) continue;
      const wanted = sideAt(begun, bucket(route.name, trip.key));
      const got = `${trip.status} ${trip.side} ${trip.reason}`;
      if (got !== wanted)
        say(`right after the start ${trip.key} got ${got}, not ${wanted} (${describe(begun)})`);
    }
    faults.push(...pinFaults(route.name, past.calls, picture.pins));
    sure.push({ route, place });
  }
  faults.push(...(await probe(gateway, past, sure, trail.at(0)?.id)));
  return faults;
}

/** Trail, status and pins of one moment: nothing was noted in between. */
async function stillPicture(gateway: TestGateway): Promise<Picture> {
  const read = async <T>(path: string): Promise<T> => {
    const { status, body } = await gateway.admin("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body as T;
  };
  const audit = (): Promise<AuditEntry[]> => read(`/api/v1/audit?limit=${AUDIT_LIMIT}`);
  for (let trail = await audit(); ; ) {
    const { routes, store } = await gateway.status();
    if (store !== "ok") throw new Error(`the store is ${store}`);
    const pins = await read<PinReport[]>("/api/v1/pins");
    const after = await audit();
    if (after.at(0)?.id === trail.at(0)?.id) return { trail, routes, pins };
    trail = after;
  }
}

/** What anybody was told of must be there for ever, as it was; adds what is new. */
function lostLines(world: World, newestFirst: readonly AuditEntry[]): string[] {
  const faults: string[] = [];
  const found = new Map(newestFirst.map((entry) => [entry.id, entry]));
  const oldest = newestFirst.length < AUDIT_LIMIT ? 1 : (newestFirst.at(-1)?.id ?? 1);
  const newest = Math.max(newestFirst.at(0)?.id ?? 0, ...world.seen.keys());
  for (let id = oldest; id <= newest; id++) {
    const [before, now] = [world.seen.get(id), found.get(id)];
    if (now === undefined) faults.push(`audit line ${id} is gone: ${JSON.stringify(before ?? "never seen")}`);
    else if (before === undefined) world.seen.set(id, now);
    else if (JSON.stringify(before) !== JSON.stringify(now)) faults.push(`audit line ${id} has changed`);
  }
  return faults;
}

function unkept(calls: readonly Call[], trail: readonly AuditEntry[]): string[] {
  const counts = new Map<string, number>();
  for (const { reason } of trail) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return calls.flatMap((call) => {
    const count = counts.get(call.reason) ?? 0;
    if (count > 1) return [`"${call.reason}" stands in the trail ${count} times`];
    if (count === 0 && mustStand(call))
      return [`"${call.reason}" was acknowledged (${call.message}) and is not there`];
    // Asked again, after it had been done, it may have been refused.
    const isAgain = calls.some(({ reason, answer }) => reason === call.reason && answer === "lost");
    if (count === 0 || call.answer !== "refused" || isAgain) return [];
    return [`"${call.reason}" was refused (${call.message}) and is there`];
  });
}

function otherThan(place: Place, status: RouteStatus, isNoted: boolean): string[] {
  const wanted = describe(place);
  const { state, step, canary, latched } = status;
  const faults: string[] = [];
  if (latched !== (place.phase === "rolled-back")) faults.push(`latched is ${latched} at ${wanted}`);
  if (isNoted && state !== place.phase) faults.push(`it is ${state}, the trail says ${wanted}`);
  if (place.phase === "rolled-back") return faults;
  if (step !== place.step || canary !== place.canary) {
    faults.push(`it is at step ${step}, canary ${canary}; the trail says ${wanted}`);
  }
  return faults;
}

function pinFaults(route: string, calls: readonly Call[], pins: readonly PinReport[]): string[] {
  return PINNED_KEYS.flatMap((key) => {
    const found = pins.find((pin) => pin.route === route && pin.key === key)?.side ?? "none";
    const about = calls.filter(
      (call) => call.route === route && call.body.key === key && call.answer !== "refused",
    );
    const known = about.findLastIndex(({ answer }) => answer === "done");
    const possible = about
      .slice(Math.max(0, known))
      .map(({ action, body }) => (action === "unpin" ? "none" : body.side));
    if (known === -1) possible.push("none");
    return possible.includes(found)
      ? []
      : [`${route}: ${key} is pinned to ${found}, not to ${possible.join(" or ")}`];
  });
}

/** Asks by every key: as long as nothing was noted meanwhile, each goes exactly where the trail says. */
async function probe(
  gateway: TestGateway,
  { world }: Past,
  places: readonly { readonly route: RouteUnderTest; readonly place: Place }[],
  newest: number | undefined,
): Promise<string[]> {
  const faults: string[] = [];
  for (const { route, place } of places) {
    for (const key of KEYS) {
      const { status, side, reason } = await world.ask(route.name, key);
      const wanted = sideAt(place, bucket(route.name, key));
      const got = `${status} ${side} ${reason}`;
      if (got !== wanted) faults.push(`${route.name}: ${key} got ${got}, not ${wanted} (${describe(place)})`);
    }
  }
  return (await gateway.audit()).at(0)?.id === newest ? faults : [];
}

function sideAt({ phase, canary }: Place, at: number): string {
  if (phase === "rolled-back") return "200 old rolled-back";
  return at < canary ? "200 new canary-share" : "200 old default-old";
}

function near(marks: readonly Mark[], atMs: number): string {
  const at = marks.findLastIndex((mark) => mark.atMs <= atMs);
  const words = marks
    .slice(Math.max(0, at - 1), at + 3)
    .map(({ entry, place }) => `${entry.at} ${entry.action} ${describe(place)}`);
  return words.join("; ");
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
