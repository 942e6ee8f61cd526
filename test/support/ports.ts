/** Ports for servers that end and begin again at the same address. */

import { createServer } from "node:net";

/** Kernels give ports from 32,768 on to whoever asks for any (Linux), or from 49,152 on. */
const FIRST = 20_000;
const COUNT = 12_000;

let tried = 0;

/** A free port that nobody is given who asks for any: it is still free after a server has left it. */
export async function steadyPort(): Promise<number> {
  for (;;) {
    // Test files run beside each other, each in a process of its own.
    const port = FIRST + ((process.pid * 7 + tried++) % COUNT);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
