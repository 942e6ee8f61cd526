/** Mutations of bytes (latin1 text), and the ways to cut them into segments. */

import type { Dice } from "./dice.ts";

/** What parsers disagree over. */
const NASTY = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  "\r\r\n",
  "\x00",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "\x0b",
  "\x0c",
  "\x7f",
  "\x80",
  "\x85",
  "\xa0",
  "\xff",
  "\r\n ",
  "\r\n\t",
  "0",
  "0\r\n\r\n",
  "-",
  "+",
  "0x",
  "#",
  "*",
  "%00",
  "\\",
  '"',
  "HTTP/1.1",
  "HTTP/1.0",
  "GET / HTTP/1.1\r\nHost: z\r\n\r\n",
  "Content-Length: 0\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "\r\nContent-Length: 3",
  "\r\nTransfer-Encoding: chunked",
  "Connection: close\r\n",
  "Connection: content-length\r\n",
  "Connection: keep-alive, x\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: h2c\r\n",
  "Host: b\r\n",
  "X-Cutover-Side: new\r\n",
  "Trailer: x\r\n",
  "chunked",
  "identity",
  "18446744073709551618",
  "9007199254740993",
  "ffffffffffffffff",
  "\xef\xbb\xbf",
  "\r\nX: y",
];

/** One to a few mutations; `others` are texts to splice with. */
export function mutated(text: string, dice: Dice, others: readonly string[]): string {
  let result = text;
  for (let left = dice.once(2) ? 1 : 2 + dice.int(3); left > 0; left--)
    result = mutateOnce(result, dice, others);
  return result;
}

function mutateOnce(text: string, dice: Dice, others: readonly string[]): string {
  const at = dice.int(text.length + 1);
  const cut = (bytes: number, put = ""): string => text.slice(0, at) + put + text.slice(at + bytes);
  switch (dice.int(10)) {
    case 0:
      return cut(1, String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << dice.int(8))));
    case 1:
      return cut(1, String.fromCharCode(dice.int(256)));
    case 2:
    case 3:
      return cut(0, dice.pick(NASTY));
    case 4:
      return cut(1, dice.pick(NASTY));
    case 5:
      return cut(1 + dice.int(8));
    case 6:
      return cut(0, text.slice(at, at + 1 + dice.int(40))); // something comes twice
    case 7:
      return atALineEnd(text, dice, dice.pick(NASTY));
    case 8: {
      const other = dice.pick(others);
      return text.slice(0, at) + other.slice(dice.int(other.length));
    }
    default:
      return movedLine(text, dice);
  }
}

/** Line ends are where framing is decided: a place of their own. */
function atALineEnd(text: string, dice: Dice, put: string): string {
  const ends = [...text.matchAll(/\r\n/g)].map(({ index }) => index);
  if (ends.length === 0) return text + put;
  const at = dice.pick(ends) + dice.pick([0, 1, 2]);
  return text.slice(0, at) + put + text.slice(at + (dice.once(3) ? 1 : 0));
}

function movedLine(text: string, dice: Dice): string {
  const all = text.split("\r\n");
  const [line = ""] = all.splice(dice.int(all.length), 1);
  all.splice(dice.int(all.length + 1), 0, line);
  return all.join("\r\n");
}

/** Cuts text into segments: one, a few, or, where it is short, single bytes. */
export function segments(text: string, dice: Dice): string[] {
  if (dice.once(2) || text.length < 2) return [text];
  if (text.length < 150 && dice.once(8)) return [...text];
  const cuts = Array.from({ length: 1 + dice.int(4) }, () => dice.int(text.length)).sort((a, b) => a - b);
  return [0, ...cuts]
    .map((from, i) => text.slice(from, cuts[i] ?? text.length))
    .filter((part) => part !== "");
}
