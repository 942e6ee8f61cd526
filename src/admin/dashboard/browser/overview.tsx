/** All routes: which side serves whom, whether new is as good as old, what comes next. */

import { useState } from "preact/hooks";
import { counted, formatCount, formatMeasured, formatPerSecond } from "../../../model/figures.ts";
import type { RouteStatus } from "../../../model/reports.ts";
import { ActionButton, actionsFor } from "./act.tsx";
import { useCell } from "./cell.ts";
import type { Snapshot } from "./live.ts";
import { StateBadge, ToneMark } from "./marks.tsx";
import { mismatchesLink, routeLink } from "./places.ts";
import { useRoom } from "./room.ts";
import { StageBar } from "./stage-bar.tsx";
import { TrafficBar } from "./traffic-bar.tsx";
import { differing, judgedPairs, opinionOf, storyOf, takenBack, visible, worstEvidence } from "./words.ts";

/** More rows make a browser slow; the filter finds the others. */
const MAX_ROWS = 100;
/** From here on a list is searched, not read. */
const FILTER_FROM = 8;
/** Of evidence, on the scale where 1 rolls back. */
const WORTH_SAYING = 0.1;

export function Overview() {
  const snapshot = useCell(useRoom().live.snapshot);
  const [filter, setFilter] = useState("");
  const { report } = snapshot;
  if (report === null) return null;
  const wanted = filter.trim().toLowerCase();
  const routes = report.routes.filter(({ name }) => name.toLowerCase().includes(wanted)).sort(byTrouble);
  return (
    <>
      <h1>Routes</h1>
      <Summary snapshot={snapshot} />
      {report.routes.length >= FILTER_FROM && (
        <label class="filter">
          Find a route
          <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
      )}
      <ul class="routes">
        {routes.slice(0, MAX_ROWS).map((route) => (
          <RouteRow key={route.name} route={route} snapshot={snapshot} />
        ))}
      </ul>
      {report.routes.length === 0 && <p>The rules name no routes.</p>}
      {routes.length > MAX_ROWS && (
        <p class="quiet">… and {counted(routes.length - MAX_ROWS, "more route")}: find one by its name.</p>
      )}
    </>
  );
}

/** Latched first, then those whose evidence is rising; else as the rules have them. */
function byTrouble(a: RouteStatus, b: RouteStatus): number {
  return trouble(b) - trouble(a);
}

function trouble(route: RouteStatus): number {
  if (route.latched) return 2;
  return opinionOf(route).tone === "bad" ? 1 : 0;
}

function Summary({ snapshot: { report, rates } }: { readonly snapshot: Snapshot }) {
  if (report === null) return null;
  let [old, fresh] = [0, 0];
  for (const each of rates.values()) {
    old += each.old;
    fresh += each.new;
  }
  const all = old + fresh;
  const latched = report.routes.filter((route) => route.latched).length;
  const paused = report.routes.filter(({ state }) => state === "paused").length;
  return (
    <p class="summary">
      <span>{counted(report.routes.length, "route")}</span>
      {latched > 0 && (
        <span class="badge state-rolled-back">
          <span aria-hidden="true">⬣</span> {formatCount(latched)} ROLLED BACK
        </span>
      )}
      {paused > 0 && <span>{formatCount(paused)} paused</span>}
      <span>
        <b class="number">{formatPerSecond(all)}</b> requests/s
      </span>
      {all > 0 && (
        <span>
          old serves {formatMeasured(old / all)}, new {formatMeasured(fresh / all)}
        </span>
      )}
    </p>
  );
}

function RouteRow({ route, snapshot }: { readonly route: RouteStatus; readonly snapshot: Snapshot }) {
  const opinion = opinionOf(route);
  const { next, seen } = storyOf(route);
  const [metric, evidence] = worstEvidence(route);
  const { mismatches } = judgedPairs(route);
  return (
    <li class={`route-row${route.latched ? " is-latched" : ""}`}>
      <div class="route-name">
        <a href={routeLink(route.name)}>{visible(route.name, 120)}</a>
        <StateBadge state={route.state} />
      </div>
      <StageBar route={route} />
      <TrafficBar route={route} rates={snapshot.rates.get(route.name)} />
      <div class="opinion">
        <p>
          <ToneMark tone={opinion.tone} /> <b>{opinion.words}</b>
        </p>
        {route.rollback !== null && <p>since {takenBack(route.rollback, snapshot.atMs)}</p>}
        <p>{next}</p>
        {seen !== "" && <p class="quiet seen">{seen}</p>}
        {mismatches > 0 && (
          <p>
            <a href={mismatchesLink(route.name)}>
              {counted(mismatches, "answer")} {mismatches === 1 ? "differs" : "differ"}
            </a>{" "}
            {differing(route)}
          </p>
        )}
        {evidence >= WORTH_SAYING && !route.latched && (
          <p class="quiet">
            evidence against new: {metric} {evidence.toFixed(2)} (1 rolls back)
          </p>
        )}
      </div>
      <div class="actions">
        {actionsFor(route)
          .slice(0, 1)
          .map((action) => (
            <ActionButton key={action} action={action} route={route} />
          ))}
      </div>
    </li>
  );
}
