/** What every command is handed besides its arguments. */

import type { Paint, Streams } from "./output.ts";

export interface Context {
  readonly streams: Streams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly paint: Paint;
}
