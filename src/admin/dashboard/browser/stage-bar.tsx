/** Where a route is on its way: shadow → 1% → 5% → 25% → 100%. */

import { formatShare } from "../../../model/figures.ts";
import type { RouteStatus, Stage } from "../../../model/reports.ts";

/** More would not be told apart. */
const MAX_SHOWN = 12;

/** `fell`: from here it was rolled back. */
type Place = "done" | "now" | "ahead" | "fell";

export function StageBar({ route }: { readonly route: RouteStatus }) {
  const stages = route.stages ?? [];
  if (stages.length === 0) return null;
  const isRollout = route.step !== null;
  return (
    <ol
      class={`stages${route.latched ? " latched" : ""}`}
      aria-label={isRollout ? "steps of the rollout" : "shares"}
    >
      {stages.slice(0, MAX_SHOWN).map((stage, index) => {
        const place = placeOf(route, index);
        return (
          <li key={index} class={place} {...(place === "now" ? { "aria-current": "step" as const } : {})}>
            <span class="stage-name">
              {place === "done" && <span aria-hidden="true">✓ </span>}
              {stageName(stage)}
            </span>
            <span class="stage-note">{noteOf(route, stage, place, isRollout)}</span>
            {place === "now" && route.bake !== null && <Baked route={route} />}
          </li>
        );
      })}
      {stages.length > MAX_SHOWN && <li class="ahead">… {stages.length - MAX_SHOWN} more</li>}
    </ol>
  );
}

/** "shadow", "5%": what a stage gives to new. */
export function stageName({ canary, shadow }: Stage): string {
  if (canary > 0) return formatShare(canary);
  if (shadow > 0) return shadow === 1 ? "shadow" : `shadow ${formatShare(shadow)}`;
  return "old only";
}

function placeOf(route: RouteStatus, index: number): Place {
  if (route.latched) return index === (route.step ?? 0) ? "fell" : "ahead";
  if (route.step === null) return "now";
  if (route.state === "completed") return index === route.step ? "now" : "done";
  if (index === route.step) return "now";
  return index < route.step ? "done" : "ahead";
}

function noteOf(route: RouteStatus, stage: Stage, place: Place, isRollout: boolean): string {
  if (place === "fell") return "taken back";
  if (route.latched) return "off";
  if (!isRollout) return "set in the rules";
  if (place === "done") return "done";
  if (place === "now")
    return route.state === "completed" ? "the end" : route.state === "paused" ? "paused" : "now";
  const needs = [...(stage.gates.length > 0 ? ["gate"] : []), ...(stage.approve ? ["approval"] : [])];
  return needs.length > 0 ? needs.join(", ") : "ahead";
}

function Baked({ route }: { readonly route: RouteStatus }) {
  const { bake } = route;
  if (bake === null || bake.ofSeconds <= 0 || route.state === "completed") return null;
  const done = Math.min(bake.doneSeconds / bake.ofSeconds, 1);
  return <progress class="baked" max={1} value={done} aria-label={`baked ${Math.floor(done * 100)}%`} />;
}
