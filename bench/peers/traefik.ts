/** Traefik with GOMAXPROCS=1. It is told not to look for news of itself: the rig speaks to nobody outside. */

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
  urlOf,
} from "./peer.ts";

/** JSON is YAML. */
const STATIC = "traefik.yaml";
const DYNAMIC = "routes.yaml";
const LOG = "access.log";

const SERVICES: Readonly<Record<Exclude<Shape, "keys">, object>> = {
  plain: {},
  logged: {},
  routes: {},
  canary: {
    split: {
      weighted: {
        services: [
          { name: "old", weight: 100 - CANARY_PERCENT },
          { name: "new", weight: CANARY_PERCENT },
        ],
      },
    },
  },
  shadow: { copied: { mirroring: { service: "old", mirrors: [{ name: "new", percent: 100 }] } } },
};

const ENTRY: Readonly<Record<Exclude<Shape, "keys">, string>> = {
  plain: "old",
  logged: "old",
  routes: "old",
  canary: "split",
  shadow: "copied",
};

function dynamicOf(shape: Exclude<Shape, "keys">, ground: Ground): string {
  const server = (port: number): object => ({ loadBalancer: { servers: [{ url: urlOf(port) }] } });
  const router = (prefix: string): object => ({
    rule: `PathPrefix(\`${prefix}\`)`,
    service: ENTRY[shape],
    entryPoints: ["clients"],
  });
  const routers =
    shape === "routes"
      ? Object.fromEntries(each(ROUTE_COUNT, (at) => [`area-${at}`, router(routePath(at))]))
      : { all: router("/") };
  const services = { old: server(ground.oldPort), new: server(ground.newPort), ...SERVICES[shape] };
  return JSON.stringify({ http: { routers, services } });
}

function staticOf(shape: Shape, { folder, listenPort }: Ground): string {
  return JSON.stringify({
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: "ERROR" },
    entryPoints: { clients: { address: `127.0.0.1:${listenPort}` } },
    providers: { file: { filename: join(folder, DYNAMIC), watch: false } },
    ...(shape === "logged" ? { accessLog: { filePath: join(folder, LOG) } } : {}),
  });
}

const REMARKS: Partial<Record<Shape, string>> = {
  canary: "in turn by weight, not by key",
  shadow: "answers of the copies are thrown away",
};

function planOf(command: string, shape: Shape, ground: Ground): Plan | Lack {
  if (shape === "keys") return { lacks: "no list of a million keys that is reloaded" };
  const remark = REMARKS[shape];
  return {
    command,
    args: [`--configFile=${join(ground.folder, STATIC)}`],
    env: { GOMAXPROCS: "1" },
    files: { [STATIC]: staticOf(shape, ground), [DYNAMIC]: dynamicOf(shape, ground) },
    ...(shape === "logged" ? { logs: [LOG] } : {}),
    ...(remark === undefined ? {} : { remark }),
  };
}

export function traefikPeer(command: string, version: string): Peer {
  return { name: "traefik", kind: "go", version, plan: (shape, ground) => planOf(command, shape, ground) };
}
