/**
 * Regular expressions of the rules, also within JSONPaths: whether a text is one, and whether it can take for ever. A
 * repetition of what repeats itself, such as (a+)+$, tries every way to part a text before it gives up: two ways for
 * each character, doubled with the next. Only what surely does so is found; (a|a)+$ is not.
 */

interface Item {
  /** `edge`: takes no characters, such as ^ or (?=a). `echo`: those that a group took before. */
  readonly kind: "character" | "group" | "edge" | "echo";
  readonly least: number;
  readonly isEndless: boolean;
  /** What a group, or an edge that looks around, has in its brackets. */
  readonly branches: readonly Branch[];
  /** As it is written, with its repetition and without. */
  readonly text: string;
  readonly bare: string;
}

type Branch = readonly Item[];

interface Reader {
  readonly text: string;
  at: number;
}

const MAX_SHOWN_CHARS = 40;

/**
 * Why a text is no regular expression that can be used, and what to write, spelled as within a JSONPath; null: it can.
 * `isWhole`: it has to match a text from its first character to its last.
 */
export function patternMistake(pattern: string, isWhole: boolean): string | null {
  try {
    new RegExp(pattern, "u");
  } catch (error) {
    const why = error instanceof Error ? error.message.split("/u: ").at(-1) : String(error);
    return `${cut(inJsonPath(pattern))} is no regular expression (${why}): a character that stands for itself has two backslashes before it, as in \\\\[`;
  }
  return endlessMistake(pattern, isWhole, inJsonPath);
}

/**
 * Why an expression surely can take for ever, and what to write; null: not surely. `spelled`: how a part of it is written
 * where it comes from.
 */
export function endlessMistake(
  pattern: string,
  isWhole: boolean,
  spelled: (text: string) => string = (text) => text,
): string | null {
  const endless = findEndless(readBranches({ text: pattern, at: 0 }), isWhole);
  if (endless === null) return null;
  const plain = plainly(endless);
  const advice =
    plain === null
      ? "let only one of the two repeat, as in [a-z]+(-[a-z]+)* for ([a-z]+-?)*"
      : cut(spelled(plain));
  return `${cut(spelled(endless.text))} repeats what repeats itself, which can take for ever over a long text: write ${advice}`;
}

/** There a backslash is written twice. */
function inJsonPath(text: string): string {
  return text.replaceAll("\\", "\\\\");
}

function cut(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}

/** Of an expression that is known to be one, up to its end or the bracket that closes. */
function readBranches(reader: Reader): readonly Branch[] {
  let branch: Item[] = [];
  const branches = [branch];
  while (reader.at < reader.text.length && reader.text[reader.at] !== ")") {
    if (reader.text[reader.at] === "|") {
      reader.at++;
      branch = [];
      branches.push(branch);
    } else branch.push(readItem(reader));
  }
  return branches;
}

const GROUP = /^\((?:\?(?:<?[=!]|<[^>]*>|[a-z-]*:))?/;
const LOOKS_AROUND = /^\(\?<?[=!]/;
const REPETITION = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/;

/** Of one character; the last takes whatever is left. */
const ATOMS: readonly (readonly [Item["kind"], RegExp])[] = [
  ["edge", /^(?:[$^]|\\[bB])/],
  ["echo", /^\\(?:[1-9]\d*|k<[^>]*>)/],
  ["character", /^\[(?:\\.|[^\\\]])*\]/su],
  ["character", /^\\(?:u\{[^}]*\}|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|c[A-Za-z]|[pP]\{[^}]*\}|.)/su],
  ["character", /^./su],
];

function readItem(reader: Reader): Item {
  const from = reader.at;
  const { kind, branches } = readAtom(reader);
  const bare = reader.text.slice(from, reader.at);
  const [repetition, sign, count, comma, most] = REPETITION.exec(reader.text.slice(reader.at)) ?? [];
  reader.at += repetition?.length ?? 0;
  const least = sign === "*" || sign === "?" ? 0 : Number(count ?? 1);
  const isEndless = sign === "*" || sign === "+" || (comma === "," && most === "");
  return { kind, least, isEndless, branches, text: reader.text.slice(from, reader.at), bare };
}

function readAtom(reader: Reader): Pick<Item, "kind" | "branches"> {
  const rest = reader.text.slice(reader.at);
  const [opening] = GROUP.exec(rest) ?? [];
  if (opening !== undefined) {
    reader.at += opening.length;
    const branches = readBranches(reader);
    reader.at++; // the bracket that closes
    return { kind: LOOKS_AROUND.test(rest) ? "edge" : "group", branches };
  }
  for (const [kind, pattern] of ATOMS) {
    const [atom] = pattern.exec(rest) ?? [];
    if (atom === undefined) continue;
    reader.at += atom.length;
    return { kind, branches: [] };
  }
  reader.at++;
  return { kind: "character", branches: [] };
}

/** The first group that repeats what repeats itself, and can fail: something has to come behind it. */
function findEndless(branches: readonly Branch[], isFollowed: boolean): Item | null {
  for (const branch of branches) {
    let follows = isFollowed;
    for (const item of branch.toReversed()) {
      const inside = findEndless(item.branches, follows && item.kind === "group");
      if (inside !== null) return inside;
      if (item.kind === "group" && item.isEndless && follows && item.branches.some(isManyOfItself))
        return item;
      follows ||= !canBeEmpty(item);
    }
  }
  return null;
}

/** Whether some text fits it once, and just so any number of times over: all but one of it can be left out. */
function isManyOfItself(branch: Branch): boolean {
  return branch.some((item) => repeats(item) && branch.every((other) => other === item || canBeEmpty(other)));
}

function repeats({ kind, isEndless, branches }: Item): boolean {
  if (kind === "character") return isEndless;
  if (kind !== "group") return false;
  return branches.some((branch) => isManyOfItself(branch) || (isEndless && takesCharacters(branch)));
}

/** Nothing but characters, and some. */
function takesCharacters(branch: Branch): boolean {
  const isSure = (item: Item): boolean =>
    item.kind === "character" || (item.kind === "group" && item.branches.some(takesCharacters));
  return branch.length > 0 && branch.every(isSure);
}

function canBeEmpty({ kind, least, branches }: Item): boolean {
  if (kind === "character" || kind === "group") {
    if (least === 0) return true;
    return kind === "group" && branches.some((branch) => branch.every(canBeEmpty));
  }
  return false;
}

/** (a+)* is a*; null: it is not as simple as that. */
function plainly({ branches, least }: Item): string | null {
  const [only, ...others] = branches[0] ?? [];
  if (branches.length > 1 || others.length > 0 || only?.kind !== "character" || only.least > 1) return null;
  return `${only.bare}${least === 0 || only.least === 0 ? "*" : "+"}`;
}
