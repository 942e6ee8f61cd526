/** Answers that say what went wrong: `application/problem+json`, RFC 9457. */

import type { OutgoingHttpHeaders } from "node:http";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** Thrown anywhere in a handler; only the server turns it into an answer. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** Members beside type, title, status and detail. */
  readonly extra: Readonly<Record<string, unknown>>;

  /** `detail` is a sentence for people: what is wrong, and what to send instead. */
  constructor(
    status: number,
    detail: string,
    more: { readonly headers?: OutgoingHttpHeaders; readonly extra?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(detail);
    this.status = status;
    this.headers = more.headers ?? {};
    this.extra = more.extra ?? {};
  }

  /** The body, one JSON object. */
  body(): string {
    const title = TITLES[this.status] ?? "Error";
    return `${JSON.stringify({ type: "about:blank", title, status: this.status, detail: this.message, ...this.extra })}\n`;
  }
}

/** Longest piece of a request that an error repeats. */
const MAX_QUOTED = 80;

/** A name from a request, made safe to repeat in an error: quoted, escaped and cut. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}…` : name);
}
