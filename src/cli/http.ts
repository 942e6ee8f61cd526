/** One small HTTP exchange, bounded in time and size. */

import { request as requestHttps } from "node:https";
import { request as requestHttp } from "../node-http.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Ask {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  /** Breaks it off. */
  readonly signal?: AbortSignal | undefined;
}

/** The exchange took longer than it may. */
export class AnswerTimeout extends Error {}
/** The answer is greater than it may be. */
export class AnswerTooLarge extends Error {}

/**
 * Sends one request on a connection of its own and reads the whole answer. Rejects with what `node:http` says,
 * AnswerTimeout or AnswerTooLarge. (Not `fetch`: that refuses ports such as 6000 and 10080, where an admin port
 * may well be.)
 */
export function exchange(ask: Ask): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const open = ask.url.protocol === "https:" ? requestHttps : requestHttp;
  const { method, headers } = ask;
  const request = open(ask.url, { method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ask.maxAnswerBytes) response.destroy(new AnswerTooLarge());
      else chunks.push(chunk);
    });
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
    );
    response.on("error", reject);
  });
  const breakOff = () => request.destroy(new Error("broken off"));
  if (ask.signal?.aborted === true) breakOff();
  ask.signal?.addEventListener("abort", breakOff);
  const timer = setTimeout(() => request.destroy(new AnswerTimeout()), ask.timeoutMs);
  request.on("error", reject);
  request.on("close", () => {
    clearTimeout(timer);
    ask.signal?.removeEventListener("abort", breakOff);
    reject(new Error("the connection closed early"));
  });
  request.end(ask.body ?? undefined);
  return promise;
}
