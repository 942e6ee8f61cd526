/** What the clients of the rig ask for, whichever load sends it. */

import { keyOf } from "./peer.ts";

/** What clients ask for. */
export interface Requests {
  readonly method: "GET" | "POST";
  /** Asked in turn. */
  readonly paths: readonly string[];
  /** Length of the body; 0: none. */
  readonly bodyBytes: number;
}

/** Different users, and paths where there are many: requests that differ in nothing would be too easy. */
export const REQUEST_COUNT = 1_000;
export const bodyOf = (bytes: number): string => (bytes === 0 ? "" : `{"text":"${"b".repeat(bytes - 11)}"}`);

/** The same requests as wrk's, for a load of our own. */
export function requestTexts(url: string, requests: Requests): readonly Buffer[] {
  const { method, paths, bodyBytes } = requests;
  const body = bodyOf(bodyBytes);
  const type = bodyBytes === 0 ? "" : `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  return Array.from({ length: REQUEST_COUNT }, (_, user) => {
    const head = `${method} ${paths[user % paths.length]} HTTP/1.1\r\nhost: ${new URL(url).host}\r\n`;
    const who = `x-user: ${keyOf(user)}\r\naccept: application/json\r\n`;
    return Buffer.from(`${head}${who}${type}\r\n${body}`);
  });
}
