/** HAProxy: one process, one thread, connections to the backends shared by all clients. */

import { join } from "node:path";
import {
  CANARY_PERCENT,
  each,
  type Ground,
  type Lack,
  type Peer,
  type Plan,
  ROUTE_COUNT,
  routePath,
  type Shape,
} from "./peer.ts";

const CONFIG = "haproxy.cfg";
/** It wants two descriptors for each and more, and does not start where the limit is lower. */
const MAX_CONNECTIONS = 4_000;
const PATHS = "paths.map";
const LOG = "access.log";

type Possible = Exclude<Shape, "keys" | "shadow">;

const RULES: Readonly<Record<Possible, (ground: Ground) => string>> = {
  plain: () => "",
  logged: () => "  option httplog",
  canary: () => `  use_backend new if { req.hdr(x-user),xxh32,mod(100) lt ${CANARY_PERCENT} }`,
  routes: ({ folder }) => `  use_backend %[path,map_beg(${join(folder, PATHS)})]`,
};

function configOf(shape: Possible, ground: Ground): string {
  const backend = (name: string, port: number): string => `backend ${name}
  http-reuse always
  server ${name} 127.0.0.1:${port}
`;
  return `global
  nbthread 1
  maxconn ${MAX_CONNECTIONS}
${shape === "logged" ? "  log stdout format raw local0" : ""}
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
${shape === "logged" ? "  log global" : ""}
frontend clients
  bind 127.0.0.1:${ground.listenPort}
${RULES[shape](ground)}
  default_backend old
${backend("old", ground.oldPort)}
${backend("new", ground.newPort)}
`;
}

function planOf(command: string, shape: Shape, ground: Ground): Plan | Lack {
  if (shape === "keys") return { lacks: "no list of a million keys that is reloaded" };
  if (shape === "shadow") return { lacks: "copies requests only through an agent of its own (SPOE)" };
  const paths = each(ROUTE_COUNT, (at) => `${routePath(at)} old\n`).join("");
  return {
    command,
    args: ["-db", "-f", join(ground.folder, CONFIG)],
    files: { [CONFIG]: configOf(shape, ground), ...(shape === "routes" ? { [PATHS]: paths } : {}) },
    ...(shape === "logged" ? { logs: [LOG], stdoutTo: LOG } : {}),
    ...(shape === "routes" ? { remark: "by one map of prefixes, its own way for so many" } : {}),
  };
}

export function haproxyPeer(command: string, version: string): Peer {
  return {
    name: "haproxy",
    kind: "native",
    version,
    plan: (shape, ground) => planOf(command, shape, ground),
  };
}
