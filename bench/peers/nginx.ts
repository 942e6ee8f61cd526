/** nginx: one process that is master and worker at once; answers are buffered in memory alone. */

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

const CONFIG = "nginx.conf";
const LOG = "access.log";

/** What every nginx of the rig begins with: all its files within the folder, nothing in the background. */
export function nginxFrame(folder: string, http: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
master_process off;
pid ${join(folder, "nginx.pid")};
error_log stderr crit;
events { worker_connections 8192; }
http {
  ${temporary.map((kind) => `${kind}_temp_path ${join(folder, `tmp-${kind}`)};`).join("\n  ")}
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
${http}
}
`;
}

/** Arguments that start nginx with a configuration of `nginxFrame`. */
export function nginxArgs(folder: string): readonly string[] {
  return ["-p", folder, "-c", join(folder, CONFIG), "-e", "stderr"];
}

const upstream = (name: string, port: number): string => `  upstream ${name} {
    server 127.0.0.1:${port};
    keepalive 256;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
  }`;

const pass = (to: string): string => `proxy_pass http://${to};`;

const PLAIN = `location / { ${pass("old")} }`;

const LOCATIONS: Readonly<Record<Exclude<Shape, "keys">, () => string>> = {
  plain: () => PLAIN,
  logged: () => PLAIN,
  canary: () => `location / { ${pass("$side")} }`,
  shadow: () =>
    `location / { mirror /copy; ${pass("old")} }\n    location = /copy { internal; ${pass("new$request_uri")} }`,
  routes: () => each(ROUTE_COUNT, (at) => `location ${routePath(at)} { ${pass("old")} }`).join("\n    "),
};

function planOf(command: string, shape: Shape, ground: Ground): Plan | Lack {
  if (shape === "keys") return { lacks: "no list of a million keys that is reloaded" };
  const { folder, listenPort, oldPort, newPort } = ground;
  const split = `  split_clients $http_x_user $side { ${CANARY_PERCENT}% new; * old; }`;
  const http = `${shape === "canary" ? split : ""}
${upstream("old", oldPort)}
${upstream("new", newPort)}
  access_log ${shape === "logged" ? join(folder, LOG) : "off"};
  server {
    listen 127.0.0.1:${listenPort} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_max_temp_file_size 0;
    client_max_body_size 64m;
    ${LOCATIONS[shape]()}
  }`;
  return {
    command,
    args: nginxArgs(folder),
    files: { [CONFIG]: nginxFrame(folder, http) },
    ...(shape === "logged" ? { logs: [LOG] } : {}),
  };
}

export function nginxPeer(command: string, version: string): Peer {
  return { name: "nginx", kind: "native", version, plan: (shape, ground) => planOf(command, shape, ground) };
}
