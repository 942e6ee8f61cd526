/**
 * What a request must be before anything is decided: one reading of its target and of its framing, the same for
 * the match and for what is forwarded. Parsers differ on what they let through; what two of them could read in
 * two ways is refused here.
 */

import { findHeader } from "./facts.ts";

export interface Admitted {
  readonly kind: "admitted";
  /** Origin-form, byte for byte as it came; "*" for OPTIONS of the server as a whole. */
  readonly target: string;
  /** The Host to go on with; "" where an HTTP/1.0 client named none. */
  readonly host: string;
}

export interface Refused {
  readonly kind: "refused";
  readonly status: RefusalStatus;
  /** For the client: what is wrong, nothing of what it sent. */
  readonly why: string;
}

type RefusalStatus = 400 | 501 | 505;

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** "1.1" */
  readonly version: string;
  /** Flat name, value … */
  readonly rawHeaders: readonly string[];
}

/** A name or address with an optional port (RFC 3986 §3.2.2, without userinfo and sub-delims). */
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/** Fields that mean something else when they come twice, and that backends read differently then. */
const SINGLE = ["host", "authorization", "content-length", "transfer-encoding", "max-forwards"];

/** Takes a request in, or says why not. A refused one is answered and its connection closed. */
export function admit(head: RequestHead): Admitted | Refused {
  const framing = checkFraming(head);
  if (framing !== null) return framing;
  const sentHost = findHeader(head.rawHeaders, "host");
  if (sentHost === undefined) {
    if (head.version !== "1.0") return refused(400, "a request needs a Host");
  } else if (!AUTHORITY.test(sentHost)) {
    return refused(400, "Host is no name or address with an optional port");
  }
  return checkTarget(head, sentHost ?? "");
}

function checkFraming({ method, target, version, rawHeaders }: RequestHead): Refused | null {
  if (version === "0.9") return refused(400, "a request line ends in HTTP/1.1");
  if (version !== "1.1" && version !== "1.0") return refused(505, `HTTP/${version} is not spoken here`);
  const repeated = SINGLE.find((name) => isRepeated(rawHeaders, name));
  if (repeated !== undefined) return refused(400, `${repeated} may come once only`);
  const coding = findHeader(rawHeaders, "transfer-encoding");
  if (coding !== undefined) {
    if (version === "1.0") return refused(400, "HTTP/1.0 has no Transfer-Encoding");
    if (findHeader(rawHeaders, "content-length") !== undefined) {
      return refused(400, "Content-Length and Transfer-Encoding cannot both tell the length");
    }
    if (coding.toLowerCase() !== "chunked") return refused(501, "the only transfer coding here is chunked");
  }
  if ((method === "TRACE" || target === "*") && (coding !== undefined || hasLength(rawHeaders)))
    return bodiless;
  return null;
}

function checkTarget({ method, target, rawHeaders }: RequestHead, host: string): Admitted | Refused {
  if (target.includes("#")) return refused(400, "a target has no fragment");
  if (target.startsWith("/")) return { kind: "admitted", target, host };
  if (target === "*") {
    return method === "OPTIONS"
      ? { kind: "admitted", target, host }
      : refused(400, "only OPTIONS may ask for *");
  }
  const absolute = ABSOLUTE.exec(target);
  if (absolute === null) return refused(400, "a target is a path or an absolute http URL");
  const [, authority = "", rest = ""] = absolute;
  if (!AUTHORITY.test(authority)) return refused(400, "the target names no host");
  // RFC 9112 §3.2.2: the target's host counts, whatever Host says.
  if (rest === "" && method === "OPTIONS") {
    const hasBody = hasLength(rawHeaders) || findHeader(rawHeaders, "transfer-encoding") !== undefined;
    return hasBody ? bodiless : { kind: "admitted", target: "*", host: authority };
  }
  return { kind: "admitted", target: rest.startsWith("/") ? rest : `/${rest}`, host: authority };
}

function isRepeated(rawHeaders: readonly string[], name: string): boolean {
  let seen = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    if (seen) return true;
    seen = true;
  }
  return false;
}

function hasLength(rawHeaders: readonly string[]): boolean {
  const length = findHeader(rawHeaders, "content-length");
  return length !== undefined && Number(length) !== 0;
}

const bodiless = refused(400, "TRACE and OPTIONS * have no body");

function refused(status: RefusalStatus, why: string): Refused {
  return { kind: "refused", status, why };
}

/** How many more gateways a TRACE or OPTIONS may pass (RFC 9110 §7.6.2); null: no limit, or another method's. */
export function maxForwards({ method, rawHeaders }: RequestHead): number | null {
  if (method !== "TRACE" && method !== "OPTIONS") return null;
  const sent = findHeader(rawHeaders, "max-forwards");
  return sent !== undefined && /^[0-9]{1,9}$/.test(sent) ? Number(sent) : null;
}
