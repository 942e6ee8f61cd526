/** What `compare` may say in vain. */

import { parsePath } from "../model/jsonpath.ts";
import { hasShadow } from "./idle-rollout.ts";
import { guardOf, type IdleRule, isOn } from "./idle-rule.ts";
import type { MergedRoute } from "./merge.ts";

/** Only these are asked twice: asking again changes nothing. */
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS", "TRACE"];

/** Bodies that are not read as data have no paths in them. */
const BODIES_WITHOUT_PATHS: ReadonlySet<string> = new Set(["text", "bytes", "off"]);

const compareOf = ({ fields }: MergedRoute) => (fields.compare === "off" ? undefined : fields.compare);

export const IDLE_COMPARE_RULES: readonly IdleRule[] = [
  {
    field: ["compare", "noise"],
    isWritten: (route) => isOn(compareOf(route)?.noise),
    why: (route) => neverAsked(route, "noise"),
  },
  {
    field: ["compare", "confirm"],
    isWritten: (route) => isOn(compareOf(route)?.confirm),
    why: (route) => neverAsked(route, "confirm"),
  },
  {
    field: ["compare", "noise"],
    isWritten: (route) => compareOf(route)?.noise === "off" && isOn(guardOf(route)?.mismatches),
    why: (route) => {
      // Where there are no shadows that could be asked twice, the advice would not help.
      if (!hasShadow(route) || neverAsked(route, "noise") !== undefined) return undefined;
      return "compare.noise is off, so noise cannot be told from mismatch, and guard.mismatches rolls back for what old itself answers differently each time: leave noise out, or write noise: 2%";
    },
  },
  ignoreRule(),
  withoutPaths("unordered", (compare) => compare.unordered?.[0]),
  withoutPaths("tolerance", (compare) => compare.tolerance?.[0]?.path),
  withoutPaths("rename", (compare) => Object.keys(compare.rename ?? {})[0]),
  withoutPaths(
    "redact",
    (compare) => compare.redact?.flatMap((each) => (each.kind === "path" ? [each.path] : []))[0],
  ),
];

function neverAsked({ fields: { shadow } }: MergedRoute, field: "noise" | "confirm"): string | undefined {
  const methods = shadow?.methods;
  // That there is no shadow at all is said of the whole of compare.
  if (methods === undefined || methods.some((method) => SAFE_METHODS.includes(method))) return undefined;
  return `compare.${field} asks again, which is done for ${SAFE_METHODS.join(", ")} alone, and shadow.methods is ${methods.join(", ")}: leave ${field} out`;
}

/** One rule for all that can be said of the field: what is of use by one of two is of use (warnings.ts). */
function ignoreRule(): IdleRule {
  const paths = withoutPaths("ignore", (compare) => compare.ignore?.[0]);
  return { ...paths, why: (route) => paths.why(route, undefined) ?? allIgnored(route) };
}

function allIgnored(route: MergedRoute): string | undefined {
  const whole = compareOf(route)?.ignore?.find((text) => {
    const path = parsePath(text);
    return path.kind === "steps" && path.steps.length === 0;
  });
  if (whole === undefined) return undefined;
  return `compare.ignore names ${whole}, the whole body, so that no two bodies differ: write narrower paths such as $.updatedAt, body: off to compare status and headers alone, or compare: off`;
}

type CompareFields = NonNullable<ReturnType<typeof compareOf>>;

function withoutPaths(
  field: "ignore" | "unordered" | "tolerance" | "rename" | "redact",
  firstPath: (compare: CompareFields) => string | undefined,
): IdleRule {
  const pathOf = (route: MergedRoute) => {
    const compare = compareOf(route);
    return compare && firstPath(compare);
  };
  return {
    field: ["compare", field],
    isWritten: (route) => pathOf(route) !== undefined,
    why: (route) => {
      const body = compareOf(route)?.body ?? "auto";
      if (!BODIES_WITHOUT_PATHS.has(body)) return undefined;
      const is = `compare.${field} names ${pathOf(route)}, and compare.body is ${body}`;
      if (field !== "redact") return `${is}, which knows no paths: leave it out, or write body: auto`;
      return body === "text"
        ? `${is}, which knows no paths, so nothing of the bodies is kept or shown at all: leave it out, or write body: auto`
        : `${is}, of which nothing is kept anyway: leave it out; header:NAME and query:NAME work`;
    },
  };
}
