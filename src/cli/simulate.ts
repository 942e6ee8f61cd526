/** `cutover simulate`: rules and a recorded log in, what the rollout would have done out. */

import { createReadStream } from "node:fs";
import { availableParallelism } from "node:os";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { counted, formatCount } from "../model/figures.ts";
import type { Ruleset } from "../model/ruleset.ts";
import { loadRules } from "../rules/load.ts";
import { suggestion } from "../rules/suggest.ts";
import { type Crew, soloCrew, threadedCrew } from "../simulate/crew.ts";
import type { Factor } from "../simulate/factor.ts";
import type { Fault } from "../simulate/fault.ts";
import { createIntake, type Recording } from "../simulate/intake.ts";
import { type LogSummary, readLog } from "../simulate/read-log.ts";
import { type Progress, simulate } from "../simulate/simulate.ts";
import { TapeError } from "../simulate/tape.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT_DONE, EXIT_NO, EXIT_USAGE } from "./exit.ts";
import { formatJson, type OutputForm, printable, printableLines, type Terminal } from "./output.ts";
import { rulesOrDefault } from "./serve.ts";
import { describeSimulation } from "./simulate-text.ts";
import type { ToldGate } from "./simulate-values.ts";

export interface SimulateFlags {
  readonly output: OutputForm;
  readonly log: string;
  readonly inject: readonly Fault[];
  readonly factor: readonly Factor[];
  readonly runs: number;
  readonly seed: number;
  readonly gate: readonly ToldGate[];
  readonly approveAfter: number;
  readonly route?: string;
}

/** 0: simulated, however it ended; 1: the rules are invalid, or the log has no request. Throws CliError 2. */
export async function simulateLog(
  rules: readonly string[],
  flags: SimulateFlags,
  context: Context,
): Promise<number> {
  const ruleset = await readRules(rulesOrDefault(rules, "simulate"), context);
  const gates = toldGates(ruleset, flags.gate);
  checkRoute(ruleset, flags.route);
  const meter = createMeter(context.streams.err);
  const { recording, log } = await readRecording(flags.log, ruleset, meter);
  const chosen = {
    ...recording,
    tapes: recording.tapes.filter(({ route }) => isChosen(route.name, flags.route)),
  };
  const options = {
    faults: flags.inject,
    factors: flags.factor,
    assumed: { gates, approveAfterMs: flags.approveAfter },
    runs: flags.runs,
    seed: flags.seed,
  };
  await using crew = crewFor(chosen, flags.runs);
  const report = await simulate(ruleset, chosen, log, options, crew, meter.simulated);
  meter.clear();
  const { out } = context.streams;
  const text =
    flags.output === "json"
      ? formatJson(report)
      : describeSimulation(report, out.columns ?? 100, context.paint);
  out.write(`${text}\n`);
  return EXIT_DONE;
}

/** Seconds of traffic that one thread plays before others have started. */
const SOLO_SECONDS = 2_000_000;
const MAX_THREADS = 16;

function crewFor({ seconds, tapes }: Recording, runs: number): Crew {
  const threads = Math.min(availableParallelism(), MAX_THREADS);
  return threads === 1 || seconds * tapes.length * runs < SOLO_SECONDS ? soloCrew() : threadedCrew(threads);
}

async function readRules(paths: readonly string[], { env }: Context): Promise<Ruleset> {
  // The secret has to be the same each time: it decides nothing, but nothing here may be random.
  const loaded = await loadRules(paths, { env: { ...env }, keyFileSecret: "simulate" });
  if (loaded.ok) return loaded.ruleset;
  const texts = loaded.problems.map(({ text }) => text.trimEnd()).join("\n\n");
  throw new CliError(`${counted(loaded.problems.length, "error")} in the rules\n${texts}`, EXIT_NO, {
    problems: loaded.problems,
  });
}

function toldGates({ routes }: Ruleset, told: readonly ToldGate[]): ReadonlyMap<string, number> {
  const known = new Set(routes.flatMap(({ rollout }) => Object.keys(rollout?.gates ?? {})));
  for (const { name } of told) {
    if (known.has(name)) continue;
    const hint = known.size === 0 ? "the rules have no gates" : suggestion(name, [...known]);
    throw new CliError(`--gate ${printable(name)}: there is no such gate: ${hint}`, EXIT_USAGE);
  }
  return new Map(told.map(({ name, fromMs }) => [name, fromMs]));
}

function checkRoute({ routes }: Ruleset, name: string | undefined): void {
  if (name === undefined || routes.some((route) => route.name === name)) return;
  const names = routes.map((route) => route.name);
  throw new CliError(
    `--route ${printable(name)}: there is no such route: ${suggestion(name, names)}`,
    EXIT_USAGE,
  );
}

function isChosen(name: string, only: string | undefined): boolean {
  return only === undefined || name === only;
}

async function readRecording(
  path: string,
  ruleset: Ruleset,
  meter: Meter,
): Promise<{ readonly recording: Recording; readonly log: LogSummary }> {
  const intake = createIntake(ruleset);
  let lines = 0;
  try {
    const log = await readLog(openLog(path), (request) => {
      intake.take(request);
      if (++lines % LINES_PER_REPORT === 0) meter.read(lines);
    });
    const recording = intake.finish();
    if (recording === null) throw emptyLog(path, log);
    return { recording, log };
  } catch (error) {
    if (error instanceof TapeError) throw new CliError(`${printable(path)}: ${error.message}`, EXIT_NO);
    if (isSystemError(error))
      throw new CliError(`--log ${printable(path)}: ${printable(error.message)}`, EXIT_USAGE);
    throw error;
  } finally {
    meter.clear();
  }
}

function openLog(path: string): Readable {
  if (path === "-") return process.stdin.setEncoding("utf8");
  const file = createReadStream(path);
  if (!path.endsWith(".gz")) return file.setEncoding("utf8");
  const plain = createGunzip();
  // What is wrong with the file is wrong with what is read from it.
  file.on("error", (error) => plain.destroy(error));
  return file.pipe(plain).setEncoding("utf8");
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

function emptyLog(path: string, { unreadable, examples }: LogSummary): CliError {
  const why =
    unreadable === 0
      ? "it has no requests"
      : `none of its ${formatCount(unreadable)} lines can be read (${examples.map(printable).join("; ")})`;
  return new CliError(
    `${printable(path)}: ${why}: give an access log of this gateway (\`serve --access-log all\`), or one in common or combined log format`,
    EXIT_NO,
  );
}

const LINES_PER_REPORT = 200_000;
const REPORT_EVERY_MS = 200;

/** One line on a terminal that says how far it is; elsewhere nothing. */
interface Meter {
  readonly read: (lines: number) => void;
  readonly simulated: Progress;
  readonly clear: () => void;
}

function createMeter(terminal: Terminal): Meter {
  const isShown = terminal.isTTY === true;
  let shownMs = 0;
  let begunMs: number | null = null;
  const show = (text: string): void => {
    const nowMs = performance.now();
    if (!isShown || nowMs - shownMs < REPORT_EVERY_MS) return;
    shownMs = nowMs;
    terminal.write(`\r\u001b[K${printableLines(text)}`);
  };
  return {
    read: (lines) => show(`${formatCount(lines)} lines read`),
    simulated(done, all, route) {
      begunMs ??= performance.now();
      const leftSeconds = ((performance.now() - begunMs) / Math.max(1, done)) * (all - done) * 1e-3;
      const left = done < FIRST_ESTIMATE ? "" : `, ${Math.ceil(leftSeconds)} s left`;
      show(`${route}: ${formatCount(done)} of ${formatCount(all)} simulations${left}`);
    },
    clear: () => {
      if (isShown && shownMs > 0) terminal.write("\r\u001b[K");
      shownMs = 0;
    },
  };
}

const FIRST_ESTIMATE = 20;
