/**
 * The one definition of the rules format: what is checked at load, and what editors are told (jsonschema.ts).
 * Parsed values are already in the units of model/ruleset.ts; merging and defaults come after (resolve.ts).
 */

import { z } from "zod";
import { parseCidr } from "./cidr.ts";
import { compareSchema } from "./schema-compare.ts";
import { decimal, flag, integer, list, orOff, scalar, section, shorthand, text, word } from "./schema-kit.ts";
import { rolloutSchema } from "./schema-rollout.ts";
import {
  backendName,
  backendUrl,
  duration,
  fieldValues,
  filePath,
  headerName,
  methods,
  share,
  shareAboveZero,
  size,
  within,
} from "./schema-values.ts";
import * as texts from "./texts.ts";
import * as units from "./units.ts";

export const backendSchema = section({
  url: backendUrl.optional(),
  urls: list(backendUrl, "[http://10.0.0.1:9001, http://10.0.0.2:9001]", 1).optional(),
  timeouts: section({
    connect: duration("For a connection to stand. Default 2s", "2s").optional(),
    headers: duration("For the head of an answer. Default 30s", "30s").optional(),
    stall: duration("Longest silence within an answer's body. Default 60s", "60s").optional(),
    request: duration("For a whole answer, its body too. Default none", "5m").optional(),
  }).optional(),
  maxConnections: integer(1, 100_000, "Per data-plane thread. Default 256").optional(),
  maxWaiting: integer(0, 100_000, "Requests waiting for a connection; 503 beyond. Default 1024").optional(),
  health: section({
    path: scalar({ parse: texts.parseProbePath, description: "Asked with GET", examples: ["/healthz"] }),
    interval: duration("Default 5s", "5s").optional(),
  }).optional(),
  host: scalar({
    parse: texts.parseHostPolicy,
    description: "The Host header that the backend sees: keep (the client's), backend (its own), or a name",
    examples: ["keep", "backend"],
  }).optional(),
  tls: section({
    ca: filePath.optional(),
    serverName: text("The name that its certificate must carry").optional(),
    cert: filePath.optional(),
    key: filePath.optional(),
  }).optional(),
});

export const conditionSchema = section({
  path: scalar({
    parse: texts.parsePathTemplate,
    pattern: "^/",
    description: "{x} is one segment; /a/** is /a, /a/ and all below; else exact",
    examples: ["/profiles/{id}", "/api/**"],
  }).optional(),
  methods: methods.optional(),
  hosts: list(
    scalar({ parse: texts.parseMatchHost, description: "A host, or *.example.org for any name below" }),
    '[api.example.com, "*.example.org"]',
    1,
  ).optional(),
  headers: fieldValues("headers", texts.parseHeaderName).optional(),
  query: fieldValues("query parameters", (name) =>
    name === "__proto__" ? { ok: false, why: "this name cannot be matched" } : { ok: true, value: name },
  ).optional(),
});

const matcherSchema = section({
  header: headerName.optional(),
  cookie: text("A cookie's name").optional(),
  equals: text("Exactly this value").optional(),
  matches: scalar({ parse: texts.parsePattern, description: "A regular expression" }).optional(),
});

const splitKey = text("A key", (key) =>
  key.trim() !== key
    ? "take the spaces around it away"
    : key.length > 4096
      ? "a key has at most 4096 characters"
      : undefined,
);

const splitSchema = section({
  new: list(splitKey, "[acme, globex]").optional(),
  newFile: filePath.optional(),
  old: list(splitKey, "[whale-corp]").optional(),
  onRollback: word(["stay", "old"], "What a rollback does to split keys. Default old").optional(),
});

const canarySchema = section({
  share: share("Share of the keys (or requests) that new serves").optional(),
  always: list(matcherSchema, '[{ header: x-canary, equals: "true" }]').optional(),
  never: list(matcherSchema, '[{ header: user-agent, matches: "^HealthChecker" }]').optional(),
  methods: methods.optional(),
});

const shadowSchema = section({
  share: share("Share of the requests that new is shown as well").optional(),
  methods: methods.optional(),
  sideEffects: word(["allowed"], "Needed for methods other than GET, HEAD, OPTIONS and TRACE").optional(),
  reverse: flag("Requests served by new are also sent to old and compared").optional(),
  maxBody: size(0, 2 ** 30, "Beyond it a pair is uncompared. Default 256KiB", "256KiB").optional(),
  timeout: duration("Default 10s", "10s").optional(),
  concurrency: integer(1, 100_000, "Per data-plane thread. Default 64").optional(),
  rate: scalar({
    parse: units.parseRate,
    description: "At most so many shadows a second",
    examples: ["200/s"],
  }).optional(),
});

const fallbackWhen = word(["safe", "idempotent"], "Which failed requests old is asked again");
const fallbackSchema = section({
  when: fallbackWhen.optional(),
  after: duration("New silent for so long counts as failed. Default 5s", "5s").optional(),
});

const ratio = decimal(1.01, 1000, "New against old at the same moment");

const guardSchema = section({
  errors: orOff(
    section({
      max: shareAboveZero("Error rate of new alone. Default 5%").optional(),
      ratio: ratio.optional(),
    }),
    "write off, or a block of fields such as { max: 5%, ratio: 2 }",
  ).optional(),
  clientErrors: word(
    ["all", "checked", "off"],
    "Which 4xx of new roll back: all that old does not answer too, or those alone that old was asked about. Default all",
  ).optional(),
  latency: orOff(
    section({ ratio: ratio.optional() }),
    "write off, or a block of fields such as { ratio: 2 }",
  ).optional(),
  mismatches: orOff(
    section({ max: shareAboveZero("Share of compared pairs that differ").optional() }),
    "write off, or a block of fields such as { max: 1% }",
  ).optional(),
  minSamples: integer(1, 10_000_000, "Answers of new needed to pass. Default 50").optional(),
  killSwitch: orOff(
    integer(1, 10_000, "Failures of new running, where old answered well. Default 5"),
    "write a whole number from 1 to 10000, or off",
  ).optional(),
  falseAlarms: scalar({
    parse: units.parseFalseAlarms,
    pattern: "^[0-9]+ per [0-9]",
    description: "How many false alarms in how long the route accepts. Default 1 per 90d",
    examples: ["1 per 90d"],
  }).optional(),
});

/** 1TiB: nothing needs more, and it is far from where numbers lose precision. */
const LARGEST_BODY_BYTES = 2 ** 40;
const bodyLimit = (description: string) => size(0, LARGEST_BODY_BYTES, description, "10MiB");

const upgradeSchema = section({
  protocols: list(
    scalar({
      parse: texts.parseUpgradeProtocol,
      description: "A token of the Upgrade field that is passed on",
      examples: ["websocket"],
    }),
    "[websocket]",
    1,
  ).optional(),
  idle: duration("Longest silence of an upgraded connection. Default 1h", "1h").optional(),
  max: duration("Longest life of an upgraded connection. Default 24h", "24h").optional(),
  onRollback: word(["close", "keep"], "What a rollback does to those open to new. Default close").optional(),
});

/** What a route and `defaults` share. */
const routeFields = {
  old: backendName.optional(),
  new: backendName.optional(),
  key: list(
    scalar({
      parse: texts.parseKeySource,
      pattern: "^((header|cookie|query|path):.+|ip|assign)$",
      description: "Where the key of a request is; the first one present counts",
      examples: ["header:x-tenant-id", "cookie:uid", "ip"],
    }),
    "[header:x-tenant-id, ip]",
  ).optional(),
  split: splitSchema.optional(),
  canary: shorthand(
    "share",
    share("Short for { share: … }").transform((ppm): z.output<typeof canarySchema> => ({ share: ppm })),
    canarySchema,
    "a share such as 5%",
  ).optional(),
  shadow: shorthand(
    "share",
    share("Short for { share: … }").transform((ppm): z.output<typeof shadowSchema> => ({ share: ppm })),
    shadowSchema,
    "a share such as 100%",
  ).optional(),
  compare: orOff(
    compareSchema,
    "write off, or a block of fields (status, headers, body, ignore …)",
  ).optional(),
  fallback: orOff(
    shorthand(
      "when",
      fallbackWhen.transform((when): z.output<typeof fallbackSchema> => ({ when })),
      fallbackSchema,
      "one of safe, idempotent, off",
    ),
    "write one of safe, idempotent, off",
  ).optional(),
  guard: orOff(
    guardSchema,
    "write off, or a block of fields such as { errors: { max: 5%, ratio: 2 } }",
  ).optional(),
  rollout: orOff(
    rolloutSchema,
    "write off, or a block of fields such as { start: paused, steps: [{ shadow: 100%, bake: 10m }, { canary: 5%, bake: 30m }] }",
  ).optional(),
  limits: section({
    body: bodyLimit("413 for request bodies beyond it. Default: limits.body of the gateway").optional(),
  }).optional(),
  upgrade: orOff(upgradeSchema, "write off, or a block of fields such as { idle: 1h, max: 24h }").optional(),
  revision: integer(0, Number.MAX_SAFE_INTEGER, "Raising it clears a latched rollback. Default 1").optional(),
};

const OF_ROLLOUT = { steps: "it belongs under rollout", gates: "it belongs under rollout" };
const ROUTE_HINTS = {
  later: { writes: "leave it out; canary: { methods: [GET, HEAD] } keeps writes on old" },
  instead: OF_ROLLOUT,
};

export const defaultsSchema = section(routeFields, ROUTE_HINTS);

export const routeSchema = section(
  {
    name: scalar({
      parse: within(texts.parseName, (name) =>
        name === "unmatched"
          ? "this name is taken by requests that no route matches: choose another"
          : undefined,
      ),
      pattern: texts.NAME_PATTERN,
      description: "In headers, metrics and commands",
    }),
    match: z
      .union([conditionSchema, list(conditionSchema, "[{ path: /a }, { path: /b }]", 1)], {
        error: 'write a condition such as { path: "/profiles/{id}" }, or a list of them',
      })
      .optional(),
    ...routeFields,
  },
  ROUTE_HINTS,
);

export const limitsSchema = section({
  requestHead: size(1024, 2 ** 20, "431 beyond it. Default 32KiB", "32KiB").optional(),
  headTimeout: duration("408 for slow headers. Default 10s", "10s").optional(),
  bodyStallTimeout: duration("408: no byte of a request body for so long. Default 30s", "30s").optional(),
  body: bodyLimit("413 beyond it; a route may set its own. Default 1GiB").optional(),
  idleTimeout: duration("Of keep-alive connections. Default 60s", "60s").optional(),
  connections: integer(1, 10_000_000, "Default 10000").optional(),
  inFlight: integer(1, 10_000_000, "503 with Retry-After beyond it. Default 4096").optional(),
  trustedProxies: list(
    scalar({
      parse: parseCidr,
      description: "Addresses whose X-Forwarded-* and Forwarded are believed",
      examples: ["10.0.0.0/8"],
    }),
    "[10.0.0.0/8]",
  ).optional(),
});

/** Where they belong that a file itself does not have; a file has limits of its own. */
const FILE_HINTS = {
  instead: {
    ...Object.fromEntries(
      Object.keys(routeFields).map((field) => [field, "it belongs under routes or defaults"] as const),
    ),
    match: "it belongs under routes",
    ...Object.fromEntries(
      Object.keys(OF_ROLLOUT).map(
        (field) => [field, "it belongs under rollout, of routes or defaults"] as const,
      ),
    ),
  },
};

const fileFields = {
  version: z.literal(1, { error: "write version: 1" }).meta({ description: "Of the format" }),
  backends: z
    .record(
      z.string().check((context) => {
        const parsed = texts.parseName(context.value);
        if (!parsed.ok) context.issues.push({ code: "custom", message: parsed.why, input: context.value });
      }),
      backendSchema,
      { error: "write a block of backends by name, such as legacy: { url: http://127.0.0.1:9001 }" },
    )
    .optional(),
  unmatched: text("The backend for requests that no route matches; absent: 404").optional(),
  limits: limitsSchema.optional(),
  defaults: defaultsSchema.optional(),
  routes: list(routeSchema, "- name: profiles").optional(),
};

export const fileSchema = section(fileFields, FILE_HINTS);

export type BackendFields = z.output<typeof backendSchema>;
export type RouteFields = z.output<typeof defaultsSchema>;
export type NamedRouteFields = z.output<typeof routeSchema>;
export type LimitFields = z.output<typeof limitsSchema>;
export type ConditionFields = z.output<typeof conditionSchema>;
export type MatcherFields = z.output<typeof matcherSchema>;
