/** The addresses that gates ask. */

import type { Parsed } from "./units.ts";

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const no = (why: string): Parsed<never> => ({ ok: false, why });

const MAX_GATE_URL_CHARS = 2048;

/** What a gate asks, kept as it was written. */
export function parseGateUrl(text: string): Parsed<string> {
  const example = "write a URL such as http://127.0.0.1:7000/lag";
  if (text.length > MAX_GATE_URL_CHARS) return no(`a URL has at most ${MAX_GATE_URL_CHARS} characters`);
  if (!/^https?:\/\//i.test(text)) {
    const isBare = /^[A-Za-z0-9.-]+(?::[0-9]+)?(?:\/\S*)?$/.test(text);
    return no(isBare ? `write http://${text} or https://${text}` : example);
  }
  if (/[^\x21-\x7e]/.test(text)) return no("write spaces and letters beyond ASCII percent-encoded");
  if (!URL.canParse(text)) return no(example);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    return no(
      "a gate's URL holds no user or password: take them out, and let a proxy near the gateway add them where they are needed",
    );
  }
  if (text.includes("#")) return no("what comes after # is never sent: take it out");
  return url.port === "0" ? no("a server has a port other than 0") : ok(text);
}

/** The address of a Prometheus server, with the path in front of its API if there is one. */
export function parsePrometheusUrl(text: string): Parsed<string> {
  const parsed = parseGateUrl(text);
  if (!parsed.ok) return parsed;
  const { origin, pathname } = new URL(text);
  const prefix = /^(.*?)\/+api(?:\/v1(?:\/.*)?)?$/.exec(pathname)?.[1];
  if (prefix !== undefined) return no(`write ${origin}${prefix} alone: /api/v1/query is added`);
  return text.includes("?") ? no("write the server's address alone: what is asked goes into query") : parsed;
}
