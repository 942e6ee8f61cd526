/** A steady load for tests: a few clients that ask again as soon as they are answered. */

import { Agent } from "node:http";
import { type Ask, type Asked, ask } from "./ask.ts";

/** Between an answer and the client's next request: enough requests to see a fault, and time for other tests. */
const PAUSE_MS = 3;

export interface Load {
  /** Answers so far. */
  readonly answers: Asked[];
  /** Requests without a whole answer. */
  readonly errors: Error[];
  /** No further requests; resolves when those in flight have ended. */
  stop(): Promise<void>;
}

export interface LoadOptions extends Ask {
  readonly clients?: number;
  /** False: a connection for each request, so that all data threads take part. */
  readonly keepAlive?: boolean;
}

export function startLoad(url: string, { clients = 4, keepAlive = true, ...each }: LoadOptions = {}): Load {
  const answers: Asked[] = [];
  const errors: Error[] = [];
  let stopped = false;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    while (!stopped) {
      try {
        answers.push(await ask(url, { agent, ...each }));
      } catch (error) {
        errors.push(error as Error);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    agent.destroy();
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    answers,
    errors,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
