/** The words and flags of `cutover simulate`. */

import { type Command, Option } from "commander";
import type { Fault } from "../simulate/fault.ts";
import type { Context } from "./context.ts";
import { type Ended, output, reading } from "./flags.ts";
import type { SimulateFlags } from "./simulate.ts";
import {
  parseApproveAfter,
  parseFactors,
  parseFault,
  parseGate,
  parseRuns,
  parseSeed,
  type ToldGate,
} from "./simulate-values.ts";

/** A flag that may be repeated. */
function several<T>(parse: (text: string) => T): (text: string, before: readonly T[]) => readonly T[] {
  const read = reading(parse);
  return (text, before) => [...before, read(text)];
}

/** Adds it. */
export function addSimulate(program: Command, context: Context, ended: Ended): void {
  program
    .command("simulate")
    .argument("[rules...]", "rules files or folders (default: rules/)")
    .description(
      "a rollout on recorded traffic: how it would go, how often it errs, how soon a fault is found",
    )
    .requiredOption(
      "--log <file>",
      "an access log, ours or common or combined format, oldest first; .gz too; - for stdin",
    )
    .addOption(
      new Option(
        "--inject <fault>",
        "what goes wrong, such as new.errors=10%@2h or both.errors=30%@2h+10m; may be repeated",
      )
        .default([] as readonly Fault[], "nothing")
        .argParser(several(parseFault)),
    )
    .addOption(
      new Option(
        "--factor <list>",
        "regressions to find: times old's errors, or shares of new's answers; none",
      )
        .default(parseFactors("2,10,100%"), "2,10,100%")
        .argParser(reading(parseFactors)),
    )
    .addOption(
      new Option("--runs <n>", "so many simulations for each figure; 0: only the log as it is")
        .default(1000)
        .argParser(reading(parseRuns)),
    )
    .addOption(
      new Option("--seed <n>", "the same seed gives the same answer")
        .default(1)
        .argParser(reading(parseSeed)),
    )
    .addOption(
      new Option("--gate <answer>", "what a gate says: NAME=yes, NAME=no, NAME=yes@3h; may be repeated")
        .default([] as readonly ToldGate[], "yes, all of them")
        .argParser(several(parseGate)),
    )
    .addOption(
      new Option("--approve-after <time>", "how long people take to approve a step")
        .default(0, "0s")
        .argParser(reading(parseApproveAfter)),
    )
    .option("--route <name>", "only this route")
    .addOption(output())
    .action(async (rules: string[], options: SimulateFlags) => {
      const { simulateLog } = await import("./simulate.ts");
      ended(await simulateLog(rules, options, context));
    });
}
