/**
 * Does the guard leave a healthy new alone? Forty simulated days at 1% errors, at 5% and at 50% canary:
 * `node bench/false-alarms.ts [days]`. Exits with 1 when there was an alarm.
 */

import { createDetector, evidenceOf, observe } from "../src/model/detector.ts";
import { flow, guardOf, seeded } from "../test/model/traffic.ts";

const days = Number(process.argv[2] ?? 40);
if (!(days > 0)) {
  console.error(`days is "${process.argv[2]}": write a number of days above 0, e.g. 40`);
  process.exit(2);
}

let alarms = 0;
for (const share of [0.05, 0.5]) {
  const random = seeded(1);
  let d = createDetector(guardOf(), 0);
  let greatest = 0;
  for (let second = 0; second < days * 86_400; second += 1) {
    const nowMs = second * 1000;
    const trip = observe(d, flow(random, { requests: 100, share, oldFails: 0.01, newFails: 0.01 }), nowMs);
    greatest = Math.max(greatest, evidenceOf(d).errors ?? 0);
    if (trip === null) continue;
    alarms += 1;
    console.log(`day ${(second / 86_400).toFixed(1)}: ${trip.summary}`);
    d = createDetector(guardOf(), nowMs);
  }
  console.log(
    `${days} days at ${share * 100}% canary: ${alarms} alarms, greatest evidence ${greatest.toFixed(2)} of 1`,
  );
}
process.exitCode = alarms > 0 ? 1 : 0;
