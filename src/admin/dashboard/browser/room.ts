/** What every view may use: the API, what is known now, and the line that tells what was done. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Client } from "./client.ts";
import type { Live } from "./live.ts";

export interface Room {
  readonly client: Client;
  readonly live: Live;
  /** Shows a sentence for a while; screen readers hear it. */
  tell(message: string): void;
}

export const RoomContext = createContext<Room | null>(null);

export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (room === null) throw new Error("a view outside the room");
  return room;
}
