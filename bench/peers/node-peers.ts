/** The peers that run on Node: three libraries from npm, and the least that Node can do. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ground, type Lack, type Peer, type Plan, type Shape, urlOf } from "./peer.ts";

const NODE_PROXY = fileURLToPath(new URL("./node-proxy.ts", import.meta.url));
const BARE = fileURLToPath(new URL("../bare.ts", import.meta.url));
const LOG = "access.log";

export type Library = "http-proxy" | "fastify-http-proxy" | "fast-proxy";

const LACKS: Partial<Record<Shape, string>> = {
  canary: "sends everything to one backend",
  keys: "sends everything to one backend",
  shadow: "copies no requests",
  routes: "has no routes of its own",
};

function planOf(library: Library, folder: string, shape: Shape, ground: Ground): Plan | Lack {
  const lacks = LACKS[shape];
  if (lacks !== undefined) return { lacks };
  const isLogged = shape === "logged";
  if (isLogged && library !== "fastify-http-proxy") return { lacks: "has no access log" };
  const args = [NODE_PROXY, library, folder, String(ground.listenPort), urlOf(ground.oldPort)];
  return {
    command: process.execPath,
    args: isLogged ? [...args, join(ground.folder, LOG)] : args,
    files: {},
    ...(isLogged ? { logs: [LOG] } : {}),
  };
}

/** `folder`: where the library is installed. */
export function libraryPeer(library: Library, folder: string, version: string): Peer {
  return {
    name: library,
    kind: "node",
    version,
    plan: (shape, ground) => planOf(library, folder, shape, ground),
  };
}

/** node:http and undici, nothing else: it forwards to old whatever the shape, so that all can be put beside it. */
export const barePeer: Peer = {
  name: "bare",
  kind: "least",
  version: `node:http and undici on ${process.version}`,
  noBodies: true,
  plan: (shape, { listenPort, oldPort }) => ({
    command: process.execPath,
    args: [BARE, urlOf(oldPort), String(listenPort)],
    files: {},
    ...(shape === "plain" ? {} : { remark: "plain forwarding, for comparison" }),
  }),
};
