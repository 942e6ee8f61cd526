/** The gateway, of this checkout or of another one. */

import { join } from "node:path";
import type { StatusReport } from "../../src/model/reports.ts";
import {
  CANARY_PERCENT,
  each,
  type Ground,
  KEY_COUNT,
  keyOf,
  type Peer,
  type Plan,
  ROUTE_COUNT,
  routePath,
  type Shape,
  urlOf,
} from "./peer.ts";

const KEY_FILE = "moved.txt";
const LOG = "log";
const TOKEN = "bench-token";

const ROUTES: Readonly<Record<Shape, () => readonly string[]>> = {
  plain: () => [route("all", "/**")],
  logged: () => [route("all", "/**")],
  canary: () => [route("all", "/**", `key: [header:x-user], canary: ${CANARY_PERCENT}%`)],
  keys: () => [route("all", "/**", `key: [header:x-user], split: { newFile: ${KEY_FILE} }`)],
  shadow: () => [route("all", "/**", "shadow: { share: 100%, methods: [GET] }")],
  routes: () => each(ROUTE_COUNT, (at) => route(`area-${at}`, `${routePath(at)}**`)),
};

function route(name: string, path: string, more?: string): string {
  return `  - { name: ${name}, match: { path: "${path}" }${more === undefined ? "" : `, ${more}`} }`;
}

function rulesOf(shape: Shape, { oldPort, newPort }: Ground): string {
  return `version: 1
backends:
  legacy: { url: "${urlOf(oldPort)}" }
  modern: { url: "${urlOf(newPort)}" }
defaults: { old: legacy, new: modern }
routes:
${ROUTES[shape]().join("\n")}
`;
}

/** Every second of the users who ask is on the list. */
function keyFile(): string {
  return each(KEY_COUNT, (at) => `${keyOf(at * 2)}\n`).join("");
}

function planOf(checkout: string, shape: Shape, ground: Ground): Plan {
  const { folder, listenPort, adminPort, threads } = ground;
  return {
    command: process.execPath,
    args: [
      ...[join(checkout, "bin/cutover.js"), "serve", join(folder, "rules.yaml")],
      ...["--listen", `127.0.0.1:${listenPort}`, "--admin", `127.0.0.1:${adminPort}`],
      ...["--state", join(folder, "state"), "--threads", String(threads)],
      ...["--access-log", shape === "logged" ? "all" : "off"],
      ...["--drain-delay", "0ms", "--drain-timeout", "1s"],
    ],
    env: { CUTOVER_ADMIN_TOKEN: TOKEN },
    files: { "rules.yaml": rulesOf(shape, ground), ...(shape === "keys" ? { [KEY_FILE]: keyFile() } : {}) },
    logs: [LOG],
    stdoutTo: LOG,
    ...(shape === "shadow" ? { report: () => comparisonsOf(adminPort) } : {}),
  };
}

/** A gateway that sheds looks cheap: what became of its shadows. */
async function comparisonsOf(adminPort: number): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${urlOf(adminPort)}/api/v1/status`, { headers });
  const { routes } = (await answer.json()) as StatusReport;
  const [route] = routes;
  if (route === undefined) throw new Error("the gateway says nothing of its route");
  return `shadows ${counted(route.shadows)}; pairs ${counted(route.comparisons)}`;
}

/** "sent 9,168, shed 998": what is not 0. */
function counted(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.map(([name, count]) => `${name} ${count.toLocaleString("en")}`).join(", ") || "none";
}

/** `checkout`: a folder with the gateway in it. */
export function gatewayPeer(name: string, checkout: string, version: string): Peer {
  return { name, kind: "gateway", version, plan: (shape, ground) => planOf(checkout, shape, ground) };
}
