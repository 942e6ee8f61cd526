/** Says when shadows or comparisons are shed: once for each route and stretch of ten seconds, not for each one. */

import { type Book, type Books, UNMATCHED } from "./books.ts";
import { shadowCounts } from "./status.ts";

const LOOK_EVERY_MS = 10_000;

export interface Shed {
  readonly shadows: number;
}

export class ShedWatch {
  readonly #timer: NodeJS.Timeout;
  readonly #seen = new WeakMap<Book, number>();

  constructor(books: Books, tell: (route: string, shed: Shed) => void) {
    this.#timer = setInterval(() => this.#look(books, tell), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(books: Books, tell: (route: string, shed: Shed) => void): void {
    for (const book of books.all) {
      const { shed } = shadowCounts(book);
      const shadows = shed - (this.#seen.get(book) ?? 0);
      this.#seen.set(book, shed);
      if (shadows > 0) tell(book.route?.name ?? UNMATCHED, { shadows });
    }
  }
}
