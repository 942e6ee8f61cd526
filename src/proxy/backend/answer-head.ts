/**
 * The head of an HTTP/1.1 answer (RFC 9112), read strictly: what two readers could take in two ways is refused, not
 * mended. Texts are latin1, so that each byte is one character and goes on as it came.
 */

/** What tells where the body ends. */
export type BodyEnd = "none" | "length" | "chunks" | "close";

export interface AnswerHead {
  /** 100 to 599. */
  readonly status: number;
  readonly reason: string;
  /** Flat: names and values in turn, as received. */
  readonly rawHeaders: string[];
  readonly bodyEnd: BodyEnd;
  /** Where a length tells; else 0. */
  readonly bodyBytes: number;
  /** Whether the connection may carry another request. */
  readonly keepsConnection: boolean;
  /** How long the backend says that it keeps an idle connection; null: it does not say. */
  readonly keepAliveMs: number | null;
}

/** A reason phrase is at most a sentence. */
const MAX_STATUS_LINE_BYTES = 8 * 1024;

const PREFIX = "HTTP/1.";
/** Down to the code: what can be told before the line has ended. */
const BEGIN = /^HTTP\/1\.[01] [1-5][0-9][0-9][ \r]/;
const STATUS_LINE = /^HTTP\/1\.[01] [1-5][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*)?\r\n/;
const FIELDS = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;
/** Both in one pass: the usual case. */
const WHOLE_HEAD =
  /^HTTP\/1\.[01] [1-5][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;

const CODE_AT = PREFIX.length + 2;
const REASON_AT = CODE_AT + 4;

/**
 * Why what has come cannot become an answer, however it goes on; null: it can. `text`: without a head's end. Before
 * `from` it has been looked at.
 */
export function beginningFault(text: string, from: number): string | null {
  const lineEndAt = text.indexOf("\n");
  if (lineEndAt >= from) {
    const fault = statusLineFault(text.slice(0, lineEndAt + 1));
    if (fault !== null) return fault;
  }
  if (lineEndAt !== -1) return hasBareLineFeed(text, from) ? MALFORMED_FIELD : null;
  const isPlausible = text.length <= CODE_AT + 3 ? PREFIX.startsWith(text.slice(0, 7)) : BEGIN.test(text);
  if (!isPlausible || text.length > MAX_STATUS_LINE_BYTES) return NO_STATUS_LINE;
  return null;
}

const NO_STATUS_LINE = "the answer does not begin with an HTTP/1 status line";
const MALFORMED_FIELD = "a field of the head is malformed";

/** With one the head may never end: its empty line would be another's. */
function hasBareLineFeed(text: string, from: number): boolean {
  for (let at = text.indexOf("\n", from); at !== -1; at = text.indexOf("\n", at + 1)) {
    if (text.charCodeAt(at - 1) !== 0x0d) return true;
  }
  return false;
}

function statusLineFault(line: string): string | null {
  return line.length <= MAX_STATUS_LINE_BYTES && STATUS_LINE.test(line) ? null : NO_STATUS_LINE;
}

/**
 * Reads a head, the empty line at its end included. A text in place of it says why it cannot be relied on.
 * `method`: of the request that is answered.
 */
export function readAnswerHead(text: string, method: string): AnswerHead | string {
  const lineEndAt = text.indexOf("\r\n");
  if (!WHOLE_HEAD.test(text) || lineEndAt >= MAX_STATUS_LINE_BYTES) {
    return statusLineFault(text.slice(0, text.indexOf("\n") + 1)) ?? MALFORMED_FIELD;
  }
  const status =
    (text.charCodeAt(CODE_AT) - 48) * 100 +
    (text.charCodeAt(CODE_AT + 1) - 48) * 10 +
    (text.charCodeAt(CODE_AT + 2) - 48);
  const reason = text.slice(REASON_AT, lineEndAt);
  const told = new Told();
  const rawHeaders = readFields(text, lineEndAt + 2, told);
  const isHttp10 = text.charCodeAt(PREFIX.length) === 48;
  const keepsConnection = isHttp10 ? told.keepsAlive && !told.closes : !told.closes;
  const head = { status, reason, rawHeaders, keepAliveMs: told.keepAliveMs };
  if (status < 200) return { ...head, bodyEnd: "none", bodyBytes: 0, keepsConnection };
  const fault = told.fault ?? told.framingFault(isHttp10);
  if (fault !== null) return fault;
  if (method === "HEAD" || status === 204 || status === 304) {
    // Some send the body that they name all the same, and it would be read as the next answer.
    const isSure = method !== "HEAD" && !told.namesBody;
    return { ...head, bodyEnd: "none", bodyBytes: 0, keepsConnection: keepsConnection && isSure };
  }
  if (told.coding !== null) return { ...head, bodyEnd: "chunks", bodyBytes: 0, keepsConnection };
  if (told.length !== null) {
    return { ...head, bodyEnd: "length", bodyBytes: Number(told.length), keepsConnection };
  }
  return { ...head, bodyEnd: "close", bodyBytes: 0, keepsConnection: false };
}

/** The fields behind a chunked body, the empty line included; flat, as received. A text says why they cannot be relied on. */
export function readTrailers(text: string): string[] | string {
  if (!FIELDS.test(text)) return "a trailer is malformed";
  const told = new Told();
  const rawTrailers = readFields(text, 0, told);
  // A length that comes after the body could only be believed by somebody else.
  return told.namesFraming ? "a trailer tells the length of the body" : rawTrailers;
}

/** What the fields say of the message itself and of its connection. */
class Told {
  length: string | null = null;
  coding: string | null = null;
  fault: string | null = null;
  closes = false;
  keepsAlive = false;
  keepAliveMs: number | null = null;

  get namesFraming(): boolean {
    return this.length !== null || this.coding !== null || this.fault !== null;
  }

  get namesBody(): boolean {
    return this.coding !== null || (this.length !== null && Number(this.length) !== 0);
  }

  /** By a field's name in its usual lengths; its case is free. */
  take(name: string, value: string): void {
    if (name.length === 14) {
      if (name.toLowerCase() === "content-length") this.#takeLength(value);
    } else if (name.length === 17) {
      if (name.toLowerCase() === "transfer-encoding") this.#takeCoding(value);
    } else if (name.length === 10) {
      const lower = name.toLowerCase();
      if (lower === "connection") this.#takeConnection(value);
      else if (lower === "keep-alive") this.#takeKeepAlive(value);
    }
  }

  #takeLength(value: string): void {
    if (this.length !== null) this.fault = "Content-Length comes twice";
    this.length = value;
  }

  #takeCoding(value: string): void {
    if (this.coding !== null) this.fault = "Transfer-Encoding comes twice";
    this.coding = value;
  }

  #takeConnection(value: string): void {
    for (const option of value.split(",")) {
      const lower = option.trim().toLowerCase();
      if (lower === "close") this.closes = true;
      else if (lower === "keep-alive") this.keepsAlive = true;
    }
  }

  #takeKeepAlive(value: string): void {
    const seconds = /(?:^|[,;\s])timeout\s*=\s*"?([0-9]{1,6})/i.exec(value)?.[1];
    if (seconds !== undefined) this.keepAliveMs = Number(seconds) * 1_000;
  }

  framingFault(isHttp10: boolean): string | null {
    if (this.coding !== null) {
      if (this.length !== null) return "Content-Length and Transfer-Encoding both tell the length";
      // Not asked for, and undone by nobody: only the framing itself is taken off on the way.
      if (this.coding.toLowerCase() !== "chunked") return "a transfer coding other than chunked";
      if (isHttp10) return "HTTP/1.0 has no Transfer-Encoding";
    }
    return this.length === null || isPlainLength(this.length) ? null : "Content-Length is no plain number";
  }
}

function isPlainLength(text: string): boolean {
  return /^[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text));
}

/** Cuts up lines that are known to be well-formed, until the empty one. */
function readFields(text: string, from: number, told: Told): string[] {
  const fields: string[] = [];
  const end = text.length - 2;
  for (let at = from; at < end; ) {
    const colonAt = text.indexOf(":", at);
    const lineEndAt = text.indexOf("\r", colonAt);
    let valueAt = colonAt + 1;
    while (isBlank(text.charCodeAt(valueAt))) valueAt++;
    let valueEndAt = lineEndAt;
    while (valueEndAt > valueAt && isBlank(text.charCodeAt(valueEndAt - 1))) valueEndAt--;
    const name = text.slice(at, colonAt);
    const value = text.slice(valueAt, valueEndAt);
    told.take(name, value);
    fields.push(name, value);
    at = lineEndAt + 2;
  }
  return fields;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
