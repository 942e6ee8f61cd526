import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Books } from "../../src/control/books.ts";
import { Comparisons } from "../../src/control/comparisons.ts";
import { delaysOf, uncomparedOf } from "../../src/control/tallies.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import type { Ticket } from "../../src/model/pair.ts";
import type { Compare, Route, Ruleset } from "../../src/model/ruleset.ts";
import { routeOf } from "../model/rules.ts";
import { until } from "../support/until.ts";
import { createFakeStore, type FakeStore, full } from "./fake-store.ts";
import { compared, difference, match, mismatchAt } from "./findings.ts";

const VERSION = "0123456789ab";

interface Options {
  readonly compare?: Partial<Compare>;
  readonly store?: FakeStore;
}

const route = (changes: Partial<Compare> = {}, name = "profiles"): Route =>
  routeOf({ name, compare: { ...DEFAULT_COMPARE, ...changes } });

async function open(t: TestContext, { compare = {}, store = createFakeStore() }: Options = {}) {
  /** Each look at it as a date takes so long. */
  const clock = { nowMs: 0, costMs: 0 };
  const told: Readonly<Record<string, unknown>>[] = [];
  const said: string[] = [];
  const errors: unknown[] = [];
  const asked: Ticket[] = [];
  let found = 0;
  const books = new Books(1, 0);
  const room = new Comparisons({
    store,
    books,
    nowMs: () => clock.nowMs,
    nowIso: () => {
      clock.nowMs += clock.costMs;
      return new Date(Date.UTC(2026, 4, 1) + clock.nowMs).toISOString();
    },
    confirm: (ticket) => asked.push(ticket),
    found: () => {
      found++;
    },
    tell: (fields) => told.push(fields),
    say: (text) => said.push(text),
    storeFailed: (error) => errors.push(error),
  });
  const follow = (routes: readonly Route[], version = VERSION): void => {
    books.follow(routes, clock.nowMs);
    room.follow({ routes, version } as Ruleset);
  };
  follow([route(compare)]);
  await room.restore();
  t.after(() => room.stop());
  const book = () => books.named("profiles") ?? assert.fail("no book");
  return { room, store, clock, told, said, errors, asked, books, book, follow, found: () => found };
}

test("pairs of a comparison thread that ended before it told of them are uncompared, by route, once", async (t) => {
  const { room, books, book, follow } = await open(t);
  follow([route(), route({}, "orders")]);
  const orders = books.named("orders") ?? assert.fail("no book");
  for (let i = 0; i < 4; i++) book().tile.sendPair();
  orders.tile.sendPair();
  room.take(match());
  room.take(match({ confirms: { ticket: { thread: 0, id: 1 }, afterMs: 1 } }));
  room.lost();
  room.lost();
  assert.deepEqual(book().compared, { match: 1, mismatch: 0, noise: 0, transient: 0, uncompared: 3 });
  assert.equal(uncomparedOf(book()).failed, 3);
  assert.deepEqual([orders.compared.uncompared, uncomparedOf(orders).failed], [1, 1]);
});

test("mismatches are counted by place, largest first, with their share and an example", async (t) => {
  const { room, book, found } = await open(t);
  for (let i = 0; i < 6; i++) room.take(match());
  for (let i = 0; i < 3; i++) room.take(mismatchAt(["$.name"]));
  room.take(mismatchAt(["$.name", "$.items[*].price"]));
  assert.deepEqual(book().compared, { match: 6, mismatch: 4, noise: 0, transient: 0, uncompared: 0 });
  assert.equal(found(), 4);
  const [name, price] = await room.clusters("profiles", 10);
  assert.deepEqual([name?.place, name?.kind, name?.count, name?.share], ["$.name", "value", 4, 1]);
  assert.deepEqual([price?.place, price?.count], ["$.items[*].price", 1]);
  assert.deepEqual(name?.example, { old: '"a"', new: '"b"' });
  assert.deepEqual(await room.clusters("orders", 10), []);
  assert.equal((await room.clusters(null, 1)).length, 1);
});

test("where old differs from itself is shown as noise with its rate, after what is real, and counts as none", async (t) => {
  const { room, book } = await open(t, { compare: { noisePpm: 20_000 } });
  const nonce = { template: "$.nonce", kind: "value" } as const;
  for (let i = 0; i < 50; i++) room.take(mismatchAt(["$.nonce"], { noise: [nonce] }));
  for (let i = 0; i < 150; i++) room.take(match({ noise: [] }));
  for (let i = 0; i < 20; i++) room.take(mismatchAt(["$.nonce"]));
  const before = { ...book().compared };
  room.take(mismatchAt(["$.nonce", "$.name"]));
  room.take(mismatchAt(["$.nonce"]));
  assert.equal(book().compared.mismatch, before.mismatch + 1);
  assert.equal(book().compared.noise, before.noise + 1);
  const places = (await room.clusters(null, 10)).map(({ place, noise }) => [place, noise]);
  assert.deepEqual(places, [
    ["$.name", null],
    ["$.nonce", { rate: 0.25, triples: 200 }],
  ]);
});

test("a mismatch that is equal the second time is transient, with its delay in cluster and histogram", async (t) => {
  const { room, book, asked, found } = await open(t, { compare: { confirmAfterMs: 1_000 } });
  const ticket = { thread: 0, id: 1 };
  room.take(mismatchAt(["$.name"], { ticket }));
  assert.deepEqual(asked, [ticket]);
  assert.equal(book().compared.mismatch, 0, "nothing is final yet");
  room.take(match({ confirms: { ticket, afterMs: 1_200 } }));
  assert.deepEqual(book().compared, { match: 0, mismatch: 0, noise: 0, transient: 1, uncompared: 0 });
  assert.equal(found(), 0);
  const [cluster] = await room.clusters(null, 10);
  assert.deepEqual(cluster?.transient, { count: 1, medianMs: 1_200, maxMs: 1_200 });
  assert.equal(delaysOf(book()).sumSeconds, 1.2);
});

test("a mismatch that stays, could not be asked again, or is noise anyway is final", async (t) => {
  const { room, book, asked, follow } = await open(t, { compare: { confirmAfterMs: 1_000 } });
  const ticket = (id: number) => ({ thread: 0, id });
  room.take(mismatchAt(["$.name"], { ticket: ticket(1) }));
  room.take(mismatchAt(["$.name"], { confirms: { ticket: ticket(1), afterMs: 1_200 } }));
  room.take(mismatchAt(["$.name"], { ticket: ticket(2) }));
  room.unconfirmed(ticket(2));
  room.take(mismatchAt(["$.name"]));
  assert.equal(book().compared.mismatch, 3);
  follow([route({ confirmAfterMs: null })], "other");
  room.take(mismatchAt(["$.name"], { ticket: ticket(3) }));
  assert.equal(book().compared.mismatch, 4, "the rules do not want it any more");
  assert.equal(asked.length, 2);
});

test("why a pair could not be compared is counted", async (t) => {
  const { room, book } = await open(t);
  room.take(compared({ kind: "uncompared", why: "too_deep" }));
  assert.equal(book().compared.uncompared, 1);
  assert.equal(uncomparedOf(book()).too_deep, 1);
});

test("findings of a route that a reload took away are nobody's, and its clusters go from the store", async (t) => {
  const { room, store, clock, follow } = await open(t);
  room.take(mismatchAt(["$.name"]));
  clock.nowMs = 20_000;
  await until("they are stored", () => store.clusterRecords.has("profiles"));
  follow([route({}, "orders")]);
  room.take(mismatchAt(["$.name"]));
  room.take(mismatchAt(["$.name"], { route: "nobody" }));
  assert.deepEqual(await room.clusters(null, 10), []);
  await until("the store has forgotten them", () => !store.clusterRecords.has("profiles"));
});

test("clusters survive a restart; under another comparison they begin anew", async (t) => {
  const store = createFakeStore();
  const first = await open(t, { store });
  for (let i = 0; i < 3; i++) first.room.take(mismatchAt(["$.name"]));
  for (let i = 0; i < 3; i++) first.room.take(match());
  first.room.stop();
  await until("they are stored", () => store.clusterRecords.has("profiles"));

  const again = await open(t, { store, compare: { noisePpm: 20_000, confirmAfterMs: 1_000 } });
  again.room.take(match());
  again.room.take(match());
  const [cluster] = await again.room.clusters(null, 10);
  assert.deepEqual([cluster?.place, cluster?.count, cluster?.share], ["$.name", 3, 3 / 8]);

  again.follow([route({ ignore: ["$.name"] })], "other");
  assert.deepEqual(await again.room.clusters(null, 10), []);
  const other = await open(t, { store, compare: { ignore: ["$.name"] } });
  assert.deepEqual(await other.room.clusters(null, 10), []);
});

test("what was noise before a restart is shown as noise after it, and rules that measure none show none", async (t) => {
  const store = createFakeStore();
  const compare = { noisePpm: 20_000 };
  const first = await open(t, { store, compare });
  const noise = [{ template: "$.nonce", kind: "value" as const }];
  for (let i = 0; i < 300; i++) first.room.take(mismatchAt(["$.nonce", "$.name"], { noise }));
  first.room.stop();
  await until("they are stored", () => store.clusterRecords.has("profiles"));
  const isNoise = async ({ room }: typeof first) =>
    Object.fromEntries((await room.clusters(null, 10)).map((each) => [each.place, each.noise !== null]));
  assert.deepEqual(await isNoise(await open(t, { store, compare })), { "$.name": false, "$.nonce": true });
  assert.deepEqual(await isNoise(await open(t, { store })), { "$.name": false, "$.nonce": false });
});

test("what is stored of clusters and is not to be read restores nothing", async (t) => {
  const store = createFakeStore();
  const first = await open(t, { store });
  first.room.take(mismatchAt(["$.name"]));
  first.room.stop();
  await until("they are stored", () => store.clusterRecords.has("profiles"));
  const record = store.clusterRecords.get("profiles") ?? assert.fail();
  for (const clusters of ["", "{", "[]", '{"version":1}', '{"version":99,"clusters":[]}']) {
    store.clusterRecords.set("profiles", { ...record, clusters });
    const { room, errors } = await open(t, { store });
    assert.deepEqual(await room.clusters(null, 10), [], clusters);
    assert.deepEqual(errors, []);
  }
});

test("clusters whose places fold into one bring their samples along", async (t) => {
  const store = createFakeStore();
  const merges: (readonly [readonly string[], string])[] = [];
  store.mergeClusterSamples = async (from, to) => {
    merges.push([from, to]);
  };
  const { room } = await open(t, { store });
  for (let i = 0; i < 80; i++) room.take(mismatchAt([`$.users.name${i}`]));
  const [cluster, ...others] = await room.clusters(null, 10);
  assert.deepEqual([cluster?.place, cluster?.count, others.length], ["$.users[*]", 80, 0]);
  assert.ok(merges.length > 0);
  assert.ok(merges.every(([from, to]) => to === cluster?.id && from.length > 0));
});

test("a place where old and new had not differed before is told once, without values, and never for noise", async (t) => {
  const { room, told, clock } = await open(t, { compare: { noisePpm: 20_000 } });
  const noise = [{ template: "$.nonce", kind: "value" as const }];
  for (let i = 0; i < 100; i++) room.take(mismatchAt(["$.nonce", "$.name"], { noise }));
  assert.deepEqual(told, [], "nobody knows yet what is noise");
  for (let i = 0; i < 300; i++) room.take(mismatchAt(["$.nonce", "$.name"], { noise }));
  assert.equal(told.length, 1);
  const { cluster, ...fields }: Readonly<Record<string, unknown>> = told[0] ?? {};
  assert.match(String(cluster), /^[0-9a-f]{12}$/);
  assert.deepEqual(fields, { route: "profiles", place: "$.name", kind: "value", requestId: "r1" });
  for (let i = 0; i < 40; i++) room.take(mismatchAt([`$.f${i}`]));
  assert.equal(told.length, 10, "in one minute");
  clock.nowMs = 60_000;
  room.take(mismatchAt(["$.another"]));
  assert.equal(told.length, 11);
});

test("rules that redact more remove what is stored, and keep what was under way from being stored", async (t) => {
  const store = createFakeStore();
  const { room, follow, said, book } = await open(t, { store });
  room.take(mismatchAt(["$.name"]));
  follow([route({ redact: { paths: ["$.email"], headers: [], query: [] } })], "stricter");
  await until("they are removed", () => store.dropped.length > 0);
  assert.deepEqual(store.dropped, [["profiles"]]);
  await until("it is said", () => said.length > 0);
  assert.match(said.join(), /samples stored for profiles are removed \(1\): the rules redact more now/);

  room.take(mismatchAt(["$.name"], { requestId: "late" }));
  assert.equal(book().compared.mismatch, 2, "it counts");
  assert.deepEqual(await room.clusters(null, 10), [], "and leaves no text behind");
  room.take(mismatchAt(["$.name"], { requestId: "redacted", rulesVersion: "stricter" }));
  follow([route({ redact: { paths: [], headers: [], query: [] } })], "looser");
  room.take(mismatchAt(["$.city"], { requestId: "after", rulesVersion: "looser" }));
  room.stop();
  await until("samples are stored", () => store.groups.length > 0);
  assert.deepEqual(
    store.groups.flat().map(({ requestId }) => requestId),
    ["redacted", "after"],
  );
  assert.equal(store.dropped.length, 1);
});

test("what was counted since the clusters began is known, and begins anew with them", async (t) => {
  const { room, follow, clock } = await open(t);
  const at = (ms: number): string => new Date(Date.UTC(2026, 4, 1) + ms).toISOString();
  room.take(match());
  room.take(mismatchAt(["$.name"]));
  assert.deepEqual(room.since("profiles"), { at: at(0), compared: 2, mismatches: 1 });
  assert.equal(room.since("orders"), undefined);
  clock.nowMs = 5_000;
  follow([route({ confirmAfterMs: 1_000 })], "same");
  assert.deepEqual(room.since("profiles"), { at: at(0), compared: 2, mismatches: 1 });
  follow([route({ ignore: ["$.name"] })], "other");
  assert.deepEqual(room.since("profiles"), { at: at(5_000), compared: 0, mismatches: 0 });
  assert.deepEqual(await room.clusters("profiles", 10), []);
  room.take(match({ rulesVersion: "other" }));
  assert.deepEqual(room.since("profiles"), { at: at(5_000), compared: 1, mismatches: 0 });
});

test("pairs that were compared by other rules teach and count nothing once these are changed", async (t) => {
  const { room, book, follow, asked } = await open(t, { compare: { noisePpm: 20_000 } });
  const before = { ...route({ noisePpm: 20_000 }) };
  const noise = [{ template: "$.nonce", kind: "value" as const }];
  follow([route({ noisePpm: 20_000, confirmAfterMs: 1000 })], "same");
  const ticket = { thread: 0, id: 1 };
  room.take(mismatchAt(["$.city"], { ticket }));
  assert.deepEqual(asked, [ticket], "another wait changes nothing about what differs");
  follow([route({ noisePpm: 20_000, ignore: ["$.nonce"] })], "other");
  room.take(mismatchAt(["$.nonce"], { noise }));
  room.take(match({ noise, rulesVersion: "same" }));
  room.take(match({ confirms: { ticket, afterMs: 1000 } }));
  assert.equal(book().docket.noise?.triples, 0);
  assert.deepEqual(book().compared, { match: 0, mismatch: 0, noise: 0, transient: 0, uncompared: 0 });
  room.take(mismatchAt(["$.name"], { noise: [], rulesVersion: "other" }));
  assert.equal(book().docket.noise?.triples, 1);
  follow([before], "back");
  room.take(match({ rulesVersion: "other" }));
  room.take(match({ rulesVersion: "back" }));
  assert.equal(book().docket.pairs, 1);
});

test("a flood of pairs that differ in a hundred places each takes a bounded part of every second", async (t) => {
  const { room, book, clock } = await open(t);
  const differences = Array.from({ length: 100 }, (_, i) => difference(`$.a${i % 7}.b${i}`));
  const pair = compared({ kind: "mismatch", differences });
  clock.costMs = 5; // stands in for the time that its clusters take
  for (let i = 0; i < 300; i++) room.take(pair);
  assert.equal(book().compared.mismatch, 300, "every pair is judged");
  assert.ok(clock.nowMs < 500, `${clock.nowMs} ms`);
  const [cluster] = await room.clusters(null, 1);
  assert.ok((cluster?.count ?? 0) > 10 && (cluster?.count ?? 0) < 100, `${cluster?.count} pairs`);
  assert.equal(cluster?.share, 1, "of those that were looked at");
});

test("a store that fails costs the clusters' memory and nothing else", async (t) => {
  const store = createFakeStore();
  const { room, clock, errors, book } = await open(t, { store });
  store.disk = full;
  room.take(mismatchAt(["$.name"]));
  clock.nowMs = 20_000;
  await until("it is said", () => errors.length > 0);
  room.take(mismatchAt(["$.name"]));
  assert.equal(book().compared.mismatch, 2);
  assert.equal((await room.clusters(null, 10))[0]?.count, 2);
});
