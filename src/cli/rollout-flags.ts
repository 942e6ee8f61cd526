/** The words and flags of the commands about rollouts and their trail. */

import { type Command, Option } from "commander";
import { parseLimit, parseSharePpm, parseStep } from "./address.ts";
import type { Context } from "./context.ts";
import { type Ended, reading, reason, remote } from "./flags.ts";
import type { HistoryFlags } from "./history.ts";
import type { PauseFlags } from "./pause.ts";
import type { PromoteFlags } from "./promote.ts";

/** Adds them. */
export function addRollout(program: Command, context: Context, ended: Ended): void {
  remote(program, "promote", "a rollout to its next step, or straight to a share")
    .argument("<route>")
    .addOption(reason())
    .addOption(
      new Option(
        "--to <share>",
        "straight to this share, past steps and gates; 100% is asked about first",
      ).argParser(reading(parseSharePpm)),
    )
    .addOption(
      new Option("--step <n>", "only from this step: a repeated call is harmless").argParser(
        reading(parseStep),
      ),
    )
    .option("--yes", "do not ask (for scripts)")
    .action(async (route: string, options: PromoteFlags) => {
      const { promote } = await import("./promote.ts");
      ended(await promote(route, options, context));
    });
  remote(program, "pause", "a rollout stands still; the shares stay as they are")
    .argument("<route>")
    .addOption(reason())
    .action(async (route: string, options: PauseFlags) => {
      const { pause } = await import("./pause.ts");
      ended(await pause(route, options, context));
    });
  remote(program, "resume", "a rollout goes on, or begins")
    .argument("<route>")
    .addOption(reason())
    .action(async (route: string, options: PauseFlags) => {
      const { resume } = await import("./pause.ts");
      ended(await resume(route, options, context));
    });
  remote(program, "history", "the audit trail, newest first: when, what, by whom, why, what was known")
    .argument("[route]")
    .addOption(new Option("--limit <n>", "at most so many (default: 50)").argParser(reading(parseLimit)))
    .option("--report", "the report of the route's rollout, in Markdown")
    .action(async (route: string | undefined, options: HistoryFlags) => {
      const { history } = await import("./history.ts");
      ended(await history(route, options, context));
    });
}
