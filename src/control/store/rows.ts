/** Rows of the tables and the records they stand for. A row that does not parse means a damaged store. */

import { z } from "zod";
import type { AuditEntry, MismatchSample } from "../../model/reports.ts";
import type { ClusterRecord, LatchRecord, NewAuditEntry, NewSample } from "../store-types.ts";

/** What node:sqlite reads and binds; our columns are texts, whole numbers and nulls only. */
export type Value = string | number | null;

export const instant = z.string().refine((text) => !Number.isNaN(Date.parse(text)), "not a time");
export const actor = z.enum(["operator", "guard", "rollout", "rules", "gateway"]);
const perSide = z.object({ old: z.number(), new: z.number() });
export const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue("not JSON");
        return z.NEVER;
      }
    })
    .pipe(schema);

const evidence = z.object({
  summary: z.string(),
  samples: perSide,
  errors: perSide,
  evidence: z.record(z.string(), z.number()),
  rulesVersion: z.string(),
});

const latchRow = z.object({
  route: z.string().min(1),
  cause: z.string(),
  at: instant,
  actor,
  reason: z.string(),
  evidence_json: json(evidence),
  revision: z.int(),
});

const auditRow = z.object({
  id: z.int().positive(),
  at: instant,
  route: z.string().nullable(),
  action: z.string(),
  actor,
  reason: z.string(),
  from_value: z.string().nullable(),
  to_value: z.string().nullable(),
  evidence_json: json(evidence).nullable().default(null), // schema 2 had none
});

const answer = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable(),
  whole: z.boolean().default(false), // schema 1 did not say
  tree: z.literal(true).exactOptional(),
  bodyBytes: z.int(),
});

const difference = z
  .object({
    place: z.string(),
    template: z.string().optional(), // schema 1 had none
    kind: z.enum(["missing", "added", "type", "value", "order", "status", "header", "body"]),
    old: z.string().nullable(),
    new: z.string().nullable(),
    relation: z.string().nullable().default(null),
  })
  .transform(({ place, template = place, ...rest }) => ({ place, template, ...rest }));

const sampleRow = z.object({
  id: z.int().positive(),
  at: instant,
  route: z.string(),
  request_id: z.string(),
  method: z.string(),
  target: z.string(),
  differences_json: json(z.array(difference)),
  old_json: json(answer),
  new_json: json(answer),
  rules_version: z.string().default(""),
  request_headers_json: json(z.record(z.string(), z.string())).default({}),
  /** From another table; see samples.ts. */
  clusters_json: json(z.array(z.string())).default([]),
});

const clusterRow = z.object({
  route: z.string(),
  at: instant,
  compare_sha256: z.string(),
  clusters_json: z.string(),
});

/** Parses a row of `latches`; throws a ZodError where it is not one. */
export function latchOf(row: unknown): LatchRecord {
  const { actor: by, evidence_json: evidence, ...rest } = latchRow.parse(row);
  return { ...rest, by, evidence };
}

/** Parses a row of `audit`; throws a ZodError where it is not one. */
export function auditOf(row: unknown): AuditEntry {
  const { actor: by, from_value: from, to_value: to, ...rest } = auditRow.parse(row);
  return {
    id: rest.id,
    at: rest.at,
    route: rest.route,
    action: rest.action,
    by,
    reason: rest.reason,
    from,
    to,
    evidence: rest.evidence_json,
  };
}

/** Parses a row of `samples`; throws a ZodError where it is not one. */
export function sampleOf(row: unknown): MismatchSample {
  const parsed = sampleRow.parse(row);
  const { id, at, route, method, target } = parsed;
  return {
    id,
    at,
    route,
    rulesVersion: parsed.rules_version,
    clusters: parsed.clusters_json,
    requestId: parsed.request_id,
    method,
    target,
    requestHeaders: parsed.request_headers_json,
    differences: parsed.differences_json,
    old: parsed.old_json,
    new: parsed.new_json,
  };
}

/** Parses a row of `clusters`; throws a ZodError where it is not one. Whether its JSON says anything, its reader finds. */
export function clustersOf(row: unknown): ClusterRecord {
  const { route, at, compare_sha256: compareSha256, clusters_json: clusters } = clusterRow.parse(row);
  return { route, at, compareSha256, clusters };
}

/** Named parameters for an insert into `latches`. */
export function latchValues(latch: LatchRecord): Record<string, Value> {
  const { route, cause, at, by, reason, evidence, revision } = latch;
  return whole({ route, cause, at, actor: by, reason, evidence_json: JSON.stringify(evidence), revision });
}

/** Named parameters for an insert into `audit`. */
export function auditValues(entry: NewAuditEntry): Record<string, Value> {
  const { at, route, action, by, reason, from, to } = entry;
  const evidence_json = entry.evidence === null ? null : JSON.stringify(entry.evidence);
  return whole({ at, route, action, actor: by, reason, from_value: from, to_value: to, evidence_json });
}

/** Named parameters for an insert into `samples`; `bytes` is what counts against the cap. */
export function sampleValues(sample: NewSample): Record<string, Value> {
  const texts = {
    at: sample.at,
    route: sample.route,
    request_id: sample.requestId,
    method: sample.method,
    target: sample.target,
    differences_json: JSON.stringify(sample.differences),
    old_json: JSON.stringify(sample.old),
    new_json: JSON.stringify(sample.new),
    rules_version: sample.rulesVersion,
    request_headers_json: JSON.stringify(sample.requestHeaders),
  };
  let bytes = 0;
  for (const text of Object.values(texts)) bytes += Buffer.byteLength(text);
  return whole({ ...texts, bytes });
}

/** Named parameters for an insert into `clusters`. */
export function clusterValues({ route, at, compareSha256, clusters }: ClusterRecord): Record<string, Value> {
  return whole({ route, at, compare_sha256: compareSha256, clusters_json: clusters });
}

/** Half surrogates have no UTF-8: without this a text would read back differently from what was sealed. */
export function whole(values: Record<string, Value>): Record<string, Value> {
  const result: Record<string, Value> = {};
  for (const [name, value] of Object.entries(values)) {
    result[name] = typeof value === "string" ? value.toWellFormed() : value;
  }
  return result;
}
