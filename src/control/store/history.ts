/** The table of history: a row a stretch of time, with all routes in it. Its size has an end. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { z } from "zod";
import type { AuditEntry } from "../../model/reports.ts";
import type { HistoryRecord, StoredHistory } from "../store-types.ts";
import { auditOf } from "./rows.ts";

/** Rows of each resolution, in seconds: six hours of minutes, two days of five minutes. */
const MAX_ROWS: ReadonlyMap<number, number> = new Map([
  [60, 360],
  [300, 576],
]);
const MAX_BYTES = 64 * 1024 * 1024;
/** Of one answer of `page`: the control thread reads them, and must not stand still for it. */
const MAX_PAGE_BYTES = 256 * 1024;

/** Lines of the audit trail that explain a change in the charts. */
const MARKING: ReadonlySet<string> = new Set([
  "reload",
  "promote",
  "pause",
  "resume",
  "rollback",
  "reset",
  "completed",
]);
/** Of a route, and of the whole gateway. */
const MAX_MARKERS = 500;

const row = z.object({
  id: z.int(),
  resolution_seconds: z.int().positive(),
  first_look: z.int().nonnegative(),
  end_look: z.int().nonnegative(),
  at: z.iso.datetime(),
  seconds: z.number().positive(),
  format: z.int(),
  routes_json: z.string(),
});

/** Reads and writes `history`; transactions are the caller's. */
export class HistoryTable {
  readonly #insert: StatementSync;
  readonly #dropOld: StatementSync;
  readonly #dropSurplus: StatementSync;
  readonly #after: StatementSync;
  readonly #ofRoute: StatementSync;
  readonly #ofGateway: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      `INSERT INTO history (resolution_seconds, first_look, end_look, at, seconds, format, bytes, routes_json)
       VALUES (:resolution_seconds, :first_look, :end_look, :at, :seconds, :format, :bytes, :routes_json)`,
    );
    this.#dropOld = database.prepare(
      `DELETE FROM history WHERE resolution_seconds = :resolution AND id <= (
         SELECT id FROM history WHERE resolution_seconds = :resolution ORDER BY id DESC LIMIT 1 OFFSET :rows
       )`,
    );
    this.#dropSurplus = database.prepare(
      `DELETE FROM history WHERE id IN (
         SELECT id FROM (
           SELECT id, sum(bytes) OVER (ORDER BY id DESC) AS total FROM history INDEXED BY history_bytes
         ) WHERE total > :bytes
       )`,
    );
    this.#after = database.prepare("SELECT * FROM history WHERE id > ? ORDER BY id");
    this.#ofRoute = database.prepare("SELECT * FROM audit WHERE route = ? ORDER BY id DESC");
    this.#ofGateway = database.prepare("SELECT * FROM audit WHERE route IS NULL ORDER BY id DESC");
  }

  add(records: readonly HistoryRecord[]): void {
    for (const { resolution, from, to, at, seconds, format, routes } of records)
      this.#insert.run({
        resolution_seconds: resolution,
        first_look: from,
        end_look: to,
        at,
        seconds,
        format,
        bytes: Buffer.byteLength(routes),
        routes_json: routes,
      });
    // By number, not by age: a clock that was wrong for a minute must not clear it.
    for (const [resolution, rows] of MAX_ROWS) this.#dropOld.run({ resolution, rows });
    this.#dropSurplus.run({ bytes: MAX_BYTES });
  }

  /** The oldest ones after `id`, some 256 KiB; those that do not parse have no record. */
  page(id: number): readonly StoredHistory[] {
    const page: StoredHistory[] = [];
    let bytes = 0;
    for (const found of this.#after.iterate(id)) {
      page.push(storedOf(found));
      bytes += Number(found.bytes);
      if (bytes >= MAX_PAGE_BYTES) break;
    }
    return page;
  }

  /** Oldest first: what happened to a route and to the whole gateway since then, the newest few hundred of it. */
  markers(route: string, sinceMs: number): readonly AuditEntry[] {
    const found = [
      ...newest(this.#ofRoute.iterate(route), sinceMs),
      ...newest(this.#ofGateway.iterate(), sinceMs),
    ];
    return found.sort((a, b) => a.id - b.id);
  }
}

function newest(rows: Iterable<unknown>, sinceMs: number): AuditEntry[] {
  const found: AuditEntry[] = [];
  let looked = 0;
  for (const each of rows) {
    const entry = auditOf(each);
    if (Date.parse(entry.at) < sinceMs || ++looked > MAX_MARKERS) break;
    if (MARKING.has(entry.action)) found.push(entry);
  }
  return found;
}

function storedOf(found: Readonly<Record<string, unknown>>): StoredHistory {
  const parsed = row.safeParse(found);
  if (!parsed.success) return { id: Number(found.id), record: null };
  const { id, resolution_seconds, first_look, end_look, at, seconds, format, routes_json } = parsed.data;
  const record = { resolution: resolution_seconds, from: first_look, to: end_look, at, seconds, format };
  return { id, record: { ...record, routes: routes_json } };
}
