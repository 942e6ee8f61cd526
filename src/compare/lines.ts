/** Texts compared line by line. */

import { diffArrays } from "diff";

import type { Difference } from "../model/reports.ts";
import { bodyDifference } from "./bytes.ts";
import { MAX_DIFFERENCES } from "./findings.ts";
import { linePattern } from "./line-pattern.ts";
import { REDACTED } from "./redact.ts";
import { excerptsAt, MAX_TEXT_CHARS, visible } from "./text.ts";

/** Of one side, without those that both share at the ends: beyond it an excerpt says more than a list. */
const MAX_LINES = 5000;

/** Lines lost and gained; the search takes time in proportion to lines × edits. */
const MAX_EDITS = 1000;

/**
 * The differences of two texts that differ: at `line[12]` (counted from 1, in old; in new for what new alone
 * has), or one of the whole body where they have too little in common. The template is that of all lines that read
 * like old's (new's, for what new alone has). `conceal`: nothing of the texts is shown, not even which lines read alike.
 */
export function lineDifferences(oldText: string, newText: string, conceal: boolean): readonly Difference[] {
  if (onlyLineEndsDiffer(oldText, newText)) return [bodyDifference(lineEnds(oldText), lineEnds(newText))];
  const middle = differingMiddle(oldText, newText);
  const changes =
    middle.old === null || middle.new === null
      ? undefined
      : diffArrays(middle.old, middle.new, { maxEditLength: MAX_EDITS });
  if (changes === undefined) return [wholeDifference(oldText, newText, conceal)];
  return listChanges(changes, middle.linesBefore, conceal);
}

interface Middle {
  readonly linesBefore: number;
  /** Null: more than MAX_LINES. */
  readonly old: string[] | null;
  readonly new: string[] | null;
}

/** The lines between those that two different texts share at both ends; only they are ever taken apart. */
function differingMiddle(oldText: string, newText: string): Middle {
  const shorter = Math.min(oldText.length, newText.length);
  let from = 0;
  let linesBefore = 0;
  for (let at = 0; at < shorter && oldText.charCodeAt(at) === newText.charCodeAt(at); at++) {
    if (oldText.charCodeAt(at) !== LINE_FEED) continue;
    from = at + 1;
    linesBefore++;
  }
  let tail = 0;
  for (let at = 1; at <= shorter - from; at++) {
    const code = oldText.charCodeAt(oldText.length - at);
    if (code !== newText.charCodeAt(newText.length - at)) break;
    if (code === LINE_FEED) tail = at;
  }
  const linesOf = (text: string): string[] | null => {
    const lines = text.slice(from, text.length - tail).split("\n", MAX_LINES + 1);
    return lines.length > MAX_LINES ? null : lines;
  };
  return { linesBefore, old: linesOf(oldText), new: linesOf(newText) };
}

const LINE_FEED = 0x0a;

interface Change {
  readonly value: readonly string[];
  readonly added?: boolean;
  readonly removed?: boolean;
}

function listChanges(changes: readonly Change[], head: number, conceal: boolean): readonly Difference[] {
  const differences: Difference[] = [];
  let oldAt = head + 1;
  let newAt = head + 1;
  for (let at = 0; at < changes.length && differences.length < MAX_DIFFERENCES; at++) {
    const change = changes[at];
    if (change === undefined) break;
    if (!change.removed && !change.added) {
      oldAt += change.value.length;
      newAt += change.value.length;
      continue;
    }
    // Lines lost and gained at one spot are changed lines, as far as they reach.
    const next = changes[at + 1];
    const isChange = next !== undefined && (change.removed ? next.added : next.removed) === true;
    if (isChange) at++;
    const lost = change.removed ? change.value : isChange ? next.value : [];
    const gained = change.added ? change.value : isChange ? next.value : [];
    for (const [left, right] of pairLines(lost, gained)) {
      if (differences.length >= MAX_DIFFERENCES) break;
      const place = left !== null ? oldAt + left : newAt + (right ?? 0);
      const oldLine = left === null ? undefined : lost[left];
      const newLine = right === null ? undefined : gained[right];
      differences.push(lineDifference(place, oldLine, newLine, conceal));
    }
    oldAt += lost.length;
    newAt += gained.length;
  }
  return differences;
}

type LinePair = readonly [old: number | null, fresh: number | null];

/** Lines of one pattern belong together, then those that are left, in their order; old's order, then what is new. */
function pairLines(lost: readonly string[], gained: readonly string[]): readonly LinePair[] {
  const partners = new Map<number, number>();
  const free = new Set(gained.keys());
  if (lost.length !== 1 || gained.length !== 1) {
    const waiting = new Map<string, number[]>();
    for (const [at, line] of gained.entries()) {
      const pattern = linePattern(line);
      waiting.set(pattern, [...(waiting.get(pattern) ?? []), at]);
    }
    for (const [at, line] of lost.entries()) {
      const partner = waiting.get(linePattern(line))?.shift();
      if (partner === undefined) continue;
      partners.set(at, partner);
      free.delete(partner);
    }
  }
  const rest = [...free].reverse();
  const pairs = lost.map((_, at): LinePair => [at, partners.get(at) ?? rest.pop() ?? null]);
  return [...pairs, ...rest.reverse().map((at): LinePair => [null, at])];
}

function lineDifference(
  at: number,
  oldLine: string | undefined,
  newLine: string | undefined,
  conceal: boolean,
): Difference {
  const kind = oldLine === undefined ? "added" : newLine === undefined ? "missing" : "value";
  const fits = Math.max(oldLine?.length ?? 0, newLine?.length ?? 0) <= MAX_TEXT_CHARS;
  const excerpts =
    fits || oldLine === undefined || newLine === undefined ? null : excerptsAt(oldLine, newLine);
  const shown = (line: string | undefined, excerpt: string | undefined): string | null => {
    if (line === undefined) return null;
    return conceal ? REDACTED : (excerpt ?? visible(line, MAX_TEXT_CHARS));
  };
  return {
    place: `line[${at}]`,
    template: conceal ? "line[*]" : `line[~${linePattern(oldLine ?? newLine ?? "")}]`,
    kind,
    old: shown(oldLine, excerpts?.old),
    new: shown(newLine, excerpts?.new),
    relation: null,
  };
}

function wholeDifference(oldText: string, newText: string, conceal: boolean): Difference {
  if (conceal) return bodyDifference(`${oldText.length} characters`, `${newText.length} characters`);
  const excerpts = excerptsAt(oldText, newText);
  return bodyDifference(excerpts.old, excerpts.new);
}

function onlyLineEndsDiffer(oldText: string, newText: string): boolean {
  return oldText.replaceAll("\r\n", "\n") === newText.replaceAll("\r\n", "\n");
}

function lineEnds(text: string): string {
  const all = text.split("\n").length - 1;
  return `${text.split("\r\n").length - 1} of ${all} line ends are CR LF`;
}
