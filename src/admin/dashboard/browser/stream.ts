/** The audit trail as it grows: server-sent events over fetch, as EventSource cannot send the token. */

import type { AuditEntry } from "../../../model/reports.ts";
import type { Client } from "./client.ts";

/** The gateway says something every 15 s; a proxy that holds it back is no live stream. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** One entry is far smaller. */
const MAX_EVENT_CHARS = 256 * 1024;

/**
 * Follows the audit trail until `signal` aborts, and goes on where it was after each break. `from`: the id of the last
 * entry that is known. It is a hint that something happened: whoever needs to know asks besides.
 */
export async function followAudit(
  client: Client,
  from: number | null,
  onEntry: (entry: AuditEntry) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = from;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const watch = new AbortController();
    let timer = setTimeout(() => watch.abort(), SILENCE_MS);
    try {
      const body = await client.stream("api/v1/events", last, AbortSignal.any([signal, watch.signal]));
      for await (const event of eventsOf(body, () => {
        clearTimeout(timer);
        timer = setTimeout(() => watch.abort(), SILENCE_MS);
        pauseMs = FIRST_PAUSE_MS;
      })) {
        last = event.id;
        onEntry(event);
      }
    } catch {
      // The polled status says what is wrong, if anything is; here it is only tried again.
    } finally {
      clearTimeout(timer);
      watch.abort();
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>, onBytes: () => void): AsyncGenerator<AuditEntry> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    if (rest.length > MAX_EVENT_CHARS) throw new Error("an event without an end");
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data: "));
      if (data !== undefined) yield JSON.parse(data.slice(6)) as AuditEntry;
    }
  }
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
