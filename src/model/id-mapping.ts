/**
 * Whether the values of new follow from those of old one to one, as where a new system has given every record another
 * id: the same value of old always stands beside the same of new, and no two values of old beside one. A single pair
 * cannot tell, many can. Bounded: the first 128 values of old are watched.
 */

import { fingerprintOf } from "./counted-keys.ts";

export interface IdMapping {
  readonly toNew: Map<number, number>;
  readonly toOld: Map<number, number>;
  /** Values of old that were seen again beside the same one of new. */
  readonly repeated: Set<number>;
  /** Pairs that fitted, first sights too. */
  fitting: number;
  repeats: number;
  conflicts: number;
}

const MAX_VALUES = 128;
const MIN_VALUES = 3;
const MIN_REPEATS = 8;
/** One in so many may be another fault at the same place. */
const FITTING_PER_CONFLICT = 50;
/** Characters of ids: no spaces, as texts for people have. */
const ID = /^[\w.:@/+=~-]{1,120}$/;
const PLAIN = /^(?:true|false|null|-?\d+(?:\.\d+)?[eE][-+]?\d+|-?\d+\.\d+)$/;
const WHOLE_NUMBER = /^-?\d{1,15}$/;

export function createIdMapping(): IdMapping {
  return { toNew: new Map(), toOld: new Map(), repeated: new Set(), fitting: 0, repeats: 0, conflicts: 0 };
}

/** Takes in the texts of one difference. */
export function learnIds(mapping: IdMapping, oldText: string, newText: string): void {
  if (!mayBeIds(bare(oldText), bare(newText))) {
    mapping.conflicts += 1;
    return;
  }
  const oldId = fingerprintOf(oldText);
  const newId = fingerprintOf(newText);
  const known = mapping.toNew.get(oldId);
  if (known === newId) {
    mapping.repeated.add(oldId);
    mapping.repeats += 1;
    mapping.fitting += 1;
  } else if (known !== undefined || mapping.toOld.has(newId)) {
    mapping.conflicts += 1;
  } else if (mapping.toNew.size < MAX_VALUES) {
    mapping.toNew.set(oldId, newId);
    mapping.toOld.set(newId, oldId);
    mapping.fitting += 1;
  }
}

/** True where enough was seen twice and next to nothing speaks against it. */
export function isIdMapping({ repeated, repeats, fitting, conflicts }: IdMapping): boolean {
  if (repeated.size < MIN_VALUES || repeats < MIN_REPEATS) return false;
  return conflicts * FITTING_PER_CONFLICT <= fitting;
}

/** One place takes another's knowledge over. */
export function joinIdMappings(into: IdMapping, from: IdMapping): void {
  into.conflicts += from.conflicts;
  into.fitting += from.fitting;
  into.repeats += from.repeats;
  for (const [oldId, newId] of from.toNew) {
    const known = into.toNew.get(oldId);
    if (known === newId) into.repeated.add(oldId);
    else if (known !== undefined || into.toOld.has(newId)) into.conflicts += 1;
    else if (into.toNew.size < MAX_VALUES) {
      into.toNew.set(oldId, newId);
      into.toOld.set(newId, oldId);
      if (from.repeated.has(oldId)) into.repeated.add(oldId);
    }
  }
}

/** Amounts and words are no ids; nor are numbers that lie close together, such as a count that is off by one. */
function mayBeIds(oldText: string, newText: string): boolean {
  if (!ID.test(oldText) || !ID.test(newText) || PLAIN.test(oldText) || PLAIN.test(newText)) return false;
  if (!WHOLE_NUMBER.test(oldText) || !WHOLE_NUMBER.test(newText)) return true;
  const [a, b] = [Number(oldText), Number(newText)];
  return Math.abs(a - b) > 10 + 0.1 * Math.max(Math.abs(a), Math.abs(b));
}

function bare(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
