/** The command line: which words, flags and variables there are. What each command does is in a file of its own. */

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import type { CheckFlags } from "./check.ts";
import type { Context } from "./context.ts";
import type { DemoFlags } from "./demo.ts";
import type { DrainFlags } from "./drain.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_USAGE, failureReport } from "./exit.ts";
import type { ExplainFlags } from "./explain.ts";
import { type Ended, output, reason, remote } from "./flags.ts";
import { addMismatches } from "./mismatch-flags.ts";
import { createPaint, formatJson, type OutputForm, printableLines, type Streams } from "./output.ts";
import { addPins } from "./pin-flags.ts";
import type { ReloadFlags } from "./reload.ts";
import type { ResetFlags } from "./reset.ts";
import type { RollbackFlags } from "./rollback.ts";
import { addRollout } from "./rollout-flags.ts";
import { addServe } from "./serve-flags.ts";
import { addSimulate } from "./simulate-flags.ts";
import type { StatusFlags } from "./status.ts";
import { addUnbuilt } from "./unbuilt.ts";

/** Runs one command line (without the program's own name) and resolves to its exit code. Never rejects. */
export async function runCommandLine(
  args: readonly string[],
  streams: Streams,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  forgetEmptyVariables(env);
  const context: Context = { streams, env, paint: createPaint(streams.out, env) };
  let exitCode = EXIT_DONE;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  let form: OutputForm = "text";
  program.hook("preAction", (_program, command) => {
    if (command.opts().output === "json") form = "json";
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error, form, streams);
  }
}

function report(error: unknown, form: OutputForm, streams: Streams): number {
  // Commander has printed its own message by now; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE;
  if (error instanceof CliError) {
    streams.err.write(`cutover: ${printableLines(error.message)}\n`);
    if (form === "json") streams.out.write(`${formatJson(failureReport(error))}\n`);
    return error.exitCode;
  }
  // Anything else is a defect of this program: the stack is what a report of it needs.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  streams.err.write(`cutover: unexpected failure, please report it\n${printableLines(text)}\n`);
  return EXIT_NO;
}

/** Compose files pass `CUTOVER_X=` for a variable that nobody set: it must not override the default with nothing. */
function forgetEmptyVariables(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith("CUTOVER_") && value === "") delete env[name];
  }
}

/** Builds the whole command line. `ended` is told the exit code of the command that ran. */
function buildProgram(context: Context, ended: Ended): Command {
  const program = new Command("cutover")
    .description("A traffic cutover gateway: shadow, compare, split, and take traffic back by itself")
    .version(readVersion(), "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.streams.out.write(text),
      writeErr: (text) => context.streams.err.write(text),
      // The message may repeat what was typed, which may be anything.
      outputError: (text, write) => write(printableLines(text)),
    })
    .showHelpAfterError("(--help shows what there is)");
  addServe(program, context, ended);
  addLocal(program, context, ended);
  addReading(program, context, ended);
  addMismatches(program, context, ended);
  addActions(program, context, ended);
  addRollout(program, context, ended);
  addPins(program, context, ended);
  addSimulate(program, context, ended);
  addUnbuilt(program);
  return program;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : null;
  return typeof version === "string" ? version : "unknown";
}

function addLocal(program: Command, context: Context, ended: Ended): void {
  program
    .command("demo")
    .description(
      "two small backends, the gateway and traffic on this machine: watch a cutover go wrong, safely",
    )
    .option("--once", "play the story, then stop; exit 0 only if every chapter really happened")
    .action(async (options: DemoFlags) => {
      const { demo } = await import("./demo.ts");
      ended(await demo(options, context));
    });
  program
    .command("check")
    .argument("[rules...]", "rules files or folders (default: rules/)")
    .description("read the rules as serve would: exit 0, or 1 with every error placed")
    .option("--print", "print the resolved rules")
    .addOption(output())
    .action(async (rules: string[], options: CheckFlags) => {
      const { check } = await import("./check.ts");
      ended(await check(rules, options, context));
    });
  program
    .command("schema")
    .description("print the JSON Schema of the rules, for editors")
    .addOption(output()) // the schema is JSON in either form
    .action(async () => {
      const { schema } = await import("./schema.ts");
      ended(await schema(context));
    });
}

function addReading(program: Command, context: Context, ended: Ended): void {
  remote(program, "status", "the routes: state, shares, evidence, what each waits for")
    .argument("[route]", "one route in full")
    .option("-w, --watch", "again every second, until Ctrl-C")
    .option("--ready", "only whether the gateway takes traffic: exit 0, or 1 while it does not")
    .action(async (route: string | undefined, options: StatusFlags) => {
      const { status } = await import("./status.ts");
      ended(await status(route, options, context));
    });
  remote(program, "explain", "where a request would go, and why, step by step")
    .argument("<method>")
    .argument("<url>", "a path such as /profiles/7, or a whole URL")
    .option(
      "-H, --header <name: value>",
      "a header of the request; may be repeated",
      (text: string, before: string[]) => [...before, text],
      [] as string[],
    )
    .action(async (method: string, url: string, options: ExplainFlags) => {
      const { explain } = await import("./explain.ts");
      ended(await explain(method, url, options, context));
    });
}

function addActions(program: Command, context: Context, ended: Ended): void {
  remote(program, "rollback", "send all traffic of a route back to old, and keep it there")
    .argument("[route]")
    .option("--all", "every route")
    .addOption(reason())
    .action(async (route: string | undefined, options: RollbackFlags) => {
      const { rollback } = await import("./rollback.ts");
      ended(await rollback(route, options, context));
    });
  remote(program, "reset", "clear a route's rollback, so that its rules act again")
    .argument("[route]")
    .option("--store", "put a damaged store aside and begin a new one")
    .addOption(reason())
    .action(async (route: string | undefined, options: ResetFlags) => {
      const { reset } = await import("./reset.ts");
      ended(await reset(route, options, context));
    });
  remote(program, "reload", "read the rules again now")
    .option("--reason <text>", "why, for the audit trail")
    .action(async (options: ReloadFlags) => {
      const { reload } = await import("./reload.ts");
      ended(await reload(options, context));
    });
  remote(program, "drain", "stop being ready, finish the requests in flight, and end")
    .option("--reason <text>", "why, for the audit trail")
    .action(async (options: DrainFlags) => {
      const { drain } = await import("./drain.ts");
      ended(await drain(options, context));
    });
}
