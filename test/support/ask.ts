/** A client for tests: one request, its answer, and what the gateway says of itself in the headers. */

import { Agent, type ClientRequest, request } from "node:http";
import { bucketOf } from "../../src/model/bucket.ts";

/** A gateway so silent hangs: the test shall say so instead of hanging with it. */
const SILENCE_MS = 60_000;

export interface Asked {
  readonly status: number;
  readonly side: string | null;
  readonly reason: string | null;
  readonly rules: string | null;
  readonly connection: string | null;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: a connection of its own, so that the kernel picks the data thread anew. */
  readonly agent?: Agent;
  /** Writes the body in its own time, in place of `body`. */
  readonly send?: (request: ClientRequest) => void;
  /** Told of the request once it is on its way. */
  readonly onStarted?: (request: ClientRequest) => void;
}

/** Rejects where no whole answer came. */
export function ask(url: string, options: Ask = {}): Promise<Asked> {
  const { method = "GET", path = "/", headers = {}, body, agent = false } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const sent = request(new URL(url).origin, { method, path, headers, agent }, (answer) => {
    let text = "";
    answer.setEncoding("utf8");
    answer.on("data", (chunk: string) => {
      text += chunk;
    });
    answer.on("error", reject);
    answer.on("end", () => {
      const header = (name: string): string | null => {
        const value = answer.headers[name];
        return typeof value === "string" ? value : null;
      };
      resolve({
        status: answer.statusCode ?? 0,
        side: header("x-cutover-side"),
        reason: header("x-cutover-reason"),
        rules: header("x-cutover-rules"),
        connection: header("connection"),
        body: text,
      });
    });
  });
  sent.on("error", reject);
  sent.setTimeout(SILENCE_MS, () => sent.destroy(new Error(`no answer in ${SILENCE_MS} ms`)));
  const { onStarted } = options;
  if (onStarted !== undefined) sent.on("socket", (socket) => socket.on("connect", () => onStarted(sent)));
  if (options.send === undefined) sent.end(body);
  else options.send(sent);
  return promise;
}

/** So many requests, `concurrency` at a time, over kept connections; answers in order. */
export async function askMany(
  url: string,
  requests: readonly Ask[],
  concurrency = 8,
): Promise<readonly Asked[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  try {
    return await Promise.all(requests.map((each) => ask(url, { agent, ...each })));
  } finally {
    agent.destroy();
  }
}

export function times(count: number, each: Ask = {}): Ask[] {
  return Array.from({ length: count }, () => each);
}

/** Keys of route `r` by the side that a canary share draws them to. */
export function keysFor(
  sharePercent: number,
  counts: { readonly old: number; readonly new: number },
  route = "r",
): { readonly old: readonly string[]; readonly new: readonly string[] } {
  const keys = { old: [] as string[], new: [] as string[] };
  for (let i = 0; keys.old.length < counts.old || keys.new.length < counts.new; i++) {
    const key = `key-${i}`;
    const side = bucketOf(route, key) < sharePercent * 10_000 ? "new" : "old";
    if (keys[side].length < counts[side]) keys[side].push(key);
  }
  return keys;
}

/** GETs by these keys (header x-user). */
export function byKeys(keys: readonly string[]): Ask[] {
  return keys.map((key) => ({ headers: { "x-user": key } }));
}
