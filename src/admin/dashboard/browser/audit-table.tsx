/** What was done to a route, by whom and why; newest first. */

import { formatAgo } from "../../../model/figures.ts";
import type { AuditEntry } from "../../../model/reports.ts";
import { markerKey } from "./timeline.ts";
import { clock, visible } from "./words.ts";

const MAX_ROWS = 30;

export function AuditTable({
  entries,
  nowMs,
}: {
  readonly entries: readonly AuditEntry[];
  readonly nowMs: number;
}) {
  if (entries.length === 0) return <p class="quiet">Nothing has been done yet.</p>;
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">when</th>
          <th scope="col">what</th>
          <th scope="col">by</th>
          <th scope="col">from → to</th>
          <th scope="col">reason</th>
        </tr>
      </thead>
      <tbody>
        {entries.slice(0, MAX_ROWS).map((entry) => (
          <tr key={entry.id}>
            <td class="when" data-name="when">
              {clock(Date.parse(entry.at), nowMs)} <span class="quiet">({formatAgo(entry.at, nowMs)})</span>
            </td>
            <td class="what">
              <span class="markers-key" aria-hidden="true">
                {markerKey(entry.action)}
              </span>{" "}
              <b>{visible(entry.action)}</b>
            </td>
            <td data-name="by">{entry.by}</td>
            <td>
              {visible(entry.from ?? "–", 200)} → {visible(entry.to ?? "–", 200)}
            </td>
            <td>{visible(entry.reason, 600)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
