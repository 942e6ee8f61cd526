/** Commands that are planned: whoever tries one learns what there is in its place, not that it is unknown. */

import type { Command } from "commander";
import { CliError, EXIT_USAGE } from "./exit.ts";

const BY_SHARES =
  "there are no staged rollouts: set canary in the rules, a step at a time; `cutover rollback` and `cutover reset` act at once";
const BY_SPLIT = "list the key under split.old or split.new in the rules";

/** By name: what to do instead; "" where nothing takes its place. */
const UNBUILT: Readonly<Record<string, string>> = {
  promote: BY_SHARES,
  pause: BY_SHARES,
  resume: BY_SHARES,
  pin: BY_SPLIT,
  unpin: BY_SPLIT,
  history: "GET /api/v1/audit of the admin port has the audit trail",
  simulate: "",
  verify: "",
  record: "",
  replay: "",
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
