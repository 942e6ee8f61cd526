/** How answers are compared where the rules say nothing. */

import type { Compare } from "./ruleset.ts";

/** Noise: INTERFACE's default depends on the guard, so rules/ decides it. */
export const DEFAULT_COMPARE: Compare = {
  status: { by: "exact", equal: [] },
  headers: ["content-type"],
  body: "auto",
  ignore: [],
  unordered: [],
  tolerance: [],
  rename: [],
  noisePpm: 0,
  confirmAfterMs: null,
  redact: { paths: [], headers: [], query: [] },
  samples: true,
};
