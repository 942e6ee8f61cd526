/** Two trees against each other: JSON, and everything that is read into the shape of JSON. */

import type { Place } from "../model/pair.ts";
import type { Difference } from "../model/reports.ts";
import { sameJson } from "./canonical.ts";
import { diffMarked } from "./diff.ts";
import { mostTelling } from "./findings.ts";
import { doublesSuffice, type ExactNumbers, parseRaw, surveyJson } from "./json.ts";
import type { Holder } from "./paths.ts";
import { REDACTED, redactedCopy } from "./redact.ts";
import type { Spots } from "./rename.ts";
import { countMembers, withoutRepeats } from "./repeated.ts";
import { applyRules, exactSideOf, markHidden, type Side, sideOf } from "./sides.ts";
import type { Tree, TreeRules } from "./tree-rules.ts";

/**
 * The differences of two trees, at most MAX_DIFFERENCES; none: they are the same. The rules act in this order:
 *
 * 1. `redact` marks what nobody may see, by either name, before anything else; marked values are compared like
 *    all others, and one that differs is one difference at its own place, without a text.
 * 2. `rename` gives old's members new's names, all at once. From here on paths and places speak new's names.
 * 3. `ignore`, `unordered` and `tolerance` find their nodes in both trees as they are now: no path sees what
 *    another does, and indexes count the items of the answers as they were received.
 * 4. `ignore` removes its nodes.
 * 5. `unordered` arrays cancel equal items and pair the rest by what they share.
 * 6. Numbers that `tolerance` covers are the same, in unordered items too.
 * 7. What is left differs: at a place in old's tree, or in new's for what new alone has.
 *
 * A name that stands twice in an object is read both ways, with its last value and with its first, since
 * clients disagree about it; what only the first reading shows has the relation "repeated name". Trees with a text may be changed in place, and are of no further use; others are
 * left alone. Throws an Error where the comparison would take many seconds, which only hostile nests of
 * unordered arrays with tolerated numbers do: such a pair cannot be compared.
 */
export function diffTrees(old: Tree, fresh: Tree, rules: TreeRules): readonly Difference[] {
  if (rules.whole) return [];
  const longNumbers = [...old.longNumbers, ...fresh.longNumbers];
  const doublesTell =
    longNumbers.length === 0 || (rules.tolerance.length === 0 && doublesSuffice(longNumbers));
  const areEqual = doublesTell && rules.rename.length === 0 && sameJson(old.value, fresh.value, { left: 0 });
  // Before anything is changed in place, or parsed once more for the other reading.
  const repeats = haveRepeats(old, fresh, areEqual);
  const firstOld = repeats ? firstReading(old) : null;
  const firstNew = repeats ? firstReading(fresh) : null;
  const differences = areEqual ? [] : diffReading(old, fresh, rules, doublesTell);
  if (firstOld === null || firstNew === null) return differences;
  return withFirstReading(differences, diffReading(firstOld, firstNew, rules, false));
}

function diffReading(old: Tree, fresh: Tree, rules: TreeRules, doublesTell: boolean): readonly Difference[] {
  const hasLongNumbers = old.longNumbers.length + fresh.longNumbers.length > 0;
  if (doublesTell || !hasLongNumbers) {
    const differences = diffSides(sideOf(old, rules), sideOf(fresh, rules), rules);
    // Found with doubles, but shown with all their digits.
    if (!hasLongNumbers || differences.length === 0) return differences;
  }
  const exactNumbers: ExactNumbers = new Map();
  return diffSides(exactSideOf(old, rules, exactNumbers), exactSideOf(fresh, rules, exactNumbers), rules);
}

function diffSides(old: Side, fresh: Side, rules: TreeRules): readonly Difference[] {
  const { marks, isChanged } = applyRules(old, fresh, rules);
  // Most pairs that differ at all differ nowhere else, and this is several times cheaper than the walk.
  if (isChanged && sameJson(old.tree[0], fresh.tree[0], { left: 0 })) return [];
  return diffMarked(old.tree, fresh.tree, marks);
}

/** Whether a name stands twice in an object of either text. */
function haveRepeats(old: Tree, fresh: Tree, areEqual: boolean): boolean {
  const [inOld, inNew] = [membersInText(old), membersInText(fresh)];
  if (areEqual && inOld !== null && inNew !== null) {
    return inOld !== inNew || inOld !== countMembers(old.value);
  }
  return hasRepeats(old) || hasRepeats(fresh);
}

/** Whether a name stands twice in an object of its text: a copy of the value has lost one of them. */
export function hasRepeats(tree: Tree): boolean {
  const members = membersInText(tree);
  return members !== null && members !== countMembers(tree.value);
}

function membersInText({ text, members }: Tree): number | null {
  return text === null ? null : (members ?? surveyJson(text).members);
}

/** What they read who keep the first of two members of one name. */
function firstReading(tree: Tree): Tree {
  if (tree.text === null) return tree;
  const text = withoutRepeats(tree.text);
  const { longNumbers, members } = surveyJson(text);
  return { ...tree, value: JSON.parse(text), text, longNumbers, members };
}

function withFirstReading(
  differences: readonly Difference[],
  ofFirst: readonly Difference[],
): readonly Difference[] {
  const places = new Set(differences.map(({ place }) => place));
  const besides = ofFirst
    .filter(({ place }) => !places.has(place))
    .map((difference): Difference => ({ ...difference, relation: "repeated name" }));
  return mostTelling([...differences, ...besides]);
}

/**
 * A copy with the nodes under `redact` paths, by old's names and by new's, as "[redacted]"; JSON.stringify of
 * it keeps all digits of JSON's numbers. The tree may have been through `diffTrees`.
 */
export function redactTree(tree: Tree, rules: TreeRules): unknown {
  const shape: Holder = [tree.text === null ? tree.value : JSON.parse(tree.text)];
  const hidden: Spots = new Map();
  markHidden({ tree: shape, shape, unread: tree.unread ?? null }, rules, hidden);
  if (hidden.get(shape)?.has(0)) return REDACTED;
  const raw = tree.text === null || tree.longNumbers.length === 0 ? shape[0] : parseRaw(tree.text);
  return redactedCopy(shape[0], hidden, new Map(), raw);
}

/** Each place of the differences once. */
export function placesOf(differences: readonly Difference[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { template, kind } of differences) places.set(`${kind} ${template}`, { template, kind });
  return [...places.values()];
}
