/**
 * Does the guard leave a healthy new alone? Forty simulated days at 1% errors, at 5% and at 50% canary, in even
 * traffic, over a curve of the day, in bursts, with sick keys, and with outages that both sides share:
 * `node bench/false-alarms.ts [days]`. Exits with 1 when there was an alarm.
 */

import { type Batch, createDetector, evidenceOf, observe } from "../src/model/detector.ts";
import { batchOf, failure, flow, guardOf, type Random, seeded } from "../test/model/traffic.ts";

const days = Number(process.argv[2] ?? 40);
if (!(days > 0)) {
  console.error(`days is "${process.argv[2]}": write a number of days above 0, e.g. 40`);
  process.exit(2);
}

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** What comes in one second. */
type Shape = (random: Random, share: number, second: number) => Batch;

const at = (random: Random, share: number, requests: number, fails: number) =>
  flow(random, { requests, share, oldFails: fails, newFails: fails });

/** Once a day new's and old's shares of five thousand sticky keys hold ten that always fail, five times running. */
const sickKeys: Shape = (random, share, second) => {
  const batch = at(random, share, 100, 0.002);
  if (second % 60 !== 0) return batch;
  const unit = Math.floor(second / 60) % 200;
  // The draw of a key is fixed for as long as the share is: by day, so that every day is another draw.
  const isNew = seeded(unit * 7_919 + Math.floor(second / DAY) * 104_729)() < share;
  const side = isNew ? "new" : "old";
  const five = Array.from({ length: 5 }, () =>
    failure(side, { rhoPpm: Math.round(share * 1e6), unit: `key-${unit}` }),
  );
  const { answers, errors } = batch.old;
  const old = isNew ? batch.old : { answers: answers + 5, errors: errors + 5 };
  return batchOf({ ...batch, events: [...batch.events, ...five], old });
};

const SHAPES: Readonly<Record<string, Shape>> = {
  even: (random, share) => at(random, share, 100, 0.01),
  "a day's curve": (random, share, second) =>
    at(random, share, Math.round(60 + 58 * Math.sin(((second % DAY) / DAY) * 2 * Math.PI)), 0.01),
  bursts: (random, share, second) => at(random, share, second % 60 < 2 ? 1_500 : 10, 0.01),
  "hardly any": (random, share) => at(random, share, random() < 0.2 ? 1 : 0, 0.01),
  // An hour apart: a minute of outage, and five minutes of brown-out.
  "outages of both": (random, share, second) => {
    const inHour = second % HOUR;
    const fails = inHour < 60 ? 1 : inHour >= 1_800 && inHour < 2_100 ? 0.3 : 0.01;
    return at(random, share, 100, fails);
  },
  "sick keys": sickKeys,
};

let alarms = 0;
for (const [name, shape] of Object.entries(SHAPES)) {
  for (const share of [0.05, 0.5]) {
    const random = seeded(1);
    let d = createDetector(guardOf(), 0);
    let greatest = 0;
    let own = 0;
    for (let second = 0; second < days * DAY; second += 1) {
      const nowMs = second * 1000;
      const batch = shape(random, share, second);
      const trip = observe(d, batch, nowMs);
      if (batch.events.length > 0) greatest = Math.max(greatest, evidenceOf(d).errors ?? 0);
      if (trip === null) continue;
      own += 1;
      console.log(`  day ${(second / DAY).toFixed(1)}: ${trip.summary}`);
      d = createDetector(guardOf(), nowMs);
    }
    alarms += own;
    console.log(
      `${name}, ${days} days at ${share * 100}% canary: ${own} alarms, greatest evidence ${greatest.toFixed(2)} of 1`,
    );
  }
}
process.exitCode = alarms > 0 ? 1 : 0;
