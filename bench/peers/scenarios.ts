/** What is measured: the work, the requests, and who takes part beside the gateway's peers. */

import { DIFFERING_PATH, FILE_KIB, filePath, SMALL_BYTES, SMALL_PATH } from "./backends.ts";
import { each, ROUTE_COUNT, routePath, type Shape } from "./peer.ts";
import type { Requests } from "./requests.ts";

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly shape: Shape;
  readonly requests: Requests;
  /** Length of an answer. */
  readonly answerBytes: number;
  /** Whether latency is measured too. Large answers have too few a second for it to mean anything. */
  readonly paced: boolean;
  /** Connections that asked once and then stay silent. */
  readonly idleConnections: number;
  /** Whether the gateway with the shape `plain` takes part: what this work costs beyond plain. */
  readonly besidePlain: boolean;
  /** What share of the requests new must have got. */
  readonly shareOfNew: number;
  /** Its part in --quick; null: none. */
  readonly quick: QuickPart | null;
}

/** Who is measured, and whose latency; peers null: all. */
export interface QuickPart {
  readonly peers: readonly string[] | null;
  readonly paced: readonly string[];
}

const GET_SMALL: Requests = { method: "GET", paths: [SMALL_PATH], bodyBytes: 0 };
const POST_BYTES = 4_096;

const DEFAULTS: Omit<Scenario, "name" | "title"> = {
  shape: "plain",
  requests: GET_SMALL,
  answerBytes: SMALL_BYTES,
  paced: true,
  idleConnections: 0,
  besidePlain: false,
  shareOfNew: 0,
  quick: null,
};

export const SCENARIOS: readonly Scenario[] = [
  {
    ...DEFAULTS,
    name: "plain",
    title: "plain, 890 bytes",
    quick: { peers: null, paced: ["gateway", "bare", "envoy"] },
  },
  {
    ...DEFAULTS,
    name: "canary",
    title: "5% canary by key",
    shape: "canary",
    besidePlain: true,
    shareOfNew: 0.05,
    quick: { peers: ["gateway", "envoy"], paced: [] },
  },
  {
    ...DEFAULTS,
    name: "keys",
    title: "split by a list of a million keys",
    shape: "keys",
    besidePlain: true,
    shareOfNew: 0.5,
  },
  {
    ...DEFAULTS,
    name: "shadow",
    title: "100% shadow of equal answers, compared",
    shape: "shadow",
    shareOfNew: 1,
    quick: { peers: ["gateway", "envoy", "bare"], paced: [] },
  },
  {
    ...DEFAULTS,
    name: "differing",
    title: "100% shadow, 10% of the answers differ",
    shape: "shadow",
    requests: { ...GET_SMALL, paths: [DIFFERING_PATH] },
    shareOfNew: 1,
  },
  {
    ...DEFAULTS,
    name: "post",
    title: "POST of 4 KiB",
    requests: { method: "POST", paths: [SMALL_PATH], bodyBytes: POST_BYTES },
  },
  ...FILE_KIB.map((kib): Scenario => {
    const size = kib >= 1024 ? `${kib / 1024} MiB` : `${kib} KiB`;
    const requests: Requests = { ...GET_SMALL, paths: [filePath(kib)] };
    return {
      ...DEFAULTS,
      name: size.replace(" ", "").toLowerCase(),
      title: `answers of ${size}`,
      requests,
      answerBytes: kib * 1024,
      paced: false,
    };
  }),
  {
    ...DEFAULTS,
    name: "routes",
    title: "1,000 routes, all in use",
    shape: "routes",
    requests: {
      ...GET_SMALL,
      paths: each(ROUTE_COUNT, (at) => `${routePath((at * 617) % ROUTE_COUNT)}items`),
    },
    besidePlain: true,
  },
  { ...DEFAULTS, name: "idle", title: "1,000 idle connections", idleConnections: 1_000, besidePlain: false },
  { ...DEFAULTS, name: "log", title: "access log of every request", shape: "logged", besidePlain: true },
];
