/**
 * Member names that are data. A map such as `{"alice": {…}, "bob": {…}}` has a place for every name, and none of
 * them says much; once a parent was seen with many names they become `[*]`, and what was known of each is one. So do
 * the lines of a text, each sort of which has a name of its own.
 */

export interface Folds {
  /** Templates whose members are `[*]`. */
  readonly parents: Set<string>;
  /** Names seen of parents that are not folded; those first that were begun first. */
  readonly names: Map<string, Set<string>>;
  /** Names of one parent that are kept apart. */
  readonly maxNames: number;
  readonly maxParents: number;
  /** Templates whose names were noted, folded; forgotten with every fold. */
  readonly known: Map<string, string>;
}

/** So many names of one parent are fields; more are data. */
const MAX_NAMES = 50;
const MAX_KNOWN = 4_096;
const ANY = "[*]";

/** Nothing is folded yet. At most `maxParents` parents are watched at a time. */
export function createFolds(maxParents: number, maxNames = MAX_NAMES): Folds {
  return { parents: new Set(), names: new Map(), maxNames, maxParents, known: new Map() };
}

/** The template with `[*]` for names of folded parents. Places that are no paths stay as they are. */
export function foldTemplate(folds: Folds, template: string): string {
  if (folds.parents.size === 0 || !hasNames(template)) return template;
  const known = folds.known.get(template);
  if (known !== undefined) return known;
  let folded = rootOf(template);
  for (const segment of segmentsOf(template)) {
    folded += isName(segment) && folds.parents.has(folded) ? ANY : segment;
  }
  return folded;
}

/**
 * Notes the names along a template and answers it folded; `newlyFolded` is called for every parent that begins to be
 * folded, whose known members the caller has to bring together (foldTemplate says where to).
 */
export function learnTemplate(folds: Folds, template: string, newlyFolded: (parent: string) => void): string {
  if (!hasNames(template)) return template;
  const known = folds.known.get(template);
  if (known !== undefined) return known;
  let folded = rootOf(template);
  for (const segment of segmentsOf(template)) {
    const isMember = isName(segment) && !folds.parents.has(folded);
    if (isMember && noteName(folds, folded, segment)) newlyFolded(folded);
    folded += isName(segment) && folds.parents.has(folded) ? ANY : segment;
  }
  if (folds.known.size >= MAX_KNOWN) folds.known.clear();
  folds.known.set(template, folded);
  return folded;
}

/** True where this name was one too many. */
function noteName(folds: Folds, parent: string, name: string): boolean {
  const names = namesOf(folds, parent);
  names.add(name);
  if (names.size <= folds.maxNames) return false;
  folds.parents.add(parent);
  folds.known.clear();
  // Below it the parents have other names from now on.
  for (const other of folds.names.keys()) if (other.startsWith(parent)) folds.names.delete(other);
  return true;
}

function namesOf(folds: Folds, parent: string): Set<string> {
  const found = folds.names.get(parent);
  if (found !== undefined) return found;
  if (folds.names.size >= folds.maxParents) {
    for (const oldest of folds.names.keys()) {
      folds.names.delete(oldest);
      break;
    }
  }
  const names = new Set<string>();
  folds.names.set(parent, names);
  return names;
}

function isName(segment: string): boolean {
  return [".", "['", '["', PATTERN].some((start) => segment.startsWith(start));
}

/** Of a line: what its like have in common (compare/line-pattern.ts). */
const PATTERN = "[~";
const LINE = "line";

/** Whether it is the place of some lines of a text. */
export function isLinePattern(template: string): boolean {
  return template.startsWith(LINE + PATTERN);
}

function hasNames(template: string): boolean {
  return template.startsWith("$") || isLinePattern(template);
}

function rootOf(template: string): string {
  return template.startsWith("$") ? "$" : LINE;
}

/**
 * `$.a['b c'][*]` is `.a`, `['b c']`, `[*]`; `line[~3fa9c1]` is `[~3fa9c1]`; what has no names has no segments. A path
 * that was cut somewhere ends with what is left of it.
 */
export function segmentsOf(template: string): string[] {
  if (!hasNames(template)) return [];
  const segments: string[] = [];
  let at = rootOf(template).length;
  while (at < template.length) {
    const end = template[at] === "[" ? bracketEnd(template, at) : nameEnd(template, at + 1);
    segments.push(template.slice(at, end));
    at = end;
  }
  return segments;
}

function nameEnd(template: string, from: number): number {
  let at = from;
  while (at < template.length && template[at] !== "." && template[at] !== "[") at += 1;
  return at;
}

function bracketEnd(template: string, from: number): number {
  const quote = template[from + 1];
  if (quote !== "'" && quote !== '"') {
    const end = template.indexOf("]", from);
    return end < 0 ? template.length : end + 1;
  }
  let at = from + 2;
  while (at < template.length && template[at] !== quote) at += template[at] === "\\" ? 2 : 1;
  return Math.min(at + 2, template.length);
}
