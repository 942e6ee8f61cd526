/** The last chapter: what was taken back goes to 100% in steps, each on its evidence. */

import { printable } from "../cli/output.ts";
import { counted, formatCount } from "../model/figures.ts";
import type { AuditEntry } from "../model/reports.ts";
import { EXPLAINED, ROUTE } from "./rules-file.ts";
import { DEADLINE_MS, refuseFailures, switchFault, type Telling } from "./telling.ts";

/** Three steps, each with about a hundred good answers of new and a second of baking. */
const ROLLOUT_DEADLINE_MS = 60_000;
const ANSWERS_AFTER_ROLLOUT = 100;
const ROUTE_PATH = `/api/v1/routes/${ROUTE}`;

/** Mends new, resets the route, and lets a rollout take it to the end. */
export async function rolloutClimbs(telling: Telling): Promise<void> {
  const { stage, say, paint } = telling;
  await switchFault(stage, "off");
  await stage.setScene(null, EXPLAINED);
  say("the rules have steps now: 25%, 50%, 100%; each bakes, and goes on only when it has shown enough");
  const tellTrail = await trailTeller(telling);
  await stage.admin.post(`${ROUTE_PATH}/reset`, { reason: "new is mended" });
  await stage.admin.post(`${ROUTE_PATH}/resume`, { reason: "let it climb" });
  await stage.until("the rollout is completed", ROLLOUT_DEADLINE_MS, async () => {
    const now = await stage.route();
    await tellTrail();
    if (now.latched) throw new Error(`rolled back: ${now.rollback?.evidence.summary ?? "no cause given"}`);
    return now.state === "completed" ? now : null;
  });
  await tellTrail();
  stage.traffic.newStretch();
  await stage.until("new serves everybody", DEADLINE_MS, () =>
    (stage.traffic.stretch().bySide.new ?? 0) >= ANSWERS_AFTER_ROLLOUT ? true : null,
  );
  const { byReason, bySide } = stage.traffic.stretch();
  if ((byReason["rolled-back"] ?? 0) > 0) throw new Error("a route that was reset still says rolled-back");
  refuseFailures(stage);
  say(`${counted(bySide.new ?? 0, "more answer")} from new; writes stay on old, and the guard stays awake`);
  say(paint("green", `${formatCount(stage.traffic.total.answers)} client requests, 0 failed`));
}

/** A function that says what the audit trail has had of promotions since this call, and since its own last one. */
async function trailTeller({ stage, say, paint }: Telling): Promise<() => Promise<void>> {
  const read = async () => trailOf(await stage.admin.get(`/api/v1/audit?route=${ROUTE}&limit=20`));
  let seen = Math.max(0, ...(await read()).map(({ id }) => id));
  return async () => {
    const fresh = (await read()).filter(({ id }) => id > seen).toReversed();
    for (const { id, action, to, reason } of fresh) {
      seen = id;
      if (action === "promote" || action === "completed")
        say(`${paint("cyan", printable(to ?? ""))}: ${printable(reason)}`);
    }
  };
}

/** An answer that is no list has no entries. */
function trailOf(answer: unknown): readonly AuditEntry[] {
  return Array.isArray(answer) ? (answer as readonly AuditEntry[]) : [];
}
