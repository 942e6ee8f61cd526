/** One answer of the API for a view: asked as it opens, and again now and then while it is seen. */

import { useEffect, useState } from "preact/hooks";
import { wordsOf } from "./client.ts";
import { useRoom } from "./room.ts";

export interface Asked<T> {
  /** The last answer; null: none yet. */
  readonly value: T | null;
  /** Why the last question had no answer; null: it had. */
  readonly trouble: string | null;
}

/** `everyMs` null: once. */
export function useAsked<T>(path: string, everyMs: number | null): Asked<T> {
  const { client } = useRoom();
  const [asked, setAsked] = useState<Asked<T>>({ value: null, trouble: null });
  useEffect(() => {
    let isOver = false;
    const ask = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        const value = await client.get<T>(path);
        if (!isOver) setAsked({ value, trouble: null });
      } catch (error) {
        if (!isOver) setAsked(({ value }) => ({ value, trouble: wordsOf(error) }));
      }
    };
    void ask();
    const timer = everyMs === null ? undefined : setInterval(ask, everyMs);
    document.addEventListener("visibilitychange", ask);
    return () => {
      isOver = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [client, path, everyMs]);
  return asked;
}
