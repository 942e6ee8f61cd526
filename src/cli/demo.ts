/** `cutover demo`: hands over to src/demo. */

import { runDemo } from "../demo/demo.ts";
import type { Context } from "./context.ts";

export interface DemoFlags {
  readonly once?: boolean;
}

/** 0 when the story ran as it should; 1 naming the chapter that did not happen. */
export async function demo(flags: DemoFlags, context: Context): Promise<number> {
  return runDemo({
    once: flags.once === true,
    streams: context.streams,
    env: context.env,
    paint: context.paint,
  });
}
