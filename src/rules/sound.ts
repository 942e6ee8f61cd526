/** What is sound of a value with mistakes in it, so that the checks of fields against each other can go on. */

import type { z } from "zod";
import { wrongPaths } from "./issues.ts";
import { type Path, valueAt } from "./source-file.ts";

export interface Sound<Fields> {
  /** Without all that is wrong; null when nothing is left that makes sense. */
  readonly fields: Fields | null;
  /** Where wrong values were written, each field once: in place of the items of a list the first stands for all. */
  readonly wrong: readonly Path[];
  /** The path that a path in `fields` had in the data: lists lose their wrong items, and those behind move up. */
  readonly writtenPath: (path: Path) => Path;
}

/** Each round takes out all that is wrong by then; what it was needed for goes in the next, one level up. */
const MAX_ROUNDS = 8;
/** Fields in `wrong`: every route looks through those of the defaults. */
const MAX_WRONG_FIELDS = 100;

/** Parses data; where that fails, parses what is left without the wrong values. */
export function soundFields<Schema extends z.ZodType>(
  schema: Schema,
  data: unknown,
): Sound<z.output<Schema>> {
  let wrong = unreadPaths(data);
  let left = wrong.length === 0 ? whole(data) : without(data, wrong);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const parsed = schema.safeParse(left.data);
    if (parsed.success) return { fields: parsed.data, wrong: fieldsOf(wrong), writtenPath: left.writtenPath };
    const found = wrongPaths(parsed.error.issues).map(left.writtenPath);
    const gone = new Set(wrong.map((path) => JSON.stringify(path)));
    wrong = wrong.concat(found.map((path) => nearestWritten(data, path, gone)));
    if (wrong.some((path) => path.length === 0)) break;
    left = without(data, wrong);
  }
  return { fields: null, wrong: fieldsOf(wrong), writtenPath: (path) => path };
}

function fieldsOf(paths: readonly Path[]): Path[] {
  const fields = new Map<string, Path>();
  for (const path of paths) {
    const field = path.map((step) => (typeof step === "number" ? 0 : step));
    fields.set(JSON.stringify(field), field);
    if (fields.size === MAX_WRONG_FIELDS) break;
  }
  return [...fields.values()];
}

/** What is missing makes the block around it wrong, and so does what was taken out although it is needed. */
function nearestWritten(data: unknown, path: Path, gone: ReadonlySet<string>): Path {
  const isThere = valueAt(data, path) !== undefined && !gone.has(JSON.stringify(path));
  return isThere || path.length === 0 ? path : nearestWritten(data, path.slice(0, -1), gone);
}

/** Values whose reading failed already (a variable that is not set, say) are there and undefined. */
function unreadPaths(data: unknown): Path[] {
  if (data === undefined) return [[]];
  if (typeof data !== "object" || data === null) return [];
  const steps = Array.isArray(data) ? [...data.keys()] : Object.keys(data);
  return steps.flatMap((step) =>
    unreadPaths((data as Record<string | number, unknown>)[step]).map((path): Path => [step, ...path]),
  );
}

interface Left {
  readonly data: unknown;
  readonly writtenPath: (path: Path) => Path;
}

const whole = (data: unknown): Left => ({ data, writtenPath: (path) => path });

/** What is to be taken out: the value itself (true), or parts of it by their step. */
type Cuts = Map<string | number, Cuts | true>;

function without(data: unknown, wrong: readonly Path[]): Left {
  const cuts: Cuts = new Map();
  for (const path of wrong) addCut(cuts, path);
  // By the list as it is left; the steps that its items had.
  const stepsOf = new Map<string, readonly number[]>();
  const copy = (value: unknown, cut: Cuts, at: Path): unknown => {
    const keep = (step: string | number, each: unknown, newStep: string | number): unknown => {
      const inside = cut.get(step);
      return inside === undefined || inside === true ? each : copy(each, inside, [...at, newStep]);
    };
    if (Array.isArray(value)) {
      const steps = [...value.keys()].filter((step) => cut.get(step) !== true);
      stepsOf.set(JSON.stringify(at), steps);
      return steps.map((step, index) => keep(step, value[step], index));
    }
    if (typeof value !== "object" || value === null) return value;
    const kept = Object.entries(value).filter(([name]) => cut.get(name) !== true);
    return Object.fromEntries(kept.map(([name, each]) => [name, keep(name, each, name)]));
  };
  return {
    data: copy(data, cuts, []),
    writtenPath: (path) =>
      path.map((step, index) =>
        typeof step === "number" ? (stepsOf.get(JSON.stringify(path.slice(0, index)))?.[step] ?? step) : step,
      ),
  };
}

function addCut(cuts: Cuts, path: Path): void {
  let level = cuts;
  for (const [index, step] of path.entries()) {
    const known = level.get(step);
    if (known === true) return;
    if (index === path.length - 1) level.set(step, true);
    else {
      const deeper: Cuts = known ?? new Map();
      level.set(step, deeper);
      level = deeper;
    }
  }
}
