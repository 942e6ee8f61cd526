/** A field that may be sound and yet do nothing; warnings.ts tells of those that do. */

import type { MergedRoute } from "./merge.ts";
import type { Path } from "./source-file.ts";

export interface IdleRule {
  readonly field: Path;
  readonly isWritten: (route: MergedRoute) => boolean;
  /** Why it does nothing and what to do about it; undefined: it does something. */
  readonly why: (route: MergedRoute, newHeadersMs: number | undefined) => string | undefined;
}

export const guardOf = ({ fields }: MergedRoute) => (fields.guard === "off" ? undefined : fields.guard);

export const isOn = (test: unknown): boolean => test !== undefined && test !== "off";

/** The methods that conditions let in; those that name none let in `all`. */
export function methodsOf(match: MergedRoute["fields"]["match"], all: readonly string[]): readonly string[] {
  const conditions = match === undefined ? [] : Array.isArray(match) ? match : [match];
  return conditions.length === 0 ? all : conditions.flatMap((condition) => condition.methods ?? all);
}

/** Methods that no condition of the route lets in. */
export function methodsIdle(
  { fields: { match } }: MergedRoute,
  block: "canary" | "shadow",
  methods: readonly string[],
): string | undefined {
  const taken = methodsOf(match, methods);
  if (taken.some((method) => methods.includes(method))) return undefined;
  const own = [...new Set(taken)].join(", ");
  const does = block === "canary" ? "so canary sends nothing to new" : "so nothing is shadowed";
  const sideEffects = block === "shadow" ? " (with sideEffects: allowed where they change things)" : "";
  return `${block}.methods is ${methods.join(", ")} and match.methods ${own}, ${does}: name one of ${own} in ${block}.methods${sideEffects}, or leave ${block} out`;
}
