/** The checksum over all latches that schemas 1 to 4 had in place of the seals of seals.ts. */

import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { LatchRecord } from "../store-types.ts";
import { latchValues } from "./rows.ts";

/** Its row in `meta`. */
const NAME = "latches.sha256";

/** Why the latches are not those of an old database's checksum, as a clause; undefined where they are. Only reads. */
export function checksumTrouble(database: DatabaseSync, latches: readonly LatchRecord[]): string | undefined {
  const found = database.prepare("SELECT value FROM meta WHERE name = ?").get(NAME)?.value;
  return found === checksumOf(latches) ? undefined : "its table latches does not match its checksum";
}

/** SHA-256 of all latches, in hexadecimal. */
export function checksumOf(latches: readonly LatchRecord[]): string {
  const lines = latches.map((latch) => JSON.stringify(latchValues(latch))).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}
