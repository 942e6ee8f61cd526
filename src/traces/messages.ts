/** What the main thread and the exporting thread say to each other. Spans come from data threads, over ports. */

import type { MessagePort } from "node:worker_threads";

/** Handed to the thread when it starts. */
export interface ExportSetup {
  /** Where spans are posted to, in full. */
  readonly url: string;
  /** One 32-bit word: spans that data threads have posted and nothing has become of yet. */
  readonly waiting: SharedArrayBuffer;
  /** 64-bit counts, in the order of SPAN_RESULTS. */
  readonly counts: SharedArrayBuffer;
}

export type ToTraceThread =
  /** Of one more data thread: batches of SpanRecord come over it. */
  | { readonly kind: "port"; readonly port: MessagePort }
  /** Sends what there is; `stopped` follows. */
  | { readonly kind: "stop" };

export type FromTraceThread =
  | { readonly kind: "ready" }
  /** `isMissing`: OpenTelemetry is not installed. */
  | { readonly kind: "cannot-start"; readonly isMissing: boolean; readonly message: string }
  /** The collector does not take spans, or not all; for people, without a secret. */
  | { readonly kind: "trouble"; readonly why: string }
  | { readonly kind: "stopped" };
