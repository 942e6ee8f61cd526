import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Chunks } from "../../../src/proxy/backend/chunks.ts";

const MAX_TRAILER_BYTES = 1_000;

interface Taken {
  readonly body: string;
  readonly fault: string | null;
  readonly isDone: boolean;
  readonly trailers: string;
  /** What it left of the text. */
  readonly rest: string;
}

/** `cuts`: where the text is cut into pieces. */
function take(text: string, cuts: readonly number[] = []): Taken {
  const chunks = new Chunks(MAX_TRAILER_BYTES);
  const bytes = Buffer.from(text, "latin1");
  const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  let body = "";
  let stoppedAt = 0;
  for (let i = 1; i < borders.length && !chunks.isDone && chunks.fault === null; i++) {
    const piece = bytes.subarray(borders[i - 1], borders[i]);
    if (piece.length === 0) continue;
    const at = chunks.take(piece, 0, (data) => {
      body += data.toString("latin1");
    });
    assert.ok(at > 0 && at <= piece.length);
    if (!chunks.isDone && chunks.fault === null) assert.equal(at, piece.length, "all is taken until the end");
    stoppedAt = (borders[i - 1] as number) + at;
  }
  const { fault, isDone, trailers } = chunks;
  return { body, fault, isDone, trailers, rest: text.slice(stoppedAt) };
}

test("sizes are hexadecimal in either case, with zeros in front, and extensions are dropped", () => {
  const { body, isDone, rest } = take(
    `A\r\n0123456789\r\na;x="\t\xe9"\r\n0123456789\r\n0000000000001;;\r\n!\r\n000\r\n\r\nnext`,
  );
  assert.deepEqual([body, isDone, rest], ["01234567890123456789!", true, "next"]);
});

test("data may look like anything, the end too", () => {
  const data = "0\r\n\r\n";
  assert.equal(take(`5\r\n${data}\r\n0\r\n\r\n`).body, data);
});

test("trailers come as they are, up to their end and no further", () => {
  const { trailers, isDone, rest } = take("0\r\nA: b\r\nC:\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
  assert.deepEqual([trailers, isDone, rest], ["A: b\r\nC:\r\n\r\n", true, "HTTP/1.1 200 OK\r\n\r\n"]);
  assert.equal(take(`0\r\nA: ${"x".repeat(MAX_TRAILER_BYTES)}\r\n\r\n`).fault, "the trailers are too large");
  assert.equal(take(`0\r\n${"A: b\r\n".repeat(500)}`).fault, "the trailers are too large");
});

test("a line that never ends is refused once it is long", () => {
  assert.equal(take("1".repeat(10_000)).fault, "a chunk's size is too long");
  assert.equal(
    take(
      `1;${"x".repeat(10_000)}`,
      Array.from({ length: 10_000 }, (_, at) => at),
    ).fault,
    "a chunk's size is too long",
  );
});

const data = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 30 });
const pieces = fc.array(fc.tuple(data, fc.constantFrom("", ";a", ";a=b")), { maxLength: 8 });
const trailer = fc.constantFrom("", "A: b\r\n", "A: b\r\nC: d\r\n");
const cuts = fc.array(fc.nat(), { maxLength: 12 });

test("what was put into chunks comes out, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(pieces, trailer, data, cuts, (parts, trailers, behind, at) => {
      const lines = parts.map(([part, more]) => `${part.length.toString(16)}${more}\r\n${part}\r\n`);
      const text = `${lines.join("")}0\r\n${trailers}\r\n`;
      for (const each of [at, Array.from({ length: text.length }, (_, n) => n)]) {
        const taken = take(text + behind, each);
        assert.deepEqual(taken, {
          body: parts.map(([part]) => part).join(""),
          fault: null,
          isDone: true,
          trailers: `${trailers}\r\n`,
          rest: behind,
        });
      }
    }),
  );
});

test("any bytes come to the same end, wherever they are cut", () => {
  const bytes = fc.array(fc.constantFrom("0", "1", "a", "f", ";", "\r", "\n", "\r\n", "\r\n\r\n", "x", " "), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(bytes, cuts, (parts, at) => {
      const text = parts.join("");
      const whole = take(text);
      const cut = take(text, at);
      assert.deepEqual([cut.body, cut.isDone, cut.trailers], [whole.body, whole.isDone, whole.trailers]);
      assert.equal(cut.fault === null, whole.fault === null);
    }),
    { numRuns: 2_000 },
  );
});
