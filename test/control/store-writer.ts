/** Child process of the kill -9 test: writes until it is killed, and prints what was acknowledged. */

import { writeSync } from "node:fs";
import { StateDatabase } from "../../src/control/store/database.ts";
import { auditEntry, latchRecord, sample } from "./store-fixtures.ts";

const [folder = "", round = "0"] = process.argv.slice(2);
const database = new StateDatabase(folder);
if (database.health.kind === "damaged") throw new Error(database.health.why);
for (let count = 1; ; count += 1) {
  const revision = Number(round) * 1_000_000 + count;
  const entry = database.latch(latchRecord("profiles", { revision }), auditEntry("profiles", `r${round}`));
  writeSync(1, `${JSON.stringify({ revision, audit: entry.id })}\n`);
  if (count % 5 === 0) database.addSamples([sample(`${revision}`, {}, 20_000)]);
}
