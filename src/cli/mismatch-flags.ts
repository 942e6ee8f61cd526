/** The words and flags of the commands about differences. */

import { type Command, Option } from "commander";
import { parseLimit } from "./address.ts";
import type { Context } from "./context.ts";
import { type Ended, reading, remote } from "./flags.ts";
import type { IgnoreFlags } from "./ignore.ts";
import type { MismatchesFlags } from "./mismatches.ts";

/** Adds them. */
export function addMismatches(program: Command, context: Context, ended: Ended): void {
  remote(program, "mismatches", "where new's answers differ from old's: place, share, since when, an example")
    .argument("[route]")
    .option("--show <id>", "one pair in full, by its number or its cluster's id")
    .option("--retro", "judge the stored pairs again, by the rules that act now")
    .addOption(new Option("--limit <n>", "at most so many (default: 50)").argParser(reading(parseLimit)))
    .action(async (route: string | undefined, options: MismatchesFlags) => {
      const { mismatches } = await import("./mismatches.ts");
      ended(await mismatches(route, options, context));
    });
  remote(program, "ignore", "print the patch of the rules that hides a place, and what else it would hide")
    .argument("<route>")
    .argument("<path>", "a JSONPath such as '$.updatedAt', header:NAME, or a cluster's id")
    .option("--rules <rules...>", "rules files or folders (default: rules/)")
    .option("--write", "change the file too")
    .action(async (route: string, path: string, options: IgnoreFlags) => {
      const { ignore } = await import("./ignore.ts");
      ended(await ignore(route, path, options, context));
    });
}
