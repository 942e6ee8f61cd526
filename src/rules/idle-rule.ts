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
