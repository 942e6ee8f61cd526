/** Records and folders for the tests of the store. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { checksumOf } from "../../src/control/store/latch-checksum.ts";
import type { LatchRecord, NewAuditEntry, NewSample } from "../../src/control/store-types.ts";

/** A folder that is removed when the test ends. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cutover-store-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function latchRecord(route: string, more: Partial<LatchRecord> = {}): LatchRecord {
  return {
    route,
    cause: "errors",
    at: "2026-05-01T10:00:00.000Z",
    by: "guard",
    reason: "too many errors",
    evidence: {
      summary: "errors 30/100 new vs 1/100 old",
      samples: { old: 100, new: 100 },
      errors: { old: 1, new: 30 },
      evidence: { errors: 1.5 },
      rulesVersion: "0123456789ab",
    },
    revision: 1,
    ...more,
  };
}

export function auditEntry(route: string | null, action = "rollback"): NewAuditEntry {
  return {
    at: "2026-05-01T10:00:00.000Z",
    route,
    action,
    by: "operator",
    reason: "because",
    from: null,
    to: "old",
    evidence: null,
  };
}

/** Takes the seals out of a database of today: before schema 5 there was a checksum over all latches instead. */
export function withoutSeals(database: DatabaseSync, latches: readonly LatchRecord[]): void {
  database.exec("DELETE FROM meta WHERE name LIKE 'seal.%'; PRAGMA user_version = 4");
  database.prepare("INSERT INTO meta VALUES ('latches.sha256', ?)").run(checksumOf(latches));
}

/** All samples, without bodies. */
export const ALL = { route: null, cluster: null, bodies: false } as const;

/** A sample whose two bodies have `bodyBytes` characters each. */
export function sample(requestId: string, more: Partial<NewSample> = {}, bodyBytes = 10): NewSample {
  const body = "b".repeat(bodyBytes);
  return {
    at: new Date().toISOString(),
    route: "profiles",
    rulesVersion: "0123456789ab",
    clusters: [`of ${requestId}`],
    requestId,
    method: "GET",
    target: "/profiles/1",
    requestHeaders: { accept: "application/json" },
    differences: [{ place: "$.name", template: "$.name", kind: "value", old: "a", new: "b", relation: null }],
    old: { status: 200, headers: { "content-type": "application/json" }, body, whole: true, bodyBytes },
    new: { status: 200, headers: {}, body: null, whole: false, bodyBytes },
    ...more,
  };
}
