/** Bodies that are lines, events, fields or bytes: logs, token streams, forms, tables, wire formats. */

import { type Draw, times } from "./draw.ts";
import type { Json } from "./json.ts";

/** Records of a log, one a line. */
export function logRecords(draw: Draw, count: number): Json[] {
  return times(count, (at) => ({
    time: draw.instant(),
    level: draw.pick([30, 40, 50]),
    msg: `${draw.words(4)} ${at}`,
    http: { method: "GET", path: `/v1/${draw.word()}`, status: draw.pick([200, 404]), ms: draw.price() },
    tags: times(2, (n) => `${draw.word()}${n}`),
  }));
}

/** Deltas as a language model's API streams them. */
export function tokenEvents(draw: Draw, count: number): Json[] {
  return times(count, (at) => ({
    id: "chatcmpl-7",
    object: "chat.completion.chunk",
    choices: [
      { index: 0, delta: { content: `${draw.word()} ` }, finish_reason: at === count - 1 ? "stop" : null },
    ],
  }));
}

/** A stream of events as text/event-stream; `wild` has comments, other line ends and split data. */
export function spellEvents(events: readonly Json[], draw: Draw, wild: boolean): string {
  const line = wild ? draw.pick(["\n", "\r\n", "\r"]) : "\n";
  const blocks = events.map((data, at) => {
    const comment = wild && draw.chance(0.3) ? `: keep-alive ${draw.hex(4)}${line}` : "";
    const space = wild && draw.chance(0.5) ? "" : " ";
    return `${comment}id:${space}${at}${line}data:${space}${JSON.stringify(data)}${line}${line}`;
  });
  return `${blocks.join("")}data: [DONE]${line}${line}`;
}

export type Fields = readonly (readonly [string, string])[];

export function formFields(draw: Draw): Fields {
  return [
    ["access_token", draw.hex(32)],
    ["scope", "user repo&admin=all"],
    ["scope", "gist"],
    ["token_type", "bearer"],
    ["note", `${draw.words(3)} é 100%`],
    ["empty", ""],
  ];
}

/** Fields of other names in another order, and other escapes; values of one name keep theirs. */
export function spellForm(fields: Fields, draw: Draw, wild: boolean): string {
  const names = [...new Set(fields.map(([name]) => name))];
  const ordered = wild
    ? names.toReversed().flatMap((name) => fields.filter((field) => field[0] === name))
    : fields;
  const escaped = (text: string): string => {
    const plain = encodeURIComponent(text).replaceAll("%20", "+");
    if (!wild) return plain;
    return plain.replace(/%[0-9A-F]{2}|\+|[a-z]/g, (code) => {
      if (code === "+") return draw.pick(["+", "%20"]);
      if (code.startsWith("%")) return draw.chance(0.5) ? code.toLowerCase() : code;
      return draw.chance(0.1) ? `%${code.charCodeAt(0).toString(16)}` : code;
    });
  };
  return ordered.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join("&");
}

export function csvLines(draw: Draw, count: number): string[] {
  return [
    "id,name,price,note",
    ...times(count, (at) => `${at},"${draw.words(2)}, ltd",${draw.price()},${draw.hex(6)}`),
  ];
}

/** Bytes as a binary wire format has them: tags, varints, lengths, text. */
export function wireBytes(draw: Draw, fields: number): Uint8Array {
  const parts = times(fields, (at) => {
    const text = Buffer.from(draw.words(3));
    return Buffer.concat([
      Buffer.from([((at % 15) + 1) * 8 + 2, text.length]),
      text,
      Buffer.from([0x08, 0x96, 0x01, 0xff]),
    ]);
  });
  return new Uint8Array(Buffer.concat(parts));
}
