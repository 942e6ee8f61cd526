/** A stand-in for an OpenTelemetry collector: takes OTLP/HTTP with protobuf and decodes it. */

import { json, type Script, type Seen, startBackend } from "./backend.ts";
import { Message } from "./protobuf.ts";
import { until } from "./until.ts";

export type Value = string | number | boolean;

export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** "": none. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: "server" | "client" | "other";
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly isError: boolean;
  /** Of the process that exported it. */
  readonly resource: Readonly<Record<string, Value>>;
}

export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Requests to it, with their fields. */
  readonly seen: readonly Seen[];
  /** Everything that came in bodies. */
  readonly raw: () => Buffer;
  readonly spans: readonly ExportedSpan[];
  /** Changes what it answers; what it takes is decoded all the same. */
  answer(script: Script): void;
  /** Resolves to all spans once there are so many. */
  whenSpans(count: number): Promise<readonly ExportedSpan[]>;
  close(): Promise<void>;
}

export const accepted: Script = (_req, res) => {
  res.writeHead(200, { "content-type": "application/x-protobuf" }).end();
};

export const unavailable = json({ message: "no room" }, 503);

export async function startCollector(port = 0): Promise<Collector> {
  const bodies: Buffer[] = [];
  const spans: ExportedSpan[] = [];
  let script = accepted;
  const server = await startBackend((req, res, body) => {
    bodies.push(body);
    spans.push(...spansOf(body));
    script(req, res, body);
  }, port);
  return {
    url: server.url,
    port: server.port,
    seen: server.seen,
    raw: () => Buffer.concat(bodies),
    spans,
    answer: (next) => {
      script = next;
    },
    whenSpans: (count) => until(`${count} spans have come`, () => (spans.length >= count ? spans : null)),
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  };
}

/** By opentelemetry/proto/collector/trace/v1: an ExportTraceServiceRequest. */
function spansOf(body: Buffer): ExportedSpan[] {
  return new Message(body).messages(1).flatMap((resourceSpans) => {
    const resource = attributesOf(resourceSpans.messages(1)[0], 1);
    return resourceSpans
      .messages(2)
      .flatMap((scopeSpans) => scopeSpans.messages(2).map((span) => spanOf(span, resource)));
  });
}

const KINDS: Readonly<Record<string, ExportedSpan["kind"]>> = { 2: "server", 3: "client" };
const STATUS_ERROR = 2n;

function spanOf(span: Message, resource: ExportedSpan["resource"]): ExportedSpan {
  return {
    traceId: span.hex(1),
    spanId: span.hex(2),
    parentId: span.hex(4),
    name: span.text(5) ?? "",
    kind: KINDS[String(span.number(6))] ?? "other",
    startNs: span.number(7) ?? 0n,
    endNs: span.number(8) ?? 0n,
    attributes: attributesOf(span, 9),
    isError: span.messages(15)[0]?.number(3) === STATUS_ERROR,
    resource,
  };
}

function attributesOf(message: Message | undefined, field: number): Record<string, Value> {
  const pairs = (message?.messages(field) ?? []).map((pair): [string, Value] => [
    pair.text(1) ?? "",
    valueOfAny(pair.messages(2)[0]),
  ]);
  return Object.fromEntries(pairs);
}

function valueOfAny(value: Message | undefined): Value {
  const isTrue = value?.number(2) ?? null;
  const whole = value?.number(3) ?? null;
  if (isTrue !== null) return isTrue === 1n;
  if (whole !== null) return Number(whole);
  return value?.text(1) ?? "";
}
