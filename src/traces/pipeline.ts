/**
 * Spans to an OTLP collector, by OpenTelemetry's own exporter. The one file that imports its packages, so that nobody
 * needs them who exports nothing.
 */

import { readFileSync } from "node:fs";
import {
  DiagLogLevel,
  diag,
  type HrTime,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan } from "@opentelemetry/sdk-trace";
import type { SpanRecord } from "../model/span.ts";
import { CountingExporter, type Outcome } from "./counting-exporter.ts";
import { describe } from "./describe.ts";

const MAX_BATCH_SPANS = 512;
/** Data threads hold spans back for half a second already. */
const BATCH_DELAY_MS = 200;
/** More than data threads let wait, so that none is dropped here where nobody would count it. */
const MAX_QUEUE_SPANS = 16_384;

export interface PipelineOptions {
  readonly url: string;
  /** So many spans were taken by the collector, or not. */
  readonly onEnded: (spans: number, outcome: Outcome) => void;
  /** Trouble in words for people, without a secret. */
  readonly onTrouble: (why: string) => void;
}

export interface Pipeline {
  take(records: readonly SpanRecord[]): void;
  /** Resolves when all that was taken is exported, or has failed. */
  close(): Promise<void>;
}

/** Reads OTEL_EXPORTER_OTLP_* (headers, certificates, timeout, compression), OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. */
export function openPipeline({ url, onEnded, onTrouble }: PipelineOptions): Pipeline {
  passOnWarnings(onTrouble);
  const exporter = new CountingExporter(new OTLPTraceExporter({ url }), onEnded);
  const processor = new BatchSpanProcessor({
    exporter,
    maxExportBatchSize: MAX_BATCH_SPANS,
    maxQueueSize: MAX_QUEUE_SPANS,
    scheduledDelayMillis: BATCH_DELAY_MS,
  });
  const version = readVersion();
  const resource = resourceOf(version);
  const instrumentationScope = { name: "cutover", version };
  return {
    take: (records) => {
      for (const record of records) processor.onEnd(toSpan(record, resource, instrumentationScope));
    },
    close: async () => {
      // It rejects at the first batch that fails, which has been counted, and lets the others run.
      await processor.shutdown().catch(() => {});
      await exporter.idle();
    },
  };
}

/** What the environment says is above what is said here. */
function resourceOf(version: string): Resource {
  return defaultResource()
    .merge(resourceFromAttributes({ "service.name": "cutover", "service.version": version }))
    .merge(detectResources({ detectors: [serviceInstanceIdDetector] }))
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
}

function toSpan(
  record: SpanRecord,
  resource: Resource,
  instrumentationScope: ReadableSpan["instrumentationScope"],
): ReadableSpan {
  const { name, kind, attributes, isError } = describe(record);
  const { traceId, spanId, parentId, startMs, durationMs } = record;
  const traceFlags = Number.parseInt(record.flags, 16);
  const own: SpanContext = { traceId, spanId, traceFlags };
  const isRemote = kind === "server";
  return {
    name,
    kind: kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => own,
    ...(parentId === null ? {} : { parentSpanContext: { traceId, spanId: parentId, traceFlags, isRemote } }),
    startTime: toHrTime(startMs),
    endTime: toHrTime(startMs + durationMs),
    duration: toHrTime(durationMs),
    status: { code: isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: { ...attributes },
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds; a double of milliseconds since 1970 holds a quarter of a microsecond. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)];
}

/** Of OpenTelemetry's own words these alone: others may quote a header that is a secret. */
const HARMLESS_WARNINGS =
  /^(Failed to read (root|client) certificate|Failed to read client|Received Partial Success)/;

function passOnWarnings(onTrouble: (why: string) => void): void {
  const nothing = (): void => {};
  const warn = (message: string, ...details: unknown[]): void => {
    if (HARMLESS_WARNINGS.test(message)) onTrouble([message, ...details].join(" "));
  };
  const logger = { error: nothing, warn, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : null;
  return typeof version === "string" ? version : "unknown";
}
