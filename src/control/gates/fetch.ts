/** One bounded GET for a gate: no redirects, no more than the rules name, no more bytes and time than allowed. */

import { Agent, request } from "undici";

const MAX_ANSWER_BYTES = 64 * 1024;

/** Gates ask seldom: a connection each, that is gone afterwards. */
const agent = new Agent({ pipelining: 0, keepAliveTimeout: 1, connections: 8 });

/** The JSON that a URL answers. Throws an Error that says in a few words what is in the way. */
export async function fetchJson(url: string, timeoutMs: number): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    // Raced: undici lets a TLS handshake that hangs outlive its signal.
    const { statusCode, text } = await Promise.race([get(url, signal), rejectedBy(signal)]);
    // A redirect is an answer like any other that is no 200: its target is not in the rules.
    if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
    return parse(text);
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${timeoutMs} ms`);
    throw new Error(reasonOf(error));
  }
}

async function get(url: string, signal: AbortSignal): Promise<{ statusCode: number; text: string }> {
  const { statusCode, body } = await request(url, {
    dispatcher: agent,
    signal,
    headers: { accept: "application/json", "user-agent": "cutover-gate" },
  });
  return { statusCode, text: await readText(body) };
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("its answer is no JSON");
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses tried: the errors are inside, and the outer one has no message.
  const inner = error instanceof AggregateError ? (error.errors as readonly unknown[])[0] : error;
  return inner instanceof Error ? inner.message : error.message;
}
