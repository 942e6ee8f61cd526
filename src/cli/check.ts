/** `cutover check`: what serve would say of the rules, without serving. */

import { randomBytes } from "node:crypto";
import { stringify } from "yaml";
import { counted } from "../model/figures.ts";
import type { Ruleset } from "../model/ruleset.ts";
import { describeRuleset } from "../rules/describe.ts";
import { loadRules } from "../rules/load.ts";
import type { Context } from "./context.ts";
import { EXIT_DONE, EXIT_NO } from "./exit.ts";
import { formatJson, type OutputForm, printable, printableLines } from "./output.ts";
import { rulesOrDefault } from "./serve.ts";

export interface CheckFlags {
  readonly output: OutputForm;
  readonly print?: boolean;
}

/** Prints every error with its place, or one line that says what is valid. 0 valid, 1 not. */
export async function check(rules: readonly string[], flags: CheckFlags, context: Context): Promise<number> {
  const paths = rulesOrDefault(rules, "check");
  // The secret only salts fingerprints that nobody keeps here.
  const loaded = await loadRules(paths, {
    env: { ...context.env },
    keyFileSecret: randomBytes(16).toString("hex"),
  });
  const { out, err } = context.streams;
  if (!loaded.ok) {
    if (flags.output === "json") out.write(`${formatJson({ ok: false, problems: loaded.problems })}\n`);
    else err.write(describeProblems(loaded.problems, context));
    return EXIT_NO;
  }
  const { ruleset, warnings } = loaded;
  if (flags.output === "json") {
    out.write(`${formatJson(flags.print ? describeRuleset(ruleset) : summary(ruleset, warnings))}\n`);
    return EXIT_DONE;
  }
  for (const warning of warnings)
    err.write(`${context.paint("yellow", "warning:")} ${printableLines(warning)}\n`);
  // With --print the output is the rules and nothing else, so that it can be kept as a file.
  if (flags.print) out.write(stringify(describeRuleset(ruleset)));
  else
    out.write(
      `${printable(paths.join(" "))}: ${summaryWords(ruleset)}: ${context.paint("green", "valid")}\n`,
    );
  return EXIT_DONE;
}

function describeProblems(
  problems: readonly { readonly file: string; readonly text: string }[],
  context: Context,
): string {
  const files = new Set(problems.map((problem) => problem.file)).size;
  const texts = problems.map((problem) => `${printableLines(problem.text.trimEnd())}\n`);
  return `${texts.join("\n")}\n${context.paint("red", `${counted(problems.length, "error")} in ${counted(files, "file")}`)}\n`;
}

function summary(ruleset: Ruleset, warnings: readonly string[]): object {
  return {
    ok: true,
    version: ruleset.version,
    routes: ruleset.routes.length,
    backends: Object.keys(ruleset.backends).length,
    warnings,
  };
}

function summaryWords(ruleset: Ruleset): string {
  const backends = Object.keys(ruleset.backends).length;
  return `${counted(ruleset.routes.length, "route")}, ${counted(backends, "backend")}, version ${ruleset.version}`;
}
