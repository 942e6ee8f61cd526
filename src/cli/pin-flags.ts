/** The words and flags of `cutover pin` and `cutover unpin`. */

import { type Command, Option } from "commander";
import { PIN_TIME_HINT, pinTimeMs } from "../model/pins.ts";
import { ValueError } from "./address.ts";
import type { Context } from "./context.ts";
import { type Ended, nonEmpty, reading, reason, remote } from "./flags.ts";
import type { PinFlags, UnpinFlags } from "./pin.ts";

/** Adds both. */
export function addPins(program: Command, context: Context, ended: Ended): void {
  remote(program, "pin", "keep one key on a side, whatever shares and rollbacks say; without a key: the pins")
    .argument("[route]")
    .argument("[key]", "as requests carry it")
    .argument("[side]", "old or new")
    .addOption(new Option("--reason <text>", "why, for the audit trail").argParser(reading(nonEmpty)))
    .addOption(
      new Option("--for <time>", "how long, such as 2h; without it until unpin").argParser(reading(pinTime)),
    )
    .action(
      async (
        route: string | undefined,
        key: string | undefined,
        side: string | undefined,
        options: PinFlags,
      ) => {
        const { pin } = await import("./pin.ts");
        ended(await pin({ route, key, side }, options, context));
      },
    );
  remote(program, "unpin", "let the rules decide about a key again")
    .argument("<route>")
    .argument("<key>")
    .addOption(reason())
    .action(async (route: string, key: string, options: UnpinFlags) => {
      const { unpin } = await import("./pin.ts");
      ended(await unpin(route, key, options, context));
    });
}

/** The gateway reads it itself: this only says at once what it would refuse. */
function pinTime(text: string): string {
  if (pinTimeMs(text) === null) throw new ValueError(`Write how long, ${PIN_TIME_HINT}`);
  return text.trim();
}
