/** A value that components follow. */

import { useEffect, useState } from "preact/hooks";

export interface Cell<T> {
  get(): T;
  set(next: T): void;
  /** Returns the function that stops it. */
  subscribe(listener: () => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value now, and a new rendering with each further one. */
export function useCell<T>(source: Cell<T>): T {
  const [, redraw] = useState({});
  useEffect(() => source.subscribe(() => redraw({})), [source]);
  return source.get();
}
