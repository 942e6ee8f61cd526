/** What machines tell each other: search engines, orchestrators, metrics, typed values. */

import { times } from "../draw.ts";
import { instantNoise, numberNoise, type Shape, uuidNoise } from "../shape.ts";

const search: Shape = {
  name: "Elasticsearch: search",
  contentType: "application/vnd.elasticsearch+json;compatible-with=8",
  make: (draw) => ({
    took: draw.int(900),
    timed_out: false,
    _shards: { total: 5, successful: 5, skipped: 0, failed: 0 },
    hits: {
      total: { value: draw.int(10_000), relation: "gte" },
      max_score: draw.next() * 10,
      hits: times(5, (at) => ({
        _index: "books-000001",
        _id: `${at}${draw.hex(19)}`,
        _score: draw.next() * 10,
        _source: {
          title: draw.words(4),
          "@timestamp": "2026-02-03T04:05:06.789Z",
          pages: draw.int(900),
          in_print: draw.chance(0.5),
          location: { lat: 52.37 + draw.next(), lon: 4.89 },
        },
        highlight: { title: [`<em>${draw.word()}</em> ${draw.word()}`] },
        sort: [draw.epochSeconds() * 1000, at],
      })),
    },
    aggregations: {
      per_author: {
        doc_count_error_upper_bound: 0,
        buckets: times(4, (at) => ({
          key: `${draw.word()} ${at}`,
          doc_count: draw.int(99),
          avg_pages: { value: draw.int(9999) / 7 },
        })),
      },
    },
  }),
  unordered: [],
  noisy: [numberNoise("took")],
};

const pods: Shape = {
  name: "Kubernetes: list of pods",
  contentType: "application/json",
  make: (draw) => ({
    kind: "PodList",
    apiVersion: "v1",
    metadata: { resourceVersion: String(draw.int(99_999_999)) },
    items: times(4, (at) => ({
      metadata: {
        name: `web-${draw.hex(10)}-${at}`,
        namespace: "default",
        uid: draw.uuid(),
        labels: { app: "web", "app.kubernetes.io/part-of": draw.word(), "pod-template-hash": draw.hex(10) },
        annotations: { "prometheus.io/port": "9102" },
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "ReplicaSet", name: `web-${draw.hex(10)}`, controller: true },
        ],
      },
      spec: {
        containers: times(2, (n) => ({
          name: `c${n}`,
          image: `registry.example.com/web:${draw.hex(7)}`,
          ports: [{ containerPort: 8080, protocol: "TCP" }],
          env: times(3, (k) => ({ name: `VAR_${k}`, value: draw.word() })),
          resources: { limits: { cpu: "500m", memory: `${draw.int(900)}Mi` }, requests: { cpu: "0.1" } },
        })),
        tolerations: [
          {
            key: "node.kubernetes.io/not-ready",
            operator: "Exists",
            effect: "NoExecute",
            tolerationSeconds: 300,
          },
        ],
      },
      status: {
        phase: draw.pick(["Running", "Pending"]),
        conditions: times(3, (n) => ({
          type: ["Initialized", "Ready", "PodScheduled"][n] ?? "",
          status: "True",
          lastProbeTime: null,
        })),
        podIP: `10.0.${draw.int(255)}.${draw.int(255)}`,
        containerStatuses: [
          {
            name: "c0",
            restartCount: draw.int(4),
            ready: true,
            state: { running: { startedAt: "2026-01-02T03:04:05Z" } },
          },
        ],
      },
    })),
  }),
  unordered: [
    ["items", "*", "status", "conditions"],
    ["items", "*", "spec", "containers", "*", "env"],
  ],
  noisy: [{ at: ["metadata", "resourceVersion"], fresh: (draw) => String(draw.int(99_999_999)) }],
};

const series: Shape = {
  name: "Prometheus: range query",
  contentType: "application/json",
  make: (draw) => ({
    status: "success",
    data: {
      resultType: "matrix",
      result: times(4, (at) => ({
        metric: { __name__: "up", instance: `10.0.0.${at}:9090`, job: draw.word() },
        values: times(8, (n) => [1_700_000_000.781 + n * 15, String(draw.int(1000) / 8)]),
      })),
    },
    infos: [],
  }),
  unordered: [["data", "result"]],
  noisy: [],
};

const typed: Shape = {
  name: "DynamoDB: query with typed values",
  contentType: "application/x-amz-json-1.0",
  make: (draw) => ({
    Count: 4,
    ScannedCount: 4,
    Items: times(4, (at) => ({
      Artist: { S: `${draw.words(2)} ${at}` },
      Year: { N: String(1950 + draw.int(70)) },
      Big: { N: "1234567890123456789012345678901234567.5" },
      Live: { BOOL: draw.chance(0.5) },
      Sold: { NULL: true },
      Tags: { SS: times(3, (n) => `${draw.word()}${n}`) },
      Extra: { M: { Label: { S: draw.word() }, Tracks: { L: times(3, () => ({ S: draw.words(2) })) } } },
    })),
    ConsumedCapacity: { TableName: "Music", CapacityUnits: draw.int(20) / 2 },
  }),
  unordered: [["Items", "*", "Tags", "SS"]],
  noisy: [],
};

const health: Shape = {
  name: "Spring Boot: health and build",
  contentType: "application/vnd.spring-boot.actuator.v3+json",
  make: (draw) => ({
    status: "UP",
    traceId: draw.uuid(),
    timestamp: draw.instant(),
    uptimeMs: draw.int(1_000_000),
    components: {
      db: { status: "UP", details: { database: "PostgreSQL", validationQuery: "isValid()" } },
      diskSpace: {
        status: "UP",
        details: { total: 250_685_575_168, free: draw.int(2 ** 31), threshold: 10_485_760, exists: true },
      },
      ping: { status: draw.pick(["UP", "DOWN"]) },
    },
    groups: ["liveness", "readiness"],
  }),
  unordered: [["groups"]],
  noisy: [
    uuidNoise("traceId"),
    instantNoise("timestamp"),
    numberNoise("uptimeMs"),
    numberNoise("components", "diskSpace", "details", "free"),
  ],
};

export const MACHINE_SHAPES: readonly Shape[] = [search, pods, series, typed, health];
