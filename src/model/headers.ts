/**
 * Which fields go on to the other leg, in one pass over the flat list as received: names keep their case,
 * order and repeats.
 */

/** For one connection only (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection", // not a standard field, still sent by old clients; hop-by-hop in effect
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-authentication-info",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings", // belongs to an upgrade to h2c, which is never passed on
];

/** Set by the gateway on the backend leg, so what the client sent of them is not passed on as if it were true. */
const SET_TOWARDS_BACKEND = [
  "host",
  "expect", // answered by the gateway itself
  "max-forwards", // counted down where it counts
  "x-request-id",
  "traceparent",
  "forwarded",
];

const SET_TOWARDS_CLIENT = ["x-request-id"];

const OWN_PREFIX = "x-cutover-";
/** All of them, also those that the gateway does not set: what it did not see itself, nobody vouches for. */
const FORWARDED_PREFIX = "x-forwarded-";

/**
 * Remembers the answer by the name as it is written: the same few dozen spellings come again and again. Most need not
 * even be looked up, as no name of their length that begins like them is dropped.
 */
class NameTable {
  readonly #dropped: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #known = new Map<string, boolean>();
  /** By length: a bit for each first letter of the names that are dropped. */
  readonly #firstLetters = new Int32Array(LONGEST + 1);

  constructor(dropped: readonly string[], prefixes: readonly string[]) {
    this.#dropped = new Set(dropped);
    this.#prefixes = prefixes;
    for (const name of dropped) this.#mark(name, name.length);
    for (const prefix of prefixes) {
      for (let length = prefix.length; length <= LONGEST; length++) this.#mark(prefix, length);
    }
  }

  drops(name: string): boolean {
    const letters = this.#firstLetters[Math.min(name.length, LONGEST)] as number;
    if ((letters & letterBit(name)) === 0) return false;
    const known = this.#known.get(name);
    return known === undefined ? this.#learn(name) : known;
  }

  #mark(name: string, length: number): void {
    this.#firstLetters[length] = (this.#firstLetters[length] as number) | letterBit(name);
  }

  #learn(name: string): boolean {
    const lower = name.toLowerCase();
    const dropped = this.#dropped.has(lower) || this.#prefixes.some((prefix) => lower.startsWith(prefix));
    // Bounded: names come from outside.
    if (this.#known.size < MAX_KNOWN_NAMES) this.#known.set(name, dropped);
    return dropped;
  }
}

/** Longer names count as so long. No name that is dropped as a whole is. */
const LONGEST = 63;

/** The same in upper and lower case; other characters share the bit of some letter. */
function letterBit(name: string): number {
  return 1 << (name.charCodeAt(0) & 31);
}

const MAX_KNOWN_NAMES = 2048;
const towardsBackend = new NameTable([...HOP_BY_HOP, ...SET_TOWARDS_BACKEND], [OWN_PREFIX, FORWARDED_PREFIX]);
const towardsClient = new NameTable([...HOP_BY_HOP, ...SET_TOWARDS_CLIENT], [OWN_PREFIX]);

/** The client's fields that a backend may see, as a new flat list to append to. */
export function requestHeadersToForward(rawHeaders: readonly string[]): string[] {
  return endToEnd(rawHeaders, towardsBackend);
}

/** The backend's fields that a client may see, as a new flat list to append to. */
export function answerHeadersToForward(rawHeaders: readonly string[]): string[] {
  return endToEnd(rawHeaders, towardsClient);
}

function endToEnd(rawHeaders: readonly string[], table: NameTable): string[] {
  const named = namedByConnection(rawHeaders);
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (table.drops(name) || named?.has(name.toLowerCase())) continue;
    kept.push(name, rawHeaders[i + 1] as string);
  }
  return kept;
}

/** Options that only tell how the connection goes on: they name no field. */
const PLAIN_OPTIONS = new Set(["close", "keep-alive", "Keep-Alive", "Close"]);

/** Fields that Connection names are hop-by-hop too; null in the usual case that it names none. */
function namedByConnection(rawHeaders: readonly string[]): Set<string> | null {
  let named: Set<string> | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    const value = rawHeaders[i + 1] as string;
    if (PLAIN_OPTIONS.has(value)) continue;
    named ??= new Set();
    for (const option of value.split(",")) named.add(option.trim().toLowerCase());
  }
  // A client cannot make the gateway lose the length of its own message.
  named?.delete("content-length");
  return named;
}

/** The value of every field with that lower-case name, joined as HTTP joins repeats; undefined: none. */
export function joinedHeader(rawHeaders: readonly string[], lowerName: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== lowerName.length || name.toLowerCase() !== lowerName) continue;
    const value = rawHeaders[i + 1] as string;
    joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}
