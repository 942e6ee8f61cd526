import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type PinRequest, Pins } from "../../src/control/pins.ts";
import type { PinRecord, Store } from "../../src/control/store-types.ts";
import { unitOf } from "../../src/model/bucket.ts";
import { MAX_PINS_PER_ROUTE } from "../../src/model/pins.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import type { Side } from "../../src/model/ruleset.ts";
import { routeOf } from "../model/rules.ts";
import { until } from "../support/until.ts";
import { createSlowDisk, full } from "./fake-store.ts";

const ROUTE = routeOf({ key: [{ kind: "header", name: "x-user" }] });
const TICK_MS = 20;
const BEGUN_MS = Date.parse("2026-05-01T10:00:00.000Z");

type PinStore = Pick<Store, "pins" | "pin" | "unpin">;

/** Pins over a store in memory and a clock that stands; `disk` is waited for by every write. */
function pinsFor(t: TestContext, kept: readonly PinRecord[] = []) {
  const onDisk = new Map(kept.map((record) => [`${record.route} ${record.key}`, record]));
  const trail: AuditEntry[] = [];
  const room = {
    disk: async (): Promise<void> => {},
    nowMs: BEGUN_MS,
    onDisk,
    /** What the data threads go by, "old" or "new" by "route key", and every change that they were told of. */
    acting: new Map<string, Side>(),
    told: [] as string[],
    announced: [] as AuditEntry[],
    logged: [] as [string, Readonly<Record<string, unknown>>][],
    failures: [] as unknown[],
  };
  const write = async (audit: Omit<AuditEntry, "id">, change: () => void): Promise<AuditEntry> => {
    await room.disk();
    change();
    const entry = { ...audit, id: trail.length + 1 };
    trail.push(entry);
    return entry;
  };
  const store: PinStore = {
    pins: async () => [...onDisk.values()],
    pin: (record, audit) => write(audit, () => onDisk.set(`${record.route} ${record.key}`, record)),
    unpin: (route, key, audit) => write(audit, () => onDisk.delete(`${route} ${key}`)),
  };
  const pins = new Pins({
    store,
    wallMs: () => room.nowMs,
    announce: (entry) => room.announced.push(entry),
    log: (msg, fields) => room.logged.push([msg, fields]),
    storeFailed: (error) => room.failures.push(error),
    tickMs: TICK_MS,
  });
  t.after(() => pins.stop());
  const act = async (): Promise<void> => {
    for (const { route, key, side } of pins.acting)
      if (side !== null) room.acting.set(`${route} ${key}`, side);
    pins.actBy(async (changes) => {
      for (const { route, key, side } of changes) {
        room.told.push(`${key} ${side}`);
        if (side === null) room.acting.delete(`${route} ${key}`);
        else room.acting.set(`${route} ${key}`, side);
      }
    });
  };
  return { pins, act, ...room, room };
}

/** Long enough for what a tick would have done. */
function ticks(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3 * TICK_MS));
}

const asked = (side: Side, key = "acme", forMs: number | null = null): PinRequest => ({
  key,
  side,
  reason: "a test",
  forMs,
});

function recordOf(key: string, side: Side, changes: Partial<PinRecord> = {}): PinRecord {
  const at = new Date(BEGUN_MS - 60_000).toISOString();
  return { route: "r", key, side, at, by: "operator", reason: "before", expiresAt: null, ...changes };
}

test("a pin acts, is stored, and is announced with its fingerprint, never with the key", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  for (const side of ["new", "old"] as const) {
    const result = await pins.pin(ROUTE, asked(side));
    assert.deepEqual(result, { ok: true, message: `"acme" of r is pinned to ${side}` });
    assert.equal(room.acting.get("r acme"), side);
    assert.equal(room.onDisk.get("r acme")?.side, side);
  }
  const name = `key ${unitOf("r", "acme")}`;
  assert.deepEqual(
    room.announced.map(({ action, by, reason, from, to }) => ({ action, by, reason, from, to })),
    [
      { action: "pin", by: "operator", reason: "a test", from: `${name}: rules`, to: `${name}: new` },
      { action: "pin", by: "operator", reason: "a test", from: `${name}: new`, to: `${name}: old` },
    ],
  );
  assert.equal(pins.count("r"), 1);
  assert.ok(!JSON.stringify([room.announced, room.logged]).includes("acme"));
});

test("unpin gives the key back to the rules, and may be repeated", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  await pins.pin(ROUTE, asked("new"));
  assert.equal((await pins.unpin("r", "acme", "over")).ok, true);
  assert.deepEqual([room.acting.size, room.onDisk.size, pins.list(null).length], [0, 0, 0]);
  const { ok, ...rest } = await pins.unpin("r", "acme", "over");
  assert.equal(ok, true);
  assert.match(JSON.stringify(rest), /not pinned on r: nothing to unpin/);
  assert.equal(room.announced.length, 2);
});

test("what takes a key back from new acts before it is stored, what may send it there is stored first", async (t) => {
  const kept = [recordOf("on-new", "new"), recordOf("on-old", "old")];
  const { pins, act, room } = pinsFor(t, kept);
  await pins.restore();
  await act();
  const slow = createSlowDisk();
  room.disk = slow.disk;
  const steps: [() => Promise<unknown>, string, Side | undefined, Side | undefined][] = [
    [() => pins.pin(ROUTE, asked("old", "a")), "r a", "old", "old"],
    [() => pins.pin(ROUTE, asked("new", "b")), "r b", undefined, "new"],
    [() => pins.unpin("r", "on-new", "x"), "r on-new", undefined, undefined],
    [() => pins.unpin("r", "on-old", "x"), "r on-old", "old", undefined],
  ];
  for (const [change, id, meanwhile, after] of steps) {
    const changing = change();
    await until("the disk is asked", () => slow.waiting === 1);
    assert.equal(room.acting.get(id), meanwhile, id);
    slow.answerOne();
    await changing;
    assert.equal(room.acting.get(id), after, id);
  }
});

test("a disk that is full: to old acts and is stored later, to new is refused and changes nothing", async (t) => {
  const { pins, act, room } = pinsFor(t, [recordOf("on-old", "old")]);
  await pins.restore();
  await act();
  room.disk = full;
  const toOld = await pins.pin(ROUTE, asked("old"));
  assert.match(JSON.stringify(toOld), /"ok":true.*has not kept it yet/);
  assert.equal(room.acting.get("r acme"), "old");
  for (const result of [await pins.pin(ROUTE, asked("new", "b")), await pins.unpin("r", "on-old", "x")]) {
    assert.equal(result.ok, false);
    assert.match(JSON.stringify(result), /the disk is full/);
  }
  assert.deepEqual(
    [...room.acting],
    [
      ["r on-old", "old"],
      ["r acme", "old"],
    ],
  );
  assert.match(JSON.stringify(await pins.pin(ROUTE, asked("old"))), /already.*has not kept it yet/);
  room.disk = async () => {};
  await until("it is stored", () => room.onDisk.get("r acme")?.side === "old");
  assert.match(JSON.stringify(await pins.pin(ROUTE, asked("old"))), /already"/);
});

test("the last of several changes of a key holds, on disk too, however slow the disk is", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  const slow = createSlowDisk();
  room.disk = slow.disk;
  const first = pins.pin(ROUTE, asked("new"));
  const second = pins.pin(ROUTE, asked("old"));
  await until("both wait", () => slow.waiting === 2);
  slow.answerOne();
  assert.deepEqual(await first, {
    ok: false,
    why: '"acme" was pinned anew or unpinned meanwhile, and that holds',
  });
  slow.answerOne();
  await second;
  assert.deepEqual([room.acting.get("r acme"), room.onDisk.get("r acme")?.side], ["old", "old"]);
  assert.deepEqual(room.told, ["acme old"], "new was never told");
});

test("an unpin behind a pin that is still being stored holds", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  const slow = createSlowDisk();
  room.disk = slow.disk;
  const pinning = pins.pin(ROUTE, asked("new"));
  const unpinning = pins.unpin("r", "acme", "never mind");
  await until("both wait", () => slow.waiting === 2);
  slow.answerOne();
  assert.equal((await pinning).ok, false);
  slow.answerOne();
  assert.equal((await unpinning).ok, true);
  assert.deepEqual([room.acting.size, room.onDisk.size, pins.count("r")], [0, 0, 0]);
});

test("a pin to old behind an unpin that is still being stored stays", async (t) => {
  const { pins, act, room } = pinsFor(t, [recordOf("acme", "old")]);
  await pins.restore();
  await act();
  const slow = createSlowDisk();
  room.disk = slow.disk;
  const unpinning = pins.unpin("r", "acme", "x");
  const pinning = pins.pin(ROUTE, asked("old"));
  await until("both wait", () => slow.waiting === 2);
  slow.answerOne();
  assert.equal((await unpinning).ok, false);
  slow.answerOne();
  await pinning;
  assert.deepEqual([room.acting.get("r acme"), room.onDisk.get("r acme")?.side], ["old", "old"]);
});

test("a pin that could not be stored is not written over what came later", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  room.disk = full;
  await pins.pin(ROUTE, asked("old"));
  room.disk = async () => {};
  assert.equal((await pins.pin(ROUTE, asked("new"))).ok, true);
  const writes = room.announced.length;
  await pins.pin(ROUTE, asked("new", "other"));
  await ticks();
  assert.equal(room.announced.length, writes + 1);
  assert.deepEqual([room.acting.get("r acme"), room.onDisk.get("r acme")?.side], ["new", "new"]);
});

test("a pin with a time ends within a second after it, in the store too, by the operator who gave it", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  const { message } = (await pins.pin(ROUTE, asked("new", "acme", 7_200_000))) as { message: string };
  assert.equal(message, '"acme" of r is pinned to new until 2026-05-01T12:00:00.000Z');
  await pins.pin(ROUTE, asked("old", "forever"));
  room.nowMs += 7_199_999;
  await ticks();
  assert.equal(room.acting.get("r acme"), "new", "not before");
  room.nowMs += 1;
  await until("it is over", () => !room.acting.has("r acme"));
  await until("it is gone from the store", () => !room.onDisk.has("r acme"));
  const { action, by, reason } = room.announced.at(-1) as AuditEntry;
  assert.deepEqual([action, by, reason], ["unpin", "operator", "its time is over (a test)"]);
  assert.equal(room.acting.get("r forever"), "old");
});

test("an expired pin ends also where the disk is full, and is removed from it later", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  await pins.pin(ROUTE, asked("old", "acme", 1_000));
  room.disk = full;
  room.nowMs += 1_000;
  await until("it is over", () => !room.acting.has("r acme"));
  assert.ok(room.onDisk.has("r acme"));
  room.disk = async () => {};
  await until("it is gone from the store", () => !room.onDisk.has("r acme"));
});

test("a restart finds what was pinned; what expired meanwhile does not act, and is removed", async (t) => {
  const kept = [
    recordOf("acme", "new"),
    recordOf("late", "new", { expiresAt: new Date(BEGUN_MS).toISOString() }),
    recordOf("whale", "old", { route: "gone", expiresAt: new Date(BEGUN_MS + 1).toISOString() }),
  ];
  const { pins, act, room } = pinsFor(t, kept);
  await pins.restore();
  await act();
  assert.deepEqual(
    [...room.acting],
    [
      ["r acme", "new"],
      ["gone whale", "old"],
    ],
  );
  assert.equal(pins.of("r").get("acme"), "new");
  assert.equal(pins.of("r").get("late"), undefined);
  await until("it is gone from the store", () => !room.onDisk.has("r late"));
  assert.equal(room.announced.at(-1)?.action, "unpin");
  assert.equal((await pins.unpin("gone", "whale", "x")).ok, true, "also of a route that is gone");
});

test("a pin that makes no sense is refused with what to write", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  const keyless = await pins.pin(routeOf({ key: [] }), asked("old"));
  assert.match(JSON.stringify(keyless), /r has no key.*write key: \[header:x-tenant-id\]/);
  const newless = await pins.pin({ ...ROUTE, new: null }, asked("new"));
  assert.match(JSON.stringify(newless), /r has no new to pin to/);
  assert.equal((await pins.pin({ ...ROUTE, new: null }, asked("old"))).ok, true);
  assert.equal(room.onDisk.size, 1);
});

test("a route takes 10,000 pins and no more; an older one may still change", async (t) => {
  const kept = Array.from({ length: MAX_PINS_PER_ROUTE }, (_, i) => recordOf(`key-${i}`, "old"));
  const { pins, act } = pinsFor(t, kept);
  await pins.restore();
  await act();
  const refused = await pins.pin(ROUTE, asked("old", "one-more"));
  assert.match(JSON.stringify(refused), /has 10000 pins already: unpin some, or list keys in split\.new/);
  assert.equal((await pins.pin(ROUTE, asked("new", "key-7"))).ok, true);
  assert.equal(pins.count("r"), MAX_PINS_PER_ROUTE);
});

test("a store that took a damaged one's place gets every pin", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  await pins.pin(ROUTE, asked("new"));
  await pins.pin(ROUTE, asked("old", "whale"));
  room.onDisk.clear();
  await pins.storeAgain();
  assert.deepEqual([...room.onDisk.keys()].toSorted(), ["r acme", "r whale"]);
});

test("pins are listed newest first, of one route or of all", async (t) => {
  const { pins, act, room } = pinsFor(t);
  await act();
  await pins.pin(ROUTE, asked("new"));
  room.nowMs += 1000;
  await pins.pin(routeOf({ ...ROUTE, name: "s" }), asked("old", "b"));
  assert.deepEqual(
    pins.list(null).map(({ route, key, side, expiresAt }) => [route, key, side, expiresAt]),
    [
      ["s", "b", "old", null],
      ["r", "acme", "new", null],
    ],
  );
  assert.deepEqual(
    pins.list("r").map(({ key }) => key),
    ["acme"],
  );
});
