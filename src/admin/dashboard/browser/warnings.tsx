/** What concerns the whole gateway and cannot wait. */

import { useCell } from "./cell.ts";
import { useRoom } from "./room.ts";
import { visible } from "./words.ts";

const MAX_ERROR_LINES = 12;

export function Warnings() {
  const { report } = useCell(useRoom().live.snapshot);
  if (report === null) return null;
  const sick = report.backends.flatMap(({ name, endpoints }) =>
    endpoints.filter(({ healthy }) => healthy === false).map(({ url }) => ({ name, url })),
  );
  return (
    <div class="warnings">
      {report.draining && <p class="warning">Draining: the gateway ends when its last request has.</p>}
      {report.store !== "ok" && <p class="warning">The store is {visible(report.store)}</p>}
      {report.rules.error !== null && (
        <div class="warning">
          The rules are broken, the last good ones serve:
          <RulesError text={report.rules.error} />
        </div>
      )}
      {sick.slice(0, 10).map(({ name, url }) => (
        <p key={url} class="warning">
          Backend {visible(name)}: {visible(url)} fails its health check.
        </p>
      ))}
    </div>
  );
}

/** As the command line prints it: the place matters. */
export function RulesError({ text }: { readonly text: string }) {
  const lines = text.trimEnd().split("\n");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <pre tabIndex={0}>
      {lines
        .slice(0, MAX_ERROR_LINES)
        .map((line) => visible(line))
        .join("\n")}
      {lines.length > MAX_ERROR_LINES && `\n… ${lines.length - MAX_ERROR_LINES} more lines: cutover check`}
    </pre>
  );
}
