/** Commands that are planned: whoever tries one learns what there is in its place, not that it is unknown. */

import type { Command } from "commander";
import { CliError, EXIT_USAGE } from "./exit.ts";

/** By name: what to do instead; "" where nothing takes its place. */
const UNBUILT: Readonly<Record<string, string>> = {
  verify: "`cutover mismatches` shows where the answers of the two sides differ",
  record: "",
  replay: "`cutover simulate RULES --log FILE` judges the traffic of an access log",
  backfill: "",
  journal: "",
};

/** Adds them, hidden from the help. */
export function addUnbuilt(program: Command): void {
  for (const [name, instead] of Object.entries(UNBUILT)) {
    program
      .command(name, { hidden: true })
      .argument("[words...]")
      .allowUnknownOption()
      .helpOption(false)
      .action(() => {
        throw new CliError(`${name} is not built yet${instead === "" ? "" : `: ${instead}`}`, EXIT_USAGE);
      });
  }
}
