/** Somebody who chooses keys can give new alone what fails anywhere; a trip takes failures that are new's alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDetector, evidenceOf, observe, type Trip } from "../../src/model/detector.ts";
import { type Batch, type FailureEvent, METRIC_OF } from "../../src/model/observation.ts";
import { batchOf, binomial, failure, guardOf, median, type Random, seeded } from "./traffic.ts";

const WHOLE = 1_000_000;

interface Clients {
  readonly kind: "error" | "client-error";
  readonly sharePpm: number;
  /** Of all requests, what both sides answer with 4xx, or fail at. */
  readonly absent: number;
  /** Of new's answers besides, where old answers well. */
  readonly wrong: number;
  /** Requests a second of that sort, with keys that land on new, each another. */
  readonly attack?: number;
  /** Old is asked about new's failures. */
  readonly asks: boolean;
  readonly ratio?: number;
}

const PER_LOOK = 10;

/** A tenth of a second at 100 requests a second. */
function look(
  random: Random,
  { kind, sharePpm, absent, wrong, attack = 0, asks }: Clients,
  at: number,
): Batch {
  const toNew = binomial(random, PER_LOOK, sharePpm / WHOLE);
  const toOld = PER_LOOK - toNew;
  const shared = binomial(random, toNew, absent);
  const own = binomial(random, toNew - shared, wrong);
  const ofOld = binomial(random, toOld, absent);
  const attacks = Math.round(attack / 10);
  const event = (side: "old" | "new", unit: string | null = null): FailureEvent =>
    failure(side, { kind, rhoPpm: sharePpm, unit });
  const alone = Array.from({ length: own }, () => event("new"));
  return batchOf({
    sharePpm,
    cleanNew: kind === "error" ? toNew - shared - own : toNew + attacks,
    events: [
      ...Array.from({ length: ofOld }, () => event("old")),
      ...Array.from({ length: shared }, () => event("new")),
      ...alone,
      ...Array.from({ length: attacks }, (_, i) => event("new", `key ${at}/${i}`)),
    ],
    old: { answers: toOld, errors: kind === "error" ? ofOld : 0 },
    ...(asks ? { alone } : {}),
  });
}

interface Seen {
  readonly trip: Trip | null;
  /** Requests, those of the attack left out. */
  readonly requests: number;
  readonly evidence: number;
}

function watch(seed: number, clients: Clients, most: number): Seen {
  const random = seeded(seed);
  const ratio = clients.ratio ?? 2;
  const d = createDetector(guardOf({ errors: { maxRate: 0.05, ratio } }), 0);
  for (let at = 1; at * PER_LOOK <= most; at += 1) {
    const trip = observe(d, look(random, clients, at), at * 100);
    if (trip !== null) return { trip, requests: at * PER_LOOK, evidence: 1 };
  }
  return {
    trip: null,
    requests: Number.POSITIVE_INFINITY,
    evidence: evidenceOf(d)[METRIC_OF[clients.kind]] ?? 0,
  };
}

const runs = (clients: Clients, most: number): number[] =>
  Array.from({ length: 25 }, (_, i) => watch(i * 7919 + 1, clients, most).requests);

for (const kind of ["client-error", "error"] as const) {
  for (const sharePpm of [50_000, 500_000, WHOLE]) {
    test(`${kind}s of both, asked for with keys that land on new, move nothing at ${sharePpm / 1e4}%`, () => {
      const clients = { kind, sharePpm, absent: 0.02, wrong: 0, attack: 200, asks: true };
      const { trip, evidence } = watch(5, clients, 20_000);
      assert.equal(trip?.summary, undefined);
      assert.ok(evidence < 0.3, `${evidence}`);
      const unasked = watch(5, { ...clients, asks: false }, 20_000);
      assert.equal(unasked.trip?.metric, METRIC_OF[kind], "or else they would");
    });
  }

  test(`nor does such a flood hide ${kind}s that are new's alone`, () => {
    const clients = { kind, sharePpm: 50_000, absent: 0.02, wrong: 0.3, asks: true };
    const calm = median(runs(clients, 20_000));
    const flooded = median(runs({ ...clients, attack: 200 }, 20_000));
    assert.ok(flooded <= calm, `${flooded} against ${calm} requests`);
  });

  for (const [sharePpm, absent, wrong, longer] of [
    [50_000, 0.001, 1, 1],
    [50_000, 0.01, 0.5, 1.1],
    [50_000, 0.01, 0.1, 1.1],
    [50_000, 0.05, 0.15, 1.3],
    [WHOLE, 0.01, 0.8, 1.1],
  ] as const) {
    const what = `${wrong * 100}% of new's own where ${absent * 100}% fail anywhere, at ${sharePpm / 1e4}%`;
    test(`true ${kind}s hardly wait for old's word: ${what}`, () => {
      const clients = { kind, sharePpm, absent, wrong, asks: false };
      const before = median(runs(clients, 200_000));
      const now = median(runs({ ...clients, asks: true }, 200_000));
      assert.ok(now <= before * longer, `${now} against ${before} requests`);
    });
  }

  test(`asking can only hold a trip by ${kind}s back: whatever trips with it has tripped without`, () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seeded(seed);
      const clients = {
        kind,
        sharePpm: Math.round((0.01 + random() * 0.99) * WHOLE),
        absent: random() * 0.1,
        wrong: random() * 0.2,
        attack: random() < 0.5 ? 0 : Math.round(random() * 100),
        ratio: 1.01 + random() * 3,
      };
      const without = watch(seed, { ...clients, asks: false }, 5_000).requests;
      assert.ok(watch(seed, { ...clients, asks: true }, 5_000).requests >= without);
    }
  });
}

test("new's own that comes a look later than the 4xx trips when it comes", () => {
  const d = createDetector(guardOf(), 0);
  const events = Array.from({ length: 30 }, (_, i) =>
    failure("new", { kind: "client-error", unit: `key ${i}` }),
  );
  assert.equal(observe(d, batchOf({ cleanNew: 30, events, alone: [] }), 100), null);
  assert.equal(evidenceOf(d)["client-errors"], 0);
  const trip = observe(d, batchOf({ alone: events }), 200);
  assert.equal(trip?.metric, "client-errors");
  assert.match(trip?.summary ?? "", /30 of 30 answers of new were 4xx/);
});

test("a key counts once among those that are new's alone too", () => {
  const d = createDetector(guardOf(), 0);
  const events = Array.from({ length: 30 }, () => failure("new", { kind: "client-error", unit: null }));
  const alone = Array.from({ length: 30 }, () => failure("new", { kind: "client-error", unit: "one" }));
  assert.equal(observe(d, batchOf({ cleanNew: 30, events, alone: alone }), 100), null);
  assert.ok((evidenceOf(d)["client-errors"] ?? 1) < 0.5);
});
