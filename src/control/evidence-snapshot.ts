/** What is known of a route when a rollback or a promotion is decided, as the audit trail keeps it. */

import { countsOf, evidenceOf } from "../model/detector.ts";
import type { RollbackEvidence } from "../model/reports.ts";
import type { Book } from "./books.ts";

/** Takes the evidence of this moment down; `summary` is one sentence with metric, value, limit and samples. */
export function evidenceOfBook(book: Book, summary: string, rulesVersion: string): RollbackEvidence {
  const { detector } = book;
  const counts = detector === null ? noCounts() : countsOf(detector);
  return {
    summary,
    samples: counts.samples,
    errors: counts.errors,
    evidence: detector === null ? {} : evidenceOf(detector),
    rulesVersion,
  };
}

/** Nothing was counted. */
export const noCounts = () => ({ samples: { old: 0, new: 0 }, errors: { old: 0, new: 0 } });
