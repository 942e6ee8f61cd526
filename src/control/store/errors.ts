/** What can go wrong with the state folder, as sentences for an operator. */

import { SealError } from "./seals.ts";

/** The calls of the store that can fail by name, and what a failed one costs. */
const CONSEQUENCES: Readonly<Record<string, string>> = {
  latch: "the rollback acts, but a restart would forget it",
  unlatch: "the reset is not stored: a restart would find the rollback again",
  moveRollout: "the rollout stays where it is",
  keepRollouts: "how far the rollout has come is not stored",
  dropRollouts: "a restart would find a rollout that the rules have dropped",
  pin: "a restart would not know this pin",
  unpin: "a restart would find this pin again",
  append: "this line is missing from the audit trail",
  addSamples: "these mismatch samples are lost",
  mergeClusterSamples: "these mismatch samples stay with the places that were folded into one",
  dropSamples: "samples that should be gone are still there",
  saveClusters: "a restart would begin to count mismatches by place anew",
  addHistory: "these minutes will be missing from the charts after a restart",
  setMeta: "a restart would not know this value",
  open: "nothing can be remembered over a restart",
  reset: "the damaged files are still in use and every route stays on old",
};

/** Result codes of SQLite (the low byte of an extended code), see https://sqlite.org/rescode.html. */
const SQLITE = {
  perm: 3,
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
};

/** A call of the store that did not take effect. The message is a sentence for people. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  /** Name of the call: "latch", "append" … */
  readonly operation: string;
  /** Text of SQLite or an errno name ("ENOSPC"); "" where there is neither. */
  readonly code: string;

  constructor(operation: string, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.operation = operation;
    this.code = code;
  }
}

/** The state folder itself cannot be used; the message says what to do instead. */
export class StateFolderError extends Error {
  override readonly name = "StateFolderError";
}

/** Turns whatever a failed call threw into a StoreError with what happened and what it costs. */
export function asStoreError(operation: string, folder: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = codeOf(cause);
  const message = withConsequence(operation, `the state folder ${folder} ${trouble(cause)}`);
  return new StoreError(operation, code, message, { cause });
}

/** Adds to a sentence what the failed call costs. */
export function withConsequence(operation: string, sentence: string): string {
  const consequence = CONSEQUENCES[operation];
  return consequence === undefined ? sentence : `${sentence}: ${consequence}`;
}

/** A predicate for "the state folder X …": "is full", "is read-only" … */
export function trouble(cause: unknown): string {
  switch (primaryCode(cause)) {
    case SQLITE.full:
      return "is full";
    case SQLITE.readOnly:
      return "is read-only";
    case SQLITE.busy:
      return "is locked by another program that has its database open";
    case SQLITE.perm:
    case SQLITE.cantOpen:
      return "cannot be opened for writing (missing, no permission, or full)";
    case SQLITE.ioError:
      return `fails to read or write (${textOf(cause)})`;
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return `holds a damaged database (${textOf(cause)})`;
    default:
      return errnoTrouble(cause);
  }
}

/** Whether the file itself was found broken, by SQLite or by its seals, so that nothing in it may be trusted any more. */
export function isDamage(cause: unknown): boolean {
  if (cause instanceof SealError) return true;
  const code = primaryCode(cause);
  return code === SQLITE.corrupt || code === SQLITE.notADatabase;
}

/** Whether another program holds the file: it may be writing. */
export function isBusy(cause: unknown): boolean {
  return primaryCode(cause) === SQLITE.busy;
}

/** The message of anything thrown. */
export function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function errnoTrouble(cause: unknown): string {
  switch (codeOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return "is full";
    case "EROFS":
      return "is read-only";
    case "EACCES":
    case "EPERM":
      return "may not be written by this user";
    case "ENOTDIR":
    case "EEXIST":
      return "is not a folder";
    case "ENOENT":
      return "does not exist";
    default:
      return `cannot be used (${textOf(cause)})`;
  }
}

function primaryCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error) || !("errcode" in cause) || typeof cause.errcode !== "number")
    return undefined;
  return cause.errcode & 0xff; // the rest of an extended code only refines it
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  if ("errstr" in cause && typeof cause.errstr === "string") return cause.errstr;
  return "code" in cause && typeof cause.code === "string" ? cause.code : "";
}
