/** bench/RESULTS.md: what one run has found. */

import { fixed, median } from "../support/stats.ts";
import { CONNECTIONS } from "./contestant.ts";
import {
  type Absent,
  type Found,
  GATEWAY,
  type Paced,
  PLAIN_BESIDE,
  type Round,
  type Row,
  type Threads,
} from "./measured.ts";
import { ratioOf } from "./pairs.ts";
import { REQUEST_COUNT } from "./requests.ts";
import { cpuOf, inWords, type Judged } from "./targets.ts";

export interface Facts {
  /** How it was started. */
  readonly command: string;
  readonly date: string;
  readonly machine: readonly string[];
  /** Name and version of everybody. */
  readonly versions: readonly (readonly [string, string])[];
  readonly missing: readonly Absent[];
  readonly method: readonly string[];
  readonly tookMinutes: number;
}

/** Beyond it, and beyond chance with so many users, new got another share of the requests than it should have. */
const SHARE_TOLERANCE = 0.1;
const CHANCE_DEVIATIONS = 3;

/** The whole file. */
export function resultsMarkdown(
  facts: Facts,
  judged: readonly Judged[],
  found: readonly Found[],
  threads: Threads | null,
): string {
  const parts = [
    "# Results: the gateway beside other proxies",
    `Written by \`${facts.command}\`, ${facts.date}, in ${facts.tookMinutes.toFixed(0)} minutes. Only what stands in one table compares.`,
    list(facts.machine),
    "## Targets",
    verdictTable(judged),
    "## How it was measured",
    list(facts.method),
    ...found.flatMap((each) => [`## ${capital(each.scenario.title)}`, ...scenarioParts(each)]),
    ...(threads === null ? [] : ["## Two data threads", threadsTable(threads)]),
    "## Who took part",
    table(["name", "version"], facts.versions),
    ...(facts.missing.length === 0 ? [] : [absentList("Could not be had", facts.missing)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** For a terminal too: verdicts, a line each. */
export function verdictLines(judged: readonly Judged[]): readonly string[] {
  return judged.map(({ target, verdict, found }) => `${verdict.padEnd(12)}  ${target}: ${found}`);
}

function verdictTable(judged: readonly Judged[]): string {
  return table(
    ["target", "verdict", "found"],
    judged.map(({ target, verdict, found }) => [
      target,
      verdict === "missed" ? "**missed**" : verdict,
      found,
    ]),
  );
}

export const SCENARIO_HEAD: readonly string[] = [
  "",
  "CPU µs/request: median",
  "least",
  "gateway ÷ it: median (spread)",
  "least ÷ least",
  "requests/s",
  "busy",
  "p50 ms",
  "p99",
  "p99.9",
  "peak MiB",
  "failures",
];

/** The rows of one scenario; the ratios are of the gateway's processor time to each. */
export function scenarioRows({ scenario, rows }: Found): readonly (readonly string[])[] {
  const ours = rows.find(({ name }) => name === GATEWAY);
  return rows.map((row) => {
    const ratio = ours === undefined || row === ours ? null : ratioOf(ours.rounds, row.rounds, cpuOf);
    const cpu = row.rounds.map(cpuOf);
    const of = (figure: (paced: Paced) => number): string => pacedMedian(row.rounds, figure);
    return [
      row.name,
      fixed(median(cpu)),
      fixed(Math.min(...cpu)),
      ratio === null ? "–" : `${fixed(ratio.median, 2)} (${fixed(ratio.least, 2)}–${fixed(ratio.most, 2)})`,
      ratio === null ? "–" : fixed(ratio.ofLeast, 2),
      Math.round(median(row.rounds.map(({ perSecond }) => perSecond))).toLocaleString("en"),
      `${fixed(median(row.rounds.map(({ busy }) => busy)) * 100, 0)}%`,
      ...[of(({ p50Ms }) => p50Ms), of(({ p99Ms }) => p99Ms), of(({ p999Ms }) => p999Ms)],
      fixed(row.peakMiB, 0),
      failuresOf(row, scenario.paced),
    ];
  });
}

function pacedMedian(rounds: readonly Round[], figure: (paced: Paced) => number): string {
  const values = rounds.flatMap(({ paced }) => (paced === null ? [] : [figure(paced)]));
  return values.length === 0 ? "–" : fixed(median(values), 2);
}

function failuresOf({ rounds }: Row, paced: boolean): string {
  const flatOut = rounds.reduce((sum, { failures }) => sum + failures, 0);
  const atRate = rounds.reduce((sum, round) => sum + (round.paced?.failures ?? 0), 0);
  return paced ? `${flatOut} + ${atRate}` : String(flatOut);
}

function scenarioParts(found: Found): readonly string[] {
  const { scenario, lacks, failures } = found;
  return [
    table(SCENARIO_HEAD, scenarioRows(found), "--:"),
    ...scenarioNotes(found),
    ...(lacks.length === 0 ? [] : [absentList("No equal", lacks)]),
    ...(failures.length === 0 ? [] : [absentList(`Failed in ${scenario.name}`, failures)]),
  ];
}

/** What the reader of the table must know: remarks, what the backends counted, what the gateway says. */
export function scenarioNotes({ scenario, rows }: Found): readonly string[] {
  const notes = rows.flatMap((row) => [
    ...(row.remark === null ? [] : [`${row.name}: ${row.remark}.`]),
    ...shareNotes(row, scenario.shareOfNew),
    ...(row.report === null ? [] : [`${row.name}: ${row.report}.`]),
    ...connectionNotes(row),
  ]);
  return notes.length === 0 ? [] : [list(notes)];
}

/** The backends counted them: a proxy that sheds copies, or sends all to one side, must not look cheap. */
function shareNotes({ name, kind, rounds }: Row, expected: number): readonly string[] {
  if (expected === 0 || kind === "least" || name === PLAIN_BESIDE) return [];
  const share = total(rounds, ({ toNew }) => toNew) / total(rounds, ({ requests }) => requests);
  const said = `${name}: new got ${fixed(share * 100)}% of the requests`;
  const chance = CHANCE_DEVIATIONS * Math.sqrt((expected * (1 - expected)) / REQUEST_COUNT);
  const isOff = Math.abs(share - expected) > expected * SHARE_TOLERANCE + chance;
  return isOff ? [`**${said}, where ${fixed(expected * 100, 0)}% were due: not comparable.**`] : [`${said}.`];
}

/** wrk cuts its connections at the end of a round, and with answers under way their backend's. */
const CUT_PER_ROUND = 3 * CONNECTIONS;

/** Far more connections than clients: it does not keep them alive. */
function connectionNotes({ name, rounds }: Row): readonly string[] {
  const opened = total(rounds, ({ connections }) => connections);
  const requests = total(rounds, (round) => round.requests);
  if (opened < requests / 20 + CUT_PER_ROUND * rounds.length) return [];
  return [
    `**${name}: opened ${opened} connections to the backends for ${requests} requests: it does not keep them alive here.**`,
  ];
}

function threadsTable({ one, two, plainMiB, shadowMiB, hadCores }: Threads): string {
  const ratio = ratioOf(two, one, (round) => round.perSecond);
  const rate = (rounds: readonly Round[]): string =>
    Math.round(median(rounds.map(({ perSecond }) => perSecond))).toLocaleString("en");
  return list([
    `plain: ${rate(one)} requests a second on one thread, ${rate(two)} on two` +
      `${ratio === null ? "" : `: ${inWords(ratio)}`}${hadCores ? "" : "; both threads shared one core, so this says nothing"}.`,
    `Most memory at two threads: plain ${fixed(plainMiB, 0)} MiB, with a compared shadow ${fixed(shadowMiB, 0)} MiB.`,
  ]);
}

const total = (rounds: readonly Round[], of: (round: Round) => number): number =>
  rounds.reduce((sum, round) => sum + of(round), 0);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join("\n");

function absentList(title: string, absent: readonly Absent[]): string {
  return `${title}: ${absent.map(({ name, why }) => `${name} (${oneLine(why)})`).join("; ")}.`;
}

/** What a program said goes into a line of a table or a list. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 300);
}

/** Figures stand to the right; words do not. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: "---" | "--:" = "---",
): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  const under = head.map((_, at) => (at === 0 ? "---" : align));
  return [line(head), line(under), ...rows.map(line)].join("\n");
}
