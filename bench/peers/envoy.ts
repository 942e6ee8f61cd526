/** Envoy with one worker (--concurrency 1) and the router as its only filter. */

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

/** JSON is YAML. */
const CONFIG = "envoy.yaml";
const LOG = "access.log";

const type = (name: string): { "@type": string } => ({
  "@type": `type.googleapis.com/envoy.extensions.${name}`,
});
const address = (port: number): object => ({ socket_address: { address: "127.0.0.1", port_value: port } });

const to = (action: object, prefix = "/"): object => ({ match: { prefix }, route: action });

const ROUTES: Readonly<Record<Exclude<Shape, "keys">, () => readonly object[]>> = {
  plain: () => [to({ cluster: "old" })],
  logged: () => [to({ cluster: "old" })],
  canary: () => [
    to({
      hash_policy: [{ header: { header_name: "x-user" } }],
      weighted_clusters: {
        use_hash_policy: true,
        clusters: [
          { name: "old", weight: 100 - CANARY_PERCENT },
          { name: "new", weight: CANARY_PERCENT },
        ],
      },
    }),
  ],
  shadow: () => [to({ cluster: "old", request_mirror_policies: [{ cluster: "new" }] })],
  routes: () => each(ROUTE_COUNT, (at) => to({ cluster: "old" }, routePath(at))),
};

function cluster(name: string, port: number): object {
  const endpoint = { endpoint: { address: address(port) } };
  return {
    name,
    type: "STATIC",
    connect_timeout: "2s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
  };
}

function configOf(shape: Exclude<Shape, "keys">, ground: Ground): string {
  const manager = {
    ...type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "clients",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: ROUTES[shape]() }] },
    http_filters: [
      { name: "envoy.filters.http.router", typed_config: type("filters.http.router.v3.Router") },
    ],
    ...(shape === "logged" ? { access_log: [accessLog(join(ground.folder, LOG))] } : {}),
  };
  const filter = { name: "envoy.filters.network.http_connection_manager", typed_config: manager };
  const listener = {
    name: "clients",
    address: address(ground.listenPort),
    filter_chains: [{ filters: [filter] }],
  };
  const clusters = [cluster("old", ground.oldPort), cluster("new", ground.newPort)];
  return JSON.stringify({ static_resources: { listeners: [listener], clusters } });
}

function accessLog(path: string): object {
  const typed = { ...type("access_loggers.file.v3.FileAccessLog"), path };
  return { name: "envoy.access_loggers.file", typed_config: typed };
}

function planOf(command: string, shape: Shape, ground: Ground): Plan | Lack {
  if (shape === "keys") return { lacks: "no list of a million keys that is reloaded" };
  return {
    command,
    args: [
      ...["-c", join(ground.folder, CONFIG), "--concurrency", "1", "--disable-hot-restart"],
      ...["--log-level", "error"],
    ],
    files: { [CONFIG]: configOf(shape, ground) },
    ...(shape === "logged" ? { logs: [LOG] } : {}),
    ...(shape === "shadow" ? { remark: "answers of the copies are thrown away" } : {}),
  };
}

export function envoyPeer(command: string, version: string): Peer {
  return { name: "envoy", kind: "native", version, plan: (shape, ground) => planOf(command, shape, ground) };
}
