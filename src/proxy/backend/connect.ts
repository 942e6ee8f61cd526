/** Opens connections to one URL of a backend. */

import { connect as connectTcp, isIP, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Tls } from "../../model/ruleset.ts";
import { tlsOptions } from "../../model/tls-options.ts";

/** A peer that vanished without a word is noticed by the system. */
const TCP_KEEP_ALIVE_MS = 60_000;

export interface Dialled {
  readonly socket: Socket;
  /** The event after which it can be used. */
  readonly ready: "connect" | "secureConnect";
}

/** Makes a dialler, which throws nothing; it keeps the TLS session, so that a second connection need not shake hands in full. */
export function dialler(origin: string, tls: Tls | null): () => Dialled {
  const { hostname, port, protocol } = new URL(origin);
  // Brackets are a URL's way to write an address, not a resolver's.
  const host = hostname.replace(/^\[|\]$/g, "");
  const isTls = protocol === "https:";
  const to = { host, port: port === "" ? (isTls ? 443 : 80) : Number(port) };
  let session: Buffer | undefined;
  const begin = (): Socket => {
    if (!isTls) return connectTcp(to);
    const socket = connectTls({
      ...to,
      // The name to verify is the backend's own (the rules' or its URL's), whatever Host a client sends.
      servername: isIP(host) === 0 ? host : "",
      ALPNProtocols: ["http/1.1"],
      ...(session === undefined ? {} : { session }),
      ...tlsOptions(tls),
    });
    return socket.on("session", (next: Buffer) => (session = next));
  };
  return () => {
    const socket = neverThrown(begin);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    return { socket, ready: isTls ? "secureConnect" : "connect" };
  };
}

/** What cannot even be tried (a key that TLS refuses) fails like any other connection: by an "error" that follows. */
function neverThrown(begin: () => Socket): Socket {
  try {
    return begin();
  } catch (error) {
    return new Socket().destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
