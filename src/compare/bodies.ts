/** The bodies of a pair: opened, read as what they are, and compared. */

import type { Pair } from "../model/pair.ts";
import type { Difference } from "../model/reports.ts";
import type { Compare } from "../model/ruleset.ts";
import type { UncomparedReason } from "../model/uncompared.ts";
import { bodyDifference, bytesDifference, sizeText } from "./bytes.ts";
import { TooMuchWork } from "./debt.ts";
import { codingsOf, sameBytes } from "./decode.ts";
import { readStreams } from "./events.ts";
import { MAX_DIFFERENCES, mostTelling } from "./findings.ts";
import { headerValue } from "./headers.ts";
import { type BodyKind, commonKind, type TreeKind } from "./kinds.ts";
import { lineDifferences } from "./lines.ts";
import type { OpenBody, OpenPair } from "./open.ts";
import { readAs, readWithoutOrder } from "./readers.ts";
import type { Reading } from "./reading.ts";
import { isOrder, tidyOrder } from "./sibling-order.ts";
import { cut, MAX_TEXT_CHARS, shortJson, visible } from "./text.ts";
import { diffTrees } from "./tree.ts";
import type { TreeRules } from "./tree-rules.ts";

/** The body's part of the verdict: no differences is a match. */
export type BodyFindings =
  | { readonly kind: "compared"; readonly differences: readonly Difference[] }
  | { readonly kind: "undecided"; readonly why: UncomparedReason };

const SAME: BodyFindings = { kind: "compared", differences: [] };

type Open = Extract<OpenBody, { readonly kind: "open" }>;

/** Both bodies, decoded, and what is asked of them. */
interface Bodies {
  readonly old: Open;
  readonly new: Open;
  readonly rules: TreeRules;
  /** Bodies hold what nobody may see; only what is read as a tree can be shown without it. */
  readonly conceal: boolean;
}

/**
 * Compares the bodies of a pair. What our own bounds keep from being compared is undecided, never a match and
 * never a difference.
 */
export function compareBodies(pair: Pair, compare: Compare, rules: TreeRules, open: OpenPair): BodyFindings {
  // The answer to HEAD has no body, whatever its headers say.
  if (compare.body === "off" || pair.method === "HEAD" || rules.whole) return SAME;
  const isCut = pair.old.cut || pair.new.cut;
  if (!isCut && sameCodings(pair) && sameBytes(pair.old.body, pair.new.body)) return SAME;

  const oldBody = open.old();
  const newBody = open.new();
  if (oldBody.kind === "closed" || newBody.kind === "closed") return undecided("decode_failed");
  // Without samples nothing is to be kept of bodies, not even a hash of a line.
  const conceal = compare.redact.paths.length > 0 || !compare.samples;
  const bodies = { old: oldBody, new: newBody, rules, conceal };
  const kind = commonKind(compare.body, oldBody.media, newBody.media);
  if (isCut) return kind === "events" ? compareStreams(bodies) : undecided("streaming");
  if (sameBytes(oldBody.bytes, newBody.bytes)) return SAME;
  return compareAs(kind, bodies);
}

function sameCodings(pair: Pair): boolean {
  const oldCodings = codingsOf(headerValue(pair.old.headers, "content-encoding"));
  const newCodings = codingsOf(headerValue(pair.new.headers, "content-encoding"));
  return oldCodings.join() === newCodings.join();
}

/** Two bodies whose bytes differ, neither of them cut. */
function compareAs(kind: BodyKind, bodies: Bodies): BodyFindings {
  const oldText = kind === "bytes" ? null : bodies.old.text();
  const newText = kind === "bytes" ? null : bodies.new.text();
  if (oldText === null || newText === null) return compareBytes(bodies);
  if (oldText === newText) return SAME;
  if (oldText === "" || newText === "") return compareEmpty(bodies, oldText, newText);
  const isTree = bodies.old.isTree || bodies.new.isTree;
  // Of a body that is kept as a tree nobody knows the lines any more.
  if (kind === "text" || kind === "bytes")
    return isTree ? undecided("decode_failed") : compareLines(bodies, oldText, newText);

  const treeKind = kind === "unknown" ? "json" : kind;
  const oldReading = readAs(isTree ? "json" : treeKind, oldText);
  const newReading = readAs(isTree ? "json" : treeKind, newText);
  for (const { kind: read } of [oldReading, newReading]) {
    if (read === "too_deep" || read === "too_large") return undecided(read);
  }
  if (oldReading.kind === "tree" && newReading.kind === "tree") {
    return withinTime(() => compareTrees(treeKind, bodies, oldReading, newReading));
  }
  if (kind === "unknown") {
    const isBinary = oldText.includes("\0") || newText.includes("\0");
    return isBinary ? compareBytes(bodies) : compareLines(bodies, oldText, newText);
  }
  if (oldReading.kind === newReading.kind) return compareLines(bodies, oldText, newText);
  return different({
    place: "$",
    template: "$",
    kind: "type",
    old: shownReading(oldReading, bodies.old, oldText, bodies.conceal),
    new: shownReading(newReading, bodies.new, newText, bodies.conceal),
    relation: null,
  });
}

/** Trees that would take too long are too large for us, whatever their length. */
function withinTime(differencesOf: () => readonly Difference[]): BodyFindings {
  try {
    return { kind: "compared", differences: differencesOf() };
  } catch (error) {
    if (error instanceof TooMuchWork) return undecided("too_large");
    throw error;
  }
}

function compareBytes({ old, new: fresh, conceal }: Bodies): BodyFindings {
  return different(bytesDifference(old.bytes, fresh.bytes, conceal));
}

function compareLines({ conceal }: Bodies, oldText: string, newText: string): BodyFindings {
  return { kind: "compared", differences: lineDifferences(oldText, newText, conceal) };
}

function compareEmpty(bodies: Bodies, oldText: string, newText: string): BodyFindings {
  const shown = (body: Open, text: string): string =>
    text === "" || bodies.conceal ? sizeText(body.bytes) : visible(text, MAX_TEXT_CHARS);
  return different(bodyDifference(shown(bodies.old, oldText), shown(bodies.new, newText)));
}

type TreeReading = Extract<Reading, { readonly kind: "tree" }>;

function compareTrees(
  kind: TreeKind,
  { old, new: fresh, rules }: Bodies,
  oldReading: TreeReading,
  newReading: TreeReading,
): readonly Difference[] {
  const differences = diffTrees(oldReading.tree, newReading.tree, rules);
  if (kind !== "xml" && kind !== "html") return differences;
  const tidied = tidyOrder(differences);
  if (old.isTree || fresh.isTree) return tidied;
  if (tidied.length === differences.length || differences.length < MAX_DIFFERENCES) return tidied;
  // What was dropped may have kept others off a list that was full.
  const oldAgain = readWithoutOrder(kind, old.text() ?? "");
  const newAgain = readWithoutOrder(kind, fresh.text() ?? "");
  if (oldAgain.kind !== "tree" || newAgain.kind !== "tree") return differences;
  const moves = tidied.filter(isOrder);
  return mostTelling([...diffTrees(oldAgain.tree, newAgain.tree, rules), ...moves]);
}

/** Streams of events, at least one of them without an end yet. */
function compareStreams(bodies: Bodies): BodyFindings {
  const oldText = bodies.old.text();
  const newText = bodies.new.text();
  if (oldText === null || newText === null) return undecided("streaming");
  const streams = readStreams({ text: oldText, cut: bodies.old.cut }, { text: newText, cut: bodies.new.cut });
  if (streams === null) return undecided("streaming");
  const { old, new: fresh } = streams;
  if (old.kind === "tree" && fresh.kind === "tree") {
    return withinTime(() => diffTrees(old.tree, fresh.tree, bodies.rules));
  }
  return undecided(old.kind === "too_deep" || old.kind === "too_large" ? old.kind : "streaming");
}

/** How a body is shown of which the other side's is of another kind. */
function shownReading(reading: Reading, body: Open, text: string, conceal: boolean): string {
  if (reading.kind === "not") {
    if (conceal) return `${reading.why.replace(/ \(.*/s, "")}: ${sizeText(body.bytes)}`;
    return cut(`${reading.why}: ${visible(text, MAX_TEXT_CHARS)}`, MAX_TEXT_CHARS);
  }
  if (conceal) return sizeText(body.bytes);
  const isJson = reading.kind === "tree" && reading.tree.text !== null;
  return isJson ? shortJson(reading.tree.value) : visible(text, MAX_TEXT_CHARS);
}

function different(difference: Difference): BodyFindings {
  return { kind: "compared", differences: [difference] };
}

function undecided(why: UncomparedReason): BodyFindings {
  return { kind: "undecided", why };
}
