/**
 * Names that stand twice in one object. JSON leaves open which value counts: JSON.parse and most others keep
 * the last, some the first. A text without the later ones is what those others read.
 */

/** The members of all objects in a parsed value. Fewer than in its text: a name was repeated. */
export function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && item !== null) members += countMembers(item);
    return members;
  }
  const own = Object.values(value);
  members = own.length;
  for (const member of own)
    if (typeof member === "object" && member !== null) members += countMembers(member);
  return members;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

interface Level {
  /** Null in arrays. */
  readonly names: Set<string> | null;
  /** Where the piece before the current member ended: at its comma, or behind the opening brace. */
  memberFrom: number;
  /** The name of the current member is yet to come. */
  awaitsName: boolean;
  /** The current member repeats a name. */
  repeats: boolean;
}

/** A valid JSON text without the members that repeat an earlier name of their object. */
export function withoutRepeats(text: string): string {
  const kept: string[] = [];
  let keptTo = 0;
  const levels: Level[] = [];
  /** Only the outermost repeated member is cut out; what is in it goes with it. */
  let cutDepth = 0;
  const endMember = (at: number): void => {
    const level = levels.at(-1);
    if (level === undefined) return;
    if (level.repeats) {
      level.repeats = false;
      if (levels.length === cutDepth) {
        kept.push(text.slice(keptTo, level.memberFrom));
        keptTo = at;
        cutDepth = 0;
      }
    }
    level.memberFrom = at;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const level = levels.at(-1);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (level?.awaitsName && level.names !== null) {
        level.awaitsName = false;
        const name = JSON.parse(text.slice(at, end)) as string;
        level.repeats = level.names.has(name);
        if (level.repeats && cutDepth === 0) cutDepth = levels.length;
        level.names.add(name);
      }
      at = end - 1;
    } else if (code === 0x7b) {
      levels.push({ names: new Set(), memberFrom: at + 1, awaitsName: true, repeats: false });
    } else if (code === 0x5b) {
      levels.push({ names: null, memberFrom: at + 1, awaitsName: false, repeats: false });
    } else if (code === 0x7d || code === 0x5d) {
      endMember(at);
      levels.pop();
    } else if (code === 0x2c && level !== undefined) {
      endMember(at);
      level.awaitsName = level.names !== null;
    }
  }
  kept.push(text.slice(keptTo));
  return kept.join("");
}

/** Just behind the closing quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}
