/**
 * Who the client is and what it asked for, where proxies stand between it and the gateway. What a proxy says is
 * believed where its address is trusted; what anybody else says is not passed on.
 */

import { BlockList, isIP, isIPv6 } from "node:net";
import { joinedHeader } from "./headers.ts";

export type Trust = (address: string) => boolean;

export interface Origin {
  /** The address at the other end of the connection. */
  readonly peer: string;
  /** The first address from the right that is no trusted proxy's: who is asking. */
  readonly ip: string;
  /** What a trusted peer says of the client; null: the peer is not trusted. */
  readonly said: Said | null;
}

/** What the trusted peer said, checked; null or empty: nothing, or nothing well-formed. */
export interface Said {
  /** Left to right, without the peer itself. */
  readonly chain: readonly string[];
  readonly proto: string | null;
  readonly host: string | null;
  readonly port: string | null;
  /** The elements of Forwarded, as they came. */
  readonly forwarded: string | null;
}

/** Of a chain so many addresses are kept, those nearest to the gateway. */
const MAX_CHAIN = 32;
/** Longer values are nobody's honest ones. */
const MAX_VALUE_LENGTH = 4096;
/** Answers that are remembered: a proxy sends many requests from few addresses. */
const MAX_REMEMBERED = 1024;

/** Whether an address is in one of the ranges ("10.0.0.0/8"), which rules/ has checked. */
export function trustIn(cidrs: readonly string[]): Trust {
  if (cidrs.length === 0) return () => false;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const slashAt = cidr.indexOf("/");
    const address = cidr.slice(0, slashAt);
    list.addSubnet(address, Number(cidr.slice(slashAt + 1)), isIPv6(address) ? "ipv6" : "ipv4");
  }
  const remembered = new Map<string, boolean>();
  return (address) => {
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const trusted = isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
    if (remembered.size < MAX_REMEMBERED) remembered.set(address, trusted);
    return trusted;
  };
}

/** Reads who is asking. `peer` is the socket's address in its plain form. */
export function originOf(peer: string, rawHeaders: readonly string[], trusts: Trust): Origin {
  if (!trusts(peer)) return { peer, ip: peer, said: null };
  const sentChain = bounded(joinedHeader(rawHeaders, "x-forwarded-for"));
  const forwarded = wellFormed(bounded(joinedHeader(rawHeaders, "forwarded")));
  const chain = sentChain === undefined ? null : listOf(sentChain);
  const said: Said = {
    chain: (chain ?? []).filter((entry) => entry !== null).slice(-MAX_CHAIN),
    proto: protoOf(bounded(joinedHeader(rawHeaders, "x-forwarded-proto"))),
    host: hostOf(bounded(joinedHeader(rawHeaders, "x-forwarded-host"))),
    port: portOf(bounded(joinedHeader(rawHeaders, "x-forwarded-port"))),
    forwarded: forwarded === null ? null : forwarded.text,
  };
  return { peer, ip: firstUntrusted(peer, chain ?? forwarded?.chain ?? [], trusts), said };
}

/** Appends the fields for a backend to a flat list; `host` is the Host that the gateway was asked for. */
export function addForwarded(fields: string[], { peer, said }: Origin, host: string): void {
  const chain = said === null || said.chain.length === 0 ? peer : `${said.chain.join(", ")}, ${peer}`;
  fields.push("x-forwarded-for", chain, "x-forwarded-proto", said?.proto ?? "http");
  const shownHost = said?.host ?? host;
  if (shownHost !== "") fields.push("x-forwarded-host", shownHost);
  if (said === null) return;
  if (said.port !== null) fields.push("x-forwarded-port", said.port);
  if (said.forwarded !== null) fields.push("forwarded", `${said.forwarded}, ${element(peer, host)}`);
}

/** One element of Forwarded (RFC 7239 §4): what this gateway itself saw. */
function element(peer: string, host: string): string {
  const node = isIPv6(peer) ? `"[${peer}]"` : peer;
  return host === "" ? `for=${node};proto=http` : `for=${node};host="${host}";proto=http`;
}

function bounded(value: string | undefined): string | undefined {
  return value === undefined || value.length > MAX_VALUE_LENGTH ? undefined : value;
}

/** Null for a member that is no address: nothing left of it can be believed. */
function listOf(text: string): (string | null)[] {
  return text.split(",").map((member) => addressOf(member.trim()));
}

/** An address with an optional port: "10.0.0.1", "10.0.0.1:80", "::1", "[::1]:80". */
function addressOf(text: string): string | null {
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?$/.exec(text);
  const ported = bracketed ?? /^([0-9.]+):[0-9]{1,5}$/.exec(text);
  const address = ported?.[1] ?? text;
  return isIP(address) === 0 || address.includes("%") ? null : plainAddress(address);
}

/** IPv4 in its own form, also where it is written as IPv6. */
export function plainAddress(address: string): string {
  const isMapped = address.startsWith("::ffff:") && address.includes(".");
  return isMapped ? address.slice(7) : address;
}

/** From the right; where the chain cannot be read on, the last that was read. */
function firstUntrusted(peer: string, chain: readonly (string | null)[], trusts: Trust): string {
  let last = peer;
  for (let i = chain.length - 1; i >= Math.max(0, chain.length - MAX_CHAIN); i--) {
    const address = chain[i];
    if (address === null || address === undefined) return last;
    last = address;
    if (!trusts(address)) return address;
  }
  return last;
}

/** The last one is what the trusted peer itself says; those before it may be the client's. */
function lastOf(list: string | undefined): string | undefined {
  return list === undefined ? undefined : list.slice(list.lastIndexOf(",") + 1).trim();
}

function protoOf(value: string | undefined): string | null {
  const proto = lastOf(value)?.toLowerCase();
  return proto === "http" || proto === "https" ? proto : null;
}

const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%-]{1,255})(?::[0-9]{1,5})?$/;

function hostOf(value: string | undefined): string | null {
  const host = lastOf(value);
  return host !== undefined && HOST.test(host) ? host : null;
}

function portOf(value: string | undefined): string | null {
  const port = lastOf(value);
  const isPort = port !== undefined && /^[0-9]{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536;
  return isPort ? port : null;
}

interface Forwarded {
  readonly text: string;
  /** The addresses of `for`, left to right; null where one is hidden or unknown. */
  readonly chain: readonly (string | null)[];
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t\\x20-\\x7e])*"';
const PAIR = new RegExp(`^(${TOKEN})=(${TOKEN}|${QUOTED})$`);

/** Null: not by the grammar of RFC 7239 §4, so that two readers could read it in two ways. */
function wellFormed(value: string | undefined): Forwarded | null {
  if (value === undefined) return null;
  const elements = splitOutsideQuotes(value, ",");
  if (elements.length > MAX_CHAIN) return null;
  const chain: (string | null)[] = [];
  for (const text of elements) {
    let address: string | null = null;
    const seen = new Set<string>();
    for (const part of splitOutsideQuotes(text, ";")) {
      const pair = PAIR.exec(part.trim());
      if (pair === null) return null;
      const [, name = "", sent = ""] = pair;
      const lower = name.toLowerCase();
      if (seen.has(lower)) return null;
      seen.add(lower);
      if (lower === "for") address = addressOf(unquoted(sent));
    }
    chain.push(address);
  }
  return { text: value, chain };
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(.)/g, "$1") : text;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let begin = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted && character === "\\") i++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === separator) {
      parts.push(text.slice(begin, i));
      begin = i + 1;
    }
  }
  parts.push(text.slice(begin));
  return parts;
}
