/** OPTIONS * (RFC 9110 §9.3.7): the one target that undici cannot send, so node:http does, to the same handler. */

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import type { Dispatcher } from "undici";
import type { Tls } from "../model/ruleset.ts";
import { tlsOptions } from "../model/tls-options.ts";

export function dispatchAsterisk(
  origin: string,
  tls: Tls | null,
  headers: readonly string[],
  handler: Dispatcher.DispatchHandler,
): void {
  const { hostname, port, protocol } = new URL(origin);
  // Brackets are a URL's way to write an address, not a resolver's.
  const host = hostname.replace(/^\[|\]$/g, "");
  const send = protocol === "https:" ? requestHttps : requestHttp;
  const request = send({
    host,
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    method: "OPTIONS",
    path: "*",
    headers: [...withoutTrailer(headers), "connection", "close"],
    agent: false,
    // The name to verify is the backend's own: by default node:https would take the client's Host for it.
    servername: isIP(host) === 0 ? host : "",
    ...tlsOptions(tls),
  });
  let ended = false;
  const fail = (error: Error): void => {
    if (ended) return;
    ended = true;
    handler.onResponseError?.(controller, error);
    request.destroy();
  };
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    rawHeaders: null,
    rawTrailers: null,
    abort: fail,
    pause: () => {},
    resume: () => {},
  };
  request.on("error", fail);
  request.on("response", (answer) => {
    controller.rawHeaders = answer.rawHeaders;
    handler.onResponseStart?.(controller, answer.statusCode ?? 0, answer.headers, answer.statusMessage);
    answer.on("data", (chunk: Buffer) => handler.onResponseData?.(controller, chunk));
    answer.on("error", fail);
    answer.on("end", () => {
      if (ended) return;
      ended = true;
      controller.rawTrailers = answer.rawTrailers;
      handler.onResponseEnd?.(controller, answer.trailers);
    });
  });
  handler.onRequestStart?.(controller, null);
  request.end();
}

/** There is no body that one could follow, and node:http throws where it is announced. */
function withoutTrailer(headers: readonly string[]): string[] {
  return headers.filter((_text, at) => headers[at - (at % 2)]?.toLowerCase() !== "trailer");
}
