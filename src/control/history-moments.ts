/** What each route has done since the last look, read off the books. */

import { SLICE } from "../board/layout.ts";
import { evidenceOf } from "../model/detector.ts";
import { MAX_ROUTES } from "../model/history.ts";
import { COLUMN, COUNT_COLUMNS, createMoment, METRICS, type Moment } from "../model/history-moment.ts";
import { WHOLE_PPM } from "../model/ruleset.ts";
import type { Book, Books } from "./books.ts";
import { comparisonCounts, requestsOf } from "./status.ts";

/** Reads the books, and remembers how far it had read. */
export class MomentReader {
  readonly #books: Books;
  /** Counts of the last look; of a book that is new, nothing was counted before it. */
  readonly #seen = new WeakMap<Book, Moment>();

  constructor(books: Books) {
    this.#books = books;
  }

  /** By route, in the rules' order. */
  read(nowMs: number): ReadonlyMap<string, Moment> {
    const moments = new Map<string, Moment>();
    for (const book of this.#books.all) {
      if (moments.size === MAX_ROUTES) break;
      if (book.route !== null) moments.set(book.route.name, this.#sinceLast(book, nowMs));
    }
    return moments;
  }

  #sinceLast(book: Book, nowMs: number): Moment {
    const moment = standingOf(book, nowMs);
    const seen = this.#seen.get(book);
    this.#seen.set(book, moment.slice());
    if (seen === undefined) return moment;
    // Never below 0: a count that was taken back would be a huge one.
    for (let column = 0; column < COUNT_COLUMNS; column++)
      moment[column] = Math.max(0, (moment[column] as number) - (seen[column] as number));
    return moment;
  }
}

/** With the counts since the start. */
function standingOf(book: Book, nowMs: number): Moment {
  const { account, tile, route, detector } = book;
  const moment = createMoment();
  const counts = comparisonCounts(book);
  moment[COLUMN.requestsOld] = requestsOf(book, "old");
  moment[COLUMN.requestsNew] = requestsOf(book, "new");
  moment[COLUMN.errorsOld] = account.total(SLICE.errors);
  moment[COLUMN.errorsNew] = account.total(SLICE.errors + 1);
  for (const kind of ["match", "mismatch", "noise", "transient", "uncompared"] as const)
    moment[COLUMN[kind]] = counts[kind];
  const old = account.latencyMs("old", nowMs);
  const fresh = account.latencyMs("new", nowMs);
  moment[COLUMN.p50Old] = old?.p50 ?? Number.NaN;
  moment[COLUMN.p99Old] = old?.p99 ?? Number.NaN;
  moment[COLUMN.p50New] = fresh?.p50 ?? Number.NaN;
  moment[COLUMN.p99New] = fresh?.p99 ?? Number.NaN;
  moment[COLUMN.canary] = tile.latched ? 0 : tile.canaryPpm(route?.canary.sharePpm ?? 0) / WHOLE_PPM;
  moment[COLUMN.shadow] = tile.shadowPpm(route?.shadow.sharePpm ?? 0) / WHOLE_PPM;
  moment[COLUMN.latched] = tile.latched ? 1 : 0;
  if (detector === null) return moment;
  const evidence = evidenceOf(detector);
  for (const metric of METRICS) moment[COLUMN[metric]] = evidence[metric] ?? Number.NaN;
  return moment;
}
