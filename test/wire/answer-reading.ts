/** A strict reading of the answers on a client's connection (RFC 9112); bytes are latin1 text. */

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
}

export type AnswerReading =
  | { readonly kind: "whole"; readonly answer: Answer; readonly endAt: number }
  | { readonly kind: "partial"; readonly status: number | null }
  | { readonly kind: "malformed"; readonly why: string };

const STATUS_LINE = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * Reads one answer that begins at `from`. `toHead`: it answers HEAD. `closed`: nothing more will come, which is
 * the end of a body without a length.
 */
export function readAnswer(bytes: string, from: number, toHead: boolean, closed: boolean): AnswerReading {
  const headEndAt = bytes.indexOf("\r\n\r\n", from);
  if (headEndAt === -1) return { kind: "partial", status: null };
  const head = bytes.slice(from, headEndAt);
  const [line = "", ...fieldLines] = head.split("\r\n");
  const status = Number(STATUS_LINE.exec(line)?.[1] ?? 0);
  if (status === 0) return { kind: "malformed", why: `status line ${JSON.stringify(line.slice(0, 200))}` };
  const fields: (readonly [string, string])[] = [];
  for (const text of fieldLines) {
    const parts = FIELD.exec(text);
    if (parts === null) return { kind: "malformed", why: `field line ${JSON.stringify(text.slice(0, 200))}` };
    fields.push([parts[1] as string, (parts[2] as string).trim()]);
  }
  const whole = (body: string, endAt: number): AnswerReading => ({
    kind: "whole",
    answer: { status, head, fields, body },
    endAt,
  });
  const values = (name: string): string[] =>
    fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
  const bodyAt = headEndAt + 4;
  const lengths = values("content-length");
  const codings = values("transfer-encoding");
  if (lengths.length + codings.length > 1) return { kind: "malformed", why: "a length told twice" };
  if (toHead || status < 200 || status === 204 || status === 304) return whole("", bodyAt);
  if (codings[0] !== undefined) {
    if (codings[0].toLowerCase() !== "chunked") return { kind: "malformed", why: `coding ${codings[0]}` };
    return readChunked(bytes, bodyAt, whole, status);
  }
  if (lengths[0] !== undefined) {
    if (!/^[0-9]+$/.test(lengths[0])) return { kind: "malformed", why: `length ${lengths[0]}` };
    const endAt = bodyAt + Number(lengths[0]);
    return endAt <= bytes.length ? whole(bytes.slice(bodyAt, endAt), endAt) : { kind: "partial", status };
  }
  return closed ? whole(bytes.slice(bodyAt), bytes.length) : { kind: "partial", status };
}

function readChunked(
  bytes: string,
  bodyAt: number,
  whole: (body: string, endAt: number) => AnswerReading,
  status: number,
): AnswerReading {
  let body = "";
  for (let at = bodyAt; ; ) {
    const lineEndAt = bytes.indexOf("\r\n", at);
    if (lineEndAt === -1) return { kind: "partial", status };
    const line = bytes.slice(at, lineEndAt);
    if (!/^[0-9A-Fa-f]{1,8}$/.test(line))
      return { kind: "malformed", why: `chunk ${JSON.stringify(line.slice(0, 99))}` };
    const chunkBytes = Number.parseInt(line, 16);
    at = lineEndAt + 2;
    if (chunkBytes === 0) {
      if (bytes.startsWith("\r\n", at)) return whole(body, at + 2);
      const trailersEndAt = bytes.indexOf("\r\n\r\n", at);
      return trailersEndAt === -1 ? { kind: "partial", status } : whole(body, trailersEndAt + 4);
    }
    body += bytes.slice(at, at + chunkBytes);
    at += chunkBytes;
    if (bytes.length < at + 2) return { kind: "partial", status };
    if (!bytes.startsWith("\r\n", at)) return { kind: "malformed", why: "a chunk without its end" };
    at += 2;
  }
}

export interface Answers {
  /** Final answers, in order. */
  readonly answers: readonly Answer[];
  /** Interim ones (1xx). */
  readonly interim: readonly Answer[];
  /** What follows the last whole one: "partial" with status null and no bytes left is a clean end. */
  readonly rest: AnswerReading;
  readonly endAt: number;
}

/** Everything that came back on a connection; `methods` of the requests that it answers, in order. */
export function readAnswers(bytes: string, methods: readonly string[], closed: boolean): Answers {
  const answers: Answer[] = [];
  const interim: Answer[] = [];
  for (let at = 0; ; ) {
    const reading = readAnswer(bytes, at, methods[answers.length] === "HEAD", closed);
    if (reading.kind !== "whole") return { answers, interim, rest: reading, endAt: at };
    at = reading.endAt;
    (reading.answer.status < 200 ? interim : answers).push(reading.answer);
  }
}
