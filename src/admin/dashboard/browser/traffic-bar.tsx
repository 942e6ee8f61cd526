/** Who serves whom, now: shares as they act, and requests a second as they are counted. */

import { formatMeasured, formatPerSecond, formatShare } from "../../../model/figures.ts";
import type { RouteStatus } from "../../../model/reports.ts";
import type { Side } from "../../../model/ruleset.ts";
import { SideName } from "./marks.tsx";

export type Rates = Readonly<Record<Side, number>>;

export function TrafficBar({
  route,
  rates,
}: {
  readonly route: RouteStatus;
  readonly rates: Rates | undefined;
}) {
  const all = rates === undefined ? 0 : rates.old + rates.new;
  const live = rates === undefined || all <= 0 ? null : rates.new / all;
  const shown = live ?? route.canary;
  return (
    <div class="traffic">
      <svg class="split" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="split-old" width="100" height="6" />
        <rect class="split-new" x={100 - shown * 100} width={shown * 100} height="6" />
      </svg>
      <div class="traffic-words">
        <span>
          <SideName side="old" />{" "}
          <b class="number">{rates === undefined ? "–" : formatPerSecond(rates.old)}</b>/s
        </span>
        <span>
          <SideName side="new" />{" "}
          <b class="number">{rates === undefined ? "–" : formatPerSecond(rates.new)}</b>/s
        </span>
      </div>
      <div class="quiet">
        new gets {formatShare(route.canary)}
        {live !== null && `, serves ${formatMeasured(live)}`}
        {route.shadow > 0 && `; shadow ${formatShare(route.shadow)}`}
      </div>
    </div>
  );
}
