/** Everybody who can be had on this machine, and who cannot. */

import { resolve } from "node:path";
import { envoyPeer } from "./envoy.ts";
import { gatewayPeer } from "./gateway.ts";
import { haproxyPeer } from "./haproxy.ts";
import { debianProgram, type Found, isFound, npmLibraries, pythonProgram } from "./install.ts";
import { revision } from "./machine.ts";
import { type Absent, GATEWAY } from "./measured.ts";
import { nginxPeer } from "./nginx.ts";
import { barePeer, libraryPeer } from "./node-peers.ts";
import type { Peer } from "./peer.ts";
import { traefikPeer } from "./traefik.ts";

type Get = (cache: string) => Promise<Peer | Absent>;

function got(name: string, found: Found, make: (path: string, version: string) => Peer): Peer | Absent {
  return isFound(found) ? make(found.path, found.version) : { name, why: found.missing };
}

const GET: Readonly<Record<string, Get>> = {
  bare: async () => barePeer,
  nginx: async (cache) => got("nginx", await debianProgram("nginx", cache), nginxPeer),
  haproxy: async (cache) => got("haproxy", await debianProgram("haproxy", cache), haproxyPeer),
  envoy: async (cache) => got("envoy", await pythonProgram("envoy", cache), envoyPeer),
  traefik: async (cache) => got("traefik", await pythonProgram("traefik", cache), traefikPeer),
  "http-proxy": async (cache) =>
    got("http-proxy", await npmLibraries(["http-proxy"], cache), (path, version) =>
      libraryPeer("http-proxy", path, version),
    ),
  "fastify-http-proxy": async (cache) =>
    got(
      "fastify-http-proxy",
      await npmLibraries(["@fastify/http-proxy", "fastify"], cache),
      (path, version) => libraryPeer("fastify-http-proxy", path, version),
    ),
  "fast-proxy": async (cache) =>
    got("fast-proxy", await npmLibraries(["fast-proxy"], cache), (path, version) =>
      libraryPeer("fast-proxy", path, version),
    ),
};

export const PEER_NAMES: readonly string[] = [GATEWAY, ...Object.keys(GET)];

const isPeer = (each: Peer | Absent): each is Peer => "plan" in each;

/**
 * The gateway first, then those of `names` that can be had, installed where they are missing.
 * `against`: other checkouts of the gateway that take part.
 */
export async function gather(
  names: readonly string[],
  checkout: string,
  against: readonly string[],
  cache: string,
  tell: (what: string) => void,
): Promise<{ readonly peers: readonly Peer[]; readonly missing: readonly Absent[] }> {
  const ours = names.includes(GATEWAY) ? [gatewayPeer(GATEWAY, checkout, revision(checkout))] : [];
  const others = against.map((other) => gatewayPeer(`gateway at ${other}`, resolve(other), revision(other)));
  const all: (Peer | Absent)[] = [];
  for (const name of names) {
    const get = GET[name];
    if (get === undefined) continue;
    tell(`looking for ${name}, and installing it where it is missing`);
    all.push(await get(cache));
  }
  const peers = all.filter(isPeer);
  const missing = all.filter((each): each is Absent => !isPeer(each));
  return { peers: [...ours, ...others, ...peers], missing };
}
