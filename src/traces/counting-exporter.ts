/** Counts what becomes of spans, and ends an export that a collector drags out for ever. */

import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";

type Callback = Parameters<SpanExporter["export"]>[1];
export type ExportResult = Parameters<Callback>[0];

/** `why`: null where the spans were taken. */
export interface Outcome {
  readonly why: string | null;
}

/** The exporter has a limit of its own (10 s), with an answer that drips in it never comes. */
const EXPORT_LIMIT_MS = 20_000;
const MAX_WHY_CHARS = 200;
/** `ExportResultCode` of @opentelemetry/core. */
const SUCCESS = 0;
const FAILED = 1;

export class CountingExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #onEnded: (spans: number, outcome: Outcome) => void;
  readonly #limitMs: number;
  #pending = 0;
  #whenIdle: (() => void)[] = [];

  constructor(
    inner: SpanExporter,
    onEnded: (spans: number, outcome: Outcome) => void,
    limitMs = EXPORT_LIMIT_MS,
  ) {
    this.#inner = inner;
    this.#onEnded = onEnded;
    this.#limitMs = limitMs;
  }

  export(spans: ReadableSpan[], done: Callback): void {
    let isOver = false;
    this.#pending++;
    const end = (result: ExportResult): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#onEnded(spans.length, { why: result.code === SUCCESS ? null : whyOf(result.error) });
      done(result);
      if (--this.#pending > 0) return;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    };
    const timer = setTimeout(() => {
      end({ code: FAILED, error: new Error(`no whole answer within ${this.#limitMs / 1000} s`) });
    }, this.#limitMs);
    this.#inner.export(spans, end);
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }
}

/** Without what a collector writes: it would stand in the gateway's log. */
function whyOf(error: (Error & { readonly code?: unknown }) | undefined): string {
  if (error === undefined) return "no reason was given";
  const { code } = error;
  if (typeof code === "number") return `it answered ${code}`;
  return [...(typeof code === "string" ? [code] : []), error.message].join(": ").slice(0, MAX_WHY_CHARS);
}
