/** Small drawn things that say with their shape what others say with colour alone. */

import { STATE_WORDS } from "../../../model/figures.ts";
import type { RouteState } from "../../../model/reports.ts";
import type { Side } from "../../../model/ruleset.ts";
import type { Opinion } from "./words.ts";

const TONE_PATHS: Readonly<Record<Opinion["tone"], string>> = {
  good: "M3 8.5l3.2 3L13 4.5",
  unsure: "M3 8h10",
  bad: "M8 2.5L14.5 13.5H1.5zM8 6.5v3.2M8 11.3v.7",
  none: "M8 3a5 5 0 1 0 .01 0z",
};

export function ToneMark({ tone }: { readonly tone: Opinion["tone"] }) {
  return (
    <svg class={`mark tone-${tone}`} viewBox="0 0 16 16" aria-hidden="true">
      <path
        d={TONE_PATHS[tone]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linejoin="round"
      />
    </svg>
  );
}

const STATE_PATHS: Readonly<Record<RouteState, string>> = {
  serving: "M5 3l7 5-7 5z",
  baking: "M8 2.5a5.5 5.5 0 1 0 .01 0zM8 5v3.2l2.2 1.6",
  paused: "M5.5 3.5v9M10.5 3.5v9",
  "rolled-back": "M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2L1.5 10.8V5.2zM5 8h6",
  completed: "M3 8.5l3.2 3L13 4.5",
};

/** The state in words, with a shape of its own; a rollback cannot be overlooked. */
export function StateBadge({ state }: { readonly state: RouteState }) {
  return (
    <span class={`badge state-${state}`}>
      <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
        <path
          d={STATE_PATHS[state]}
          fill="none"
          stroke="currentColor"
          stroke-width="1.8"
          stroke-linejoin="round"
        />
      </svg>
      {STATE_WORDS[state]}
    </span>
  );
}

interface LineSampleProps {
  readonly kind: string;
  readonly isThin?: boolean;
  readonly dash?: readonly number[] | undefined;
}

/** The sample of a line: old's is whole, new's is dashed; thin is the median. */
export function LineSample({ kind, isThin = false, dash }: LineSampleProps) {
  return (
    <svg class={`line-sample line-${kind}${isThin ? " thin" : ""}`} viewBox="0 0 24 8" aria-hidden="true">
      <path
        d="M0 4h24"
        {...(dash === undefined ? {} : { "stroke-dasharray": dash.length === 0 ? "none" : dash.join(" ") })}
      />
    </svg>
  );
}

export function SideName({ side }: { readonly side: Side }) {
  return <span class={`side side-${side}`}>{side}</span>;
}
