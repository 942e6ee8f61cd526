/** What an operator does to a route: each action says what it will do, and asks for the reason. */

import { useEffect, useRef, useState } from "preact/hooks";
import { counted, formatCount, formatShare } from "../../../model/figures.ts";
import type { RouteStatus, Stage } from "../../../model/reports.ts";
import { wordsOf } from "./client.ts";
import type { Snapshot } from "./live.ts";
import { useRoom } from "./room.ts";
import { stageName } from "./stage-bar.tsx";
import type { Rates } from "./traffic-bar.tsx";
import { aboutPerSecond, portion, visible } from "./words.ts";

export type ActionName = "rollback" | "promote" | "pause" | "resume" | "reset";

const LABELS: Readonly<Record<ActionName, string>> = {
  rollback: "Roll back",
  promote: "Promote",
  pause: "Pause",
  resume: "Resume",
  reset: "Reset",
};

const MAX_REASON_CHARS = 500;

/** Those that a route takes as it stands; a rollback is always among them until it has happened. */
export function actionsFor(route: RouteStatus): readonly ActionName[] {
  if (route.latched) return ["reset"];
  const rollout: readonly ActionName[] =
    route.step === null || route.state === "completed"
      ? []
      : route.state === "paused"
        ? ["resume", "promote"]
        : ["promote", "pause"];
  return ["rollback", ...rollout];
}

/** A button that opens the confirmation. `route` null: all routes. */
export function ActionButton({
  action,
  route,
}: {
  readonly action: ActionName;
  readonly route: RouteStatus | null;
}) {
  const [open, setOpen] = useState(false);
  const label = route === null ? "Roll back all" : LABELS[action];
  return (
    <>
      <button
        type="button"
        class={`act act-${action}`}
        aria-haspopup="dialog"
        aria-label={route === null ? "Roll back all routes" : `${label} ${visible(route.name)}`}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
      {open && <Confirmation action={action} route={route} onClose={() => setOpen(false)} />}
    </>
  );
}

interface ConfirmationProps {
  readonly action: ActionName;
  readonly route: RouteStatus | null;
  readonly onClose: () => void;
}

function Confirmation({ action, route: seen, onClose }: ConfirmationProps) {
  const { client, live, tell } = useRoom();
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [to, setTo] = useState("");
  const [typed, setTyped] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  // The route as it was when the dialog opened: what is confirmed is what was read.
  const [route] = useState(seen);
  const [rates] = useState(() => (seen === null ? undefined : live.snapshot.get().rates.get(seen.name)));
  const [onAll] = useState(() => effectOnAll(live.snapshot.get()));
  useEffect(() => dialog.current?.showModal(), []);

  const isBigBang = action === "promote" && route !== null && /^100(\.0*)?%$/.test(to.trim());
  const isReady = reason.trim() !== "" && (!isBigBang || typed === route.name) && !busy;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isReady) return;
    setBusy(true);
    setRefusal(null);
    try {
      const { path, body } = requestOf(action, route, reason.trim(), to.trim());
      const { message } = await client.post<{ message: string }>(path, body);
      tell(message);
      onClose();
      await live.refresh();
    } catch (error) {
      setRefusal(wordsOf(error));
      setBusy(false);
    }
  };
  const title = route === null ? "Roll back every route?" : `${LABELS[action]} ${visible(route.name)}?`;
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="confirm-title" aria-describedby="confirm-effect">
      <form onSubmit={submit}>
        <h2 id="confirm-title">{title}</h2>
        <p id="confirm-effect" class="effect">
          {route === null ? onAll : effectOf(action, route, rates, to.trim())}
        </p>
        {action === "promote" && route !== null && (
          <label>
            Straight to a share, past steps and gates (empty: the next step)
            <input
              value={to}
              placeholder="e.g. 25%"
              inputMode="decimal"
              autocomplete="off"
              onInput={(event) => setTo(event.currentTarget.value)}
            />
          </label>
        )}
        {isBigBang && (
          <label>
            Everything at once: type the route’s name, {visible(route.name)}
            <input
              value={typed}
              autocomplete="off"
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
        )}
        <label>
          Reason (goes to the audit trail)
          <input
            name="reason"
            required
            maxLength={MAX_REASON_CHARS}
            value={reason}
            autocomplete="off"
            autofocus
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        {refusal !== null && (
          <p class="refusal" role="alert">
            {visible(refusal, 2_000)}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={`act act-${action}`} disabled={!isReady}>
            {route === null ? "Roll back all" : LABELS[action]}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function requestOf(
  action: ActionName,
  route: RouteStatus | null,
  reason: string,
  to: string,
): { readonly path: string; readonly body: Readonly<Record<string, unknown>> } {
  if (route === null) return { path: "api/v1/rollback", body: { reason } };
  const path = `api/v1/routes/${encodeURIComponent(route.name)}/${action}`;
  if (action !== "promote") return { path, body: { reason } };
  // The step that was seen: whoever promotes at the same moment does not make it two.
  return { path, body: to === "" ? { reason, step: route.step } : { reason, to } };
}

function effectOnAll({ report, rates }: Snapshot): string {
  const routes = report?.routes ?? [];
  const latched = routes.filter((route) => route.latched).length;
  const already = latched > 0 ? ` (${formatCount(latched)} ${latched === 1 ? "is" : "are"} already)` : "";
  const perSecond = [...rates.values()].reduce((sum, each) => sum + each.new, 0);
  return (
    `All traffic of ${counted(routes.length, "route")} goes back to old at once${already}, and stays there until each is reset. ` +
    `New serves ${aboutPerSecond(perSecond)} now. ` +
    "Keys that are pinned to new, and those of a split with onRollback: stay, keep their side."
  );
}

/** What will happen, with the numbers of this moment. */
function effectOf(action: ActionName, route: RouteStatus, rates: Rates | undefined, to: string): string {
  const perSecond = rates === undefined ? null : rates.old + rates.new;
  const name = visible(route.name);
  const all = (ratio: number): string => portion(route.name, ratio, perSecond);
  switch (action) {
    case "rollback":
      return route.canary > 0
        ? `${all(route.canary)} will go back to old at once, and stay there until a reset. Pinned keys keep their side.`
        : `New serves no share of ${name} now. It is latched to old until a reset${route.step === null ? "" : ", and its rollout stops"}.`;
    case "promote":
      return to === "" ? promotion(route, all) : straightTo(route, to, all);
    case "pause":
      return `The shares stay as they are: new goes on to get ${formatShare(route.canary)} of ${name}. Nothing is promoted until it is resumed; the guard goes on watching.`;
    case "resume":
      return resumption(route, all);
    case "reset":
      return resetting(route, all);
  }
}

function promotion(route: RouteStatus, all: (ratio: number) => string): string {
  const { step, stages = [], canary } = route;
  // Before step 0 a promotion begins it.
  const isNotBegun = step === 0 && canary < (stages[0]?.canary ?? 0);
  const at = isNotBegun ? 0 : (step ?? 0) + 1;
  const closed = route.gates.filter(({ answer }) => answer !== "yes").map((gate) => visible(gate.name, 120));
  if (!isNotBegun && closed.length > 0) {
    return `A gate does not say yes (${closed.join(", ")}), so the gateway refuses the next step: wait for it, or name a share to go past it.`;
  }
  const next = stages[at];
  if (next === undefined)
    return `${visible(route.name)} is at its last step: it will be completed. The shares stay as they are.`;
  return `Step ${at} (${stageName(next)}) begins, without waiting for the rest of this one: ${given(next, route, all)}`;
}

function given(next: Stage, { canary, name }: RouteStatus, all: (ratio: number) => string): string {
  if (next.canary > canary) return `${all(next.canary)} will go to new (${formatShare(canary)} now).`;
  return `new goes on to get ${formatShare(canary)} of ${visible(name)}, and ${formatShare(next.shadow)} as shadows.`;
}

function straightTo(route: RouteStatus, to: string, all: (ratio: number) => string): string {
  const percent = /^(\d{1,3}(?:\.\d{1,4})?)%$/.exec(to)?.[1];
  if (percent === undefined || Number(percent) > 100)
    return "A share is written with its sign, such as 25% or 0.5%.";
  return `${all(Number(percent) / 100)} will go to new at once (${formatShare(route.canary)} now), past all steps and gates between.`;
}

function resumption(route: RouteStatus, all: (ratio: number) => string): string {
  const stage = route.stages?.[route.step ?? 0];
  if (stage !== undefined && stage.canary > route.canary) {
    return `Step ${route.step ?? 0} begins: ${all(stage.canary)} will go to new (${formatShare(route.canary)} now). Further steps follow by themselves.`;
  }
  return `The rollout goes on at step ${route.step ?? 0}: new gets ${formatShare(route.canary)} of ${visible(route.name)} as now, and further steps follow by themselves.`;
}

function resetting(route: RouteStatus, all: (ratio: number) => string): string {
  const [first] = route.stages ?? [];
  if (route.step !== null) {
    return "The rollback is cleared. The rollout waits, paused, before step 0: new serves no share until it is resumed.";
  }
  if (first === undefined || first.canary === 0)
    return "The rollback is cleared. The rules give new no share.";
  return `The rollback is cleared: ${all(first.canary)} will go to new at once.`;
}
