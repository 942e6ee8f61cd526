/** Texts with a grammar of their own: names, paths, hosts, URLs, patterns. Each parser teaches what to write. */

import { checkPath, MAX_PATH_CHARS, parsePath } from "../model/jsonpath.ts";
import { endlessMistake } from "../model/pattern.ts";
import type { HostPolicy, KeySource } from "../model/ruleset.ts";
import { isNeverUpgraded } from "../model/upgrade.ts";
import { METHODS } from "../node-http.ts";
import { nearest } from "./suggest.ts";
import type { Parsed } from "./units.ts";

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const no = (why: string): Parsed<never> => ({ ok: false, why });

export const NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";
const NAME = new RegExp(NAME_PATTERN);
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const MAX_PATTERN_LENGTH = 512;
const MAX_PATH_LENGTH = 2048;

/** A route or a backend. */
export function parseName(text: string): Parsed<string> {
  return NAME.test(text)
    ? ok(text)
    : no(
        "a name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit",
      );
}

export function parseHeaderName(text: string): Parsed<string> {
  // __proto__ is a legal token, and would be lost in plain objects.
  return TOKEN.test(text) && text !== "__proto__"
    ? ok(text.toLowerCase())
    : no("write a header's name alone, such as x-tenant-id");
}

/** Where a pattern would look as if it meant something: `*` is a legal character of a name that no field has. */
export function parseWholeHeaderName(text: string): Parsed<string> {
  return text.includes("*")
    ? no(`no field is called ${text}, and patterns are not known here: name each field, such as location`)
    : parseHeaderName(text);
}

/** A token of the Upgrade field, with or without a version. */
export function parseUpgradeProtocol(text: string): Parsed<string> {
  const [name = "", version] = text.split("/", 2);
  if (!TOKEN.test(name) || (version !== undefined && !TOKEN.test(version)) || text.split("/").length > 2)
    return no("write a protocol as the Upgrade field names it, such as websocket");
  return isNeverUpgraded(text)
    ? no(`${text} is never passed on: requests inside it would go past these rules; leave it out`)
    : ok(text);
}

function parseCookieName(text: string): Parsed<string> {
  return TOKEN.test(text) ? ok(text) : no("write a cookie's name alone, such as uid");
}

export function parseMethod(text: string): Parsed<string> {
  if (METHODS.includes(text) && text !== "CONNECT") return ok(text);
  const upper = text.toUpperCase();
  if (upper === "CONNECT") return no("CONNECT asks for a tunnel, which the gateway never opens");
  const meant = METHODS.includes(upper) ? upper : nearest(text, METHODS);
  return no(meant === undefined ? "write an HTTP method in capitals, such as GET" : `write ${meant}`);
}

export function parsePathTemplate(text: string): Parsed<string> {
  if (!text.startsWith("/"))
    return no(`a path begins with "/"${text === "" || /[*:]/.test(text) ? "" : `: write /${text}`}`);
  if (text.length > MAX_PATH_LENGTH) return no(`a path has at most ${MAX_PATH_LENGTH} characters`);
  if (text.includes("?")) return no("a path has no query: match it with query: { name: value }");
  if (text.includes("#")) return no("a path has no fragment (#…): clients never send one");
  if (/[^\x21-\x7e]/.test(text))
    return no("write spaces and letters beyond ASCII percent-encoded, as they are sent");
  const names = new Set<string>();
  const segments = text.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const wrong = segmentMistake(segment, index === segments.length - 1, names);
    if (wrong !== undefined) return no(wrong);
  }
  return ok(text);
}

function segmentMistake(segment: string, isLast: boolean, names: Set<string>): string | undefined {
  if (segment === "**")
    return isLast ? undefined : "** stands for all below, so it can only be the last segment";
  if (segment.includes("*"))
    return `"*" is no wildcard here: write {name} for one segment, or /** at the end for all below`;
  if (!/[{}]/.test(segment)) {
    return segment.startsWith(":")
      ? `write {${segment.slice(1) || "id"}} for a segment that varies`
      : undefined;
  }
  const name = /^\{([A-Za-z_][A-Za-z0-9_-]{0,63})\}$/.exec(segment)?.[1];
  if (name === undefined)
    return `"${segment}" is no template: {name} stands for one whole segment, as in /profiles/{id}`;
  if (names.has(name)) return `{${name}} is there twice: give each segment a name of its own`;
  names.add(name);
  return undefined;
}

/** The names in braces of a checked template. */
export function templateNames(template: string): string[] {
  return [...template.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? "");
}

const HOST_NAME =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const IPV6 = /^\[[0-9a-f:.]+\]$/;

/** A host to match: a name, an address, or "*.example.org" for any name below. */
export function parseMatchHost(text: string): Parsed<string> {
  const host = text.toLowerCase();
  if (/^[a-z]+:\/\//.test(host)) return no("write the host alone, without https://");
  const port = /^([^[\]:]+|\[[^\]]*\]):[0-9]+$/.exec(host);
  if (port) return no(`a host is matched without its port: write ${port[1]}`);
  const name = host.startsWith("*.") ? host.slice(2) : host;
  if (name.includes("*")) return no('"*" can only be the whole first part: *.example.org');
  const fits = host.length <= 253 && (HOST_NAME.test(name) || (name === host && IPV6.test(name)));
  return fits ? ok(host) : no("write a host such as api.example.com or *.example.org");
}

/** What backends are told in the Host header. */
export function parseHostPolicy(text: string): Parsed<HostPolicy> {
  if (text === "keep" || text === "backend") return ok({ kind: text });
  const name = text.replace(/:[0-9]{1,5}$/, "");
  return HOST_NAME.test(name.toLowerCase()) || IPV6.test(name.toLowerCase())
    ? ok({ kind: "name", name: text })
    : no("write keep (the client's), backend (its own), or a host's name");
}

/** A backend's URL → its origin. The text is never shown, as it may hold a password. */
export function parseBackendUrl(text: string): Parsed<string> {
  const example = "write a URL such as http://127.0.0.1:9001";
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return no(
      /^[A-Za-z0-9.-]+(?::[0-9]+)?$/.test(text) ? `write http://${text} or https://${text}` : example,
    );
  }
  if (/\s/.test(text) || !URL.canParse(text)) return no(example);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return no("a backend speaks http or https");
  if (url.username !== "" || url.password !== "")
    return no("a backend's URL holds no user or password: take them out");
  if (url.pathname !== "/" || /[?#]/.test(text)) {
    return no(`requests keep their own path: write ${url.origin} alone`);
  }
  return url.port === "0" ? no("a backend has a port other than 0") : ok(url.origin);
}

export function parseProbePath(text: string): Parsed<string> {
  if (!text.startsWith("/")) return no('a path begins with "/", such as /healthz');
  return text.length <= MAX_PATH_LENGTH && /^[\x21-\x7e]+$/.test(text) && !text.includes("#")
    ? ok(text)
    : no("write a path as it is sent, such as /healthz");
}

/** "header:x-tenant-id", "cookie:uid", "query:user", "path:id", "ip", "assign". */
export function parseKeySource(text: string): Parsed<KeySource> {
  if (text === "ip" || text === "assign") return ok({ kind: text });
  const [kind = "", name = ""] = text.split(/:(.*)/s);
  switch (kind) {
    case "header":
    case "cookie": {
      const parsed = kind === "header" ? parseHeaderName(name) : parseCookieName(name);
      return parsed.ok
        ? ok({ kind, name: parsed.value })
        : no(`write ${kind}: and a name, such as ${kind}:uid`);
    }
    case "query":
    case "path":
      return name !== "" ? ok({ kind, name }) : no(`write ${kind}: and a name, such as ${kind}:id`);
    default: {
      const meant = nearest(kind, ["header", "cookie", "query", "path", "ip", "assign"]);
      const forms = "header:NAME, cookie:NAME, query:NAME, path:NAME, ip or assign";
      return no(
        meant === undefined || meant === kind ? `write ${forms}` : `did you mean ${meant}? (${forms})`,
      );
    }
  }
}

/** A regular expression, kept as its text. */
export function parsePattern(text: string): Parsed<string> {
  if (text === "") return no('write a regular expression, such as "^HealthChecker"');
  if (text.length > MAX_PATTERN_LENGTH)
    return no(`a regular expression has at most ${MAX_PATTERN_LENGTH} characters`);
  try {
    new RegExp(text);
    // Clients choose the texts that it is held against, on the threads that serve them.
    const endless = endlessMistake(text, false);
    return endless === null ? ok(text) : no(endless);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("/: ").at(-1) ?? error.message) : String(error);
    return no(`this is no regular expression: ${why}`);
  }
}

/** RFC 9535, kept as its text. */
export function parseJsonPath(text: string): Parsed<string> {
  const why = checkPath(text);
  return why === null ? ok(text) : no(why);
}

/** Of names and indexes alone (a singular query of RFC 9535): whatever it is asked of, it names one value at most. */
export function parseSingularPath(text: string): Parsed<string> {
  const parsed = parseJsonPath(text);
  if (!parsed.ok) return parsed;
  const path = parsePath(text);
  const isSingular =
    path.kind === "steps" && path.steps.every(({ key, descends }) => key !== null && !descends);
  return isSingular
    ? parsed
    : no(
        "it may name several values, and one is needed: write names and indexes alone, such as $.checks[0].lagSeconds",
      );
}

/** "200" or "4xx". */
export function parseStatus(text: string): Parsed<string> {
  const status = text.toLowerCase();
  return /^[1-5](?:[0-9][0-9]|xx)$/.test(status)
    ? ok(status)
    : no("write a status such as 200, or a class such as 4xx");
}

/** What is never kept: "$.email", "header:x-user", "query:token". */
export type Redacted =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "header" | "query"; readonly name: string };

export function parseRedact(text: string): Parsed<Redacted> {
  if (text.startsWith("$")) {
    const parsed = parseJsonPath(text);
    return parsed.ok ? ok({ kind: "path", path: parsed.value }) : parsed;
  }
  const [kind = "", name] = text.split(/:(.*)/s);
  if (kind === "header" && name !== undefined) {
    const parsed = parseWholeHeaderName(name);
    return parsed.ok ? ok({ kind, name: parsed.value }) : parsed;
  }
  if (kind === "query" && name !== undefined) {
    return name !== "" && name.length <= MAX_PATH_CHARS
      ? ok({ kind, name })
      : no("write query: and a parameter's name, such as query:token");
  }
  const forms = "write a JSONPath such as $.email, header:NAME or query:NAME";
  if (name !== undefined && kind === "cookie") return no("cookies are never kept: leave it out");
  const meant = name === undefined ? undefined : nearest(kind, ["header", "query"]);
  return no(meant === undefined ? forms : `did you mean ${meant}:${name}? (${forms})`);
}
