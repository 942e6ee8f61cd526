/** Connections that ask once and then say nothing. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** So many at a time: a backlog is not what is measured. */
const BATCH = 50;

/** Resolves when all have been answered; disposing closes them. */
export async function openIdle(url: string, path: string, count: number): Promise<Disposable> {
  const { hostname, port, host } = new URL(url);
  const sockets: Socket[] = [];
  const open = async (): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port) });
    sockets.push(socket);
    await once(socket, "connect");
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nx-user: idle\r\n\r\n`);
    await once(socket, "data");
    socket.on("error", () => {}); // a proxy that sends idle clients away does so: it is not what is measured
    socket.resume();
  };
  try {
    while (sockets.length < count) {
      await Promise.all(Array.from({ length: Math.min(BATCH, count - sockets.length) }, open));
    }
  } catch (error) {
    for (const socket of sockets) socket.destroy();
    throw error;
  }
  return {
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
