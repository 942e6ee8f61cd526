/** The paths of a route's `compare`, and the trees that they act on. */

import type { ParsedPath, ParsedRename } from "../model/jsonpath.ts";
import type { Compare } from "../model/ruleset.ts";
import { compilePath, compilePaths } from "./paths.ts";
import { redactedByBothNames } from "./redact.ts";
import { compileRename } from "./rename.ts";
import { type Allowance, allowanceOf } from "./tolerance.ts";

/** A body as a plain JSON value. `parseJson`'s result is one as it is. */
export interface Tree {
  readonly value: unknown;
  /** JSON: the text that `value` was parsed from; null for other kinds. */
  readonly text: string | null;
  /** Source texts of the numbers that a double may not hold; empty where `text` is null. */
  readonly longNumbers: readonly string[];
  /** Members in `text`, repeated names counted each time; absent: counted when needed. */
  readonly members?: number;
  /** Names texts that could not be read as data: where any path is redacted, they may hold what it names. */
  readonly unread?: ParsedPath;
}

/** The paths of a route's `compare`, compiled once for a version of the rules. */
export interface TreeRules {
  /** `$` itself is ignored: bodies are not compared at all. */
  readonly whole: boolean;
  readonly rename: readonly ParsedRename[];
  readonly ignore: readonly ParsedPath[];
  readonly unordered: readonly ParsedPath[];
  readonly tolerance: readonly { readonly path: ParsedPath; readonly allowances: readonly [Allowance] }[];
  /** By old's names and by new's. */
  readonly redact: readonly ParsedPath[];
}

/** Throws an Error that names the path that is not one, or the rename that cannot be. */
export function compileTreeRules(compare: Compare): TreeRules {
  const rename = compare.rename.map(compileRename);
  const ignore = compilePaths("ignore", compare.ignore);
  return {
    whole: ignore.some((path) => path.kind === "steps" && path.steps.length === 0),
    rename,
    ignore,
    unordered: compilePaths("unordered", compare.unordered),
    tolerance: compare.tolerance.map((tolerance) => ({
      path: compilePath("tolerance", tolerance.path),
      allowances: [allowanceOf(tolerance)] as const,
    })),
    redact: redactedByBothNames(compilePaths("redact", compare.redact.paths), rename),
  };
}
