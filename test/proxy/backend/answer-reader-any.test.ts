import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Client } from "undici";
import { readAnswers } from "../../wire/answer-reading.ts";
import { everywhere, read } from "./answer-pieces.ts";
import { OK, startPeer } from "./asking.ts";

// Pieces of answers, sound and odd, in any order.
const token = fc.constantFrom("X-A", "x-a", "Set-Cookie", "Keep-Alive", "Connection", "Date", "ETag");
const value = fc.oneof(
  fc.constantFrom("", "a", "close", "keep-alive", "timeout=5", "\xe9", " b "),
  fc.string(),
);
const field = fc.tuple(token, value).map(([name, text]) => `${name}: ${text}\r\n`);
const status = fc.constantFrom(
  "200 OK",
  "200",
  "404 Not Found",
  "500 ",
  "204 No Content",
  "304 Not Modified",
  "205 R",
);
const interim = fc.constantFrom(
  "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
  "HTTP/1.1 102 Processing\r\n\r\n",
  "HTTP/1.1 100 C\r\n\r\n",
);
const text = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 40 }),
  fc.constantFrom("hello", "\r\n\r\n", "0\r\n\r\n", OK),
);
const extension = fc.constantFrom("", "", ";a", ";a=b", ';a="b"');
const chunked = fc
  .tuple(fc.array(fc.tuple(text, extension)), fc.constantFrom("", "X-Sum: 1\r\n"))
  .map(([chunks, trailer]) => {
    const all = chunks
      .filter(([chunk]) => chunk.length > 0)
      .map(([chunk, more]) => `${chunk.length.toString(16)}${more}\r\n${chunk}\r\n`);
    return `Transfer-Encoding: chunked\r\n\r\n${all.join("")}0\r\n${trailer}\r\n`;
  });
const lengthy = text.map((body) => `Content-Length: ${body.length}\r\n\r\n${body}`);
const endless = text.map((body) => `\r\n${body}`);
const sound = fc
  .tuple(
    fc.array(interim, { maxLength: 2 }),
    status,
    fc.array(field, { maxLength: 4 }),
    fc.oneof(chunked, lengthy, endless),
  )
  .map(
    ([interims, line, fields, rest]) => `${interims.join("")}HTTP/1.1 ${line}\r\n${fields.join("")}${rest}`,
  );
/** A sound one in which a few bytes are others, more or fewer. */
const odd = fc
  .tuple(
    sound,
    fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom("", "\r", "\n", "\0", " ", ":", "0", "x")), {
      maxLength: 3,
    }),
  )
  .map(([whole, changes]) =>
    changes.reduce((answer, [at, left, put]) => {
      const from = at % (answer.length + 1);
      return answer.slice(0, from) + put + answer.slice(from + left);
    }, whole),
  );
const method = fc.constantFrom("GET", "HEAD", "POST");

test("in whatever pieces an answer comes, it is read in the same way", () => {
  fc.assert(
    fc.property(
      odd,
      method,
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 9 }),
      (answer, as, closed, cuts) => {
        const whole = read(answer, { method: as, closed });
        for (const each of [cuts, everywhere(answer)]) {
          const inPieces = read(answer, { method: as, closed, cuts: each });
          assert.equal(inPieces.end === "whole", whole.end === "whole");
          assert.deepEqual(inPieces.heads, whole.heads);
          // Behind an answer's end nothing is known of the rest before it comes.
          if (whole.end === "whole" || whole.end === "more") {
            assert.deepEqual([inPieces.body, inPieces.rawTrailers], [whole.body, whole.rawTrailers]);
          }
        }
      },
    ),
    { numRuns: 1_500 },
  );
});

/** The other reader's own limits: HTTP/1.1 alone, a space behind each status, no extensions of chunks. */
const UNKNOWN = /^status line "HTTP\/1\.(?:0 .*|1 [1-5][0-9][0-9])"$|^chunk "[0-9A-Fa-f]+;/;

test("what is taken is what a strict reader of its own takes", () => {
  let taken = 0;
  fc.assert(
    fc.property(odd, method, fc.boolean(), (answer, as, closed) => {
      const { heads, body, end } = read(answer, { method: as, closed });
      if (end !== "whole") return;
      taken++;
      const other = readAnswers(answer, [as], closed);
      const [first] = other.answers;
      if (first === undefined && other.rest.kind === "malformed" && UNKNOWN.test(other.rest.why)) return;
      assert.ok(first, `refused by the other: ${JSON.stringify(other.rest)}`);
      assert.equal(first.status, heads.at(-1)?.[0]);
      assert.equal(first.body, body);
      assert.deepEqual(first.fields.flat(), heads.at(-1)?.[2]);
      const interims = other.interim.filter(({ status: code }) => code !== 100);
      assert.deepEqual(
        interims.map(({ status: code }) => code),
        heads.slice(0, -1).map(([code]) => code),
      );
    }),
    { numRuns: 3_000 },
  );
  assert.ok(taken > 500, `${taken} were taken`);
});

test("where undici takes an answer too, both take the same", async () => {
  let answer = "";
  await using peer = await startPeer(({ socket }) => {
    socket.end(Buffer.from(answer, "latin1"));
  });
  let both = 0;
  await fc.assert(
    fc.asyncProperty(odd, fc.constantFrom("GET", "HEAD"), async (next, as) => {
      const mine = read(next, { method: as, closed: true });
      if (mine.end !== "whole") return;
      answer = next;
      const theirs = await byUndici(peer.url, as);
      if (theirs === null) return;
      both++;
      assert.deepEqual(theirs, {
        status: mine.heads.at(-1)?.[0],
        rawHeaders: mine.heads.at(-1)?.[2],
        body: mine.body,
      });
    }),
    { numRuns: 300 },
  );
  assert.ok(both > 50, `${both} were taken by both`);
});

interface ByUndici {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Null: undici does not take it. */
async function byUndici(url: string, as: "GET" | "HEAD"): Promise<ByUndici | null> {
  const client = new Client(url);
  const { promise, resolve } = Promise.withResolvers<ByUndici | null>();
  let head: Omit<ByUndici, "body"> | null = null;
  let body = "";
  client.dispatch(
    { method: as, path: "/" },
    {
      onRequestStart: () => {},
      onResponseStart: (controller, code) => {
        if (code < 200) return;
        const rawHeaders = (controller.rawHeaders as Buffer[]).map((each) =>
          // It leaves the blanks behind a value.
          each.toString("latin1").replace(/[ \t]+$/, ""),
        );
        head = { status: code, rawHeaders };
      },
      onResponseData: (_controller, chunk) => {
        body += chunk.toString("latin1");
      },
      onResponseEnd: () => resolve(head === null ? null : { ...head, body }),
      onResponseError: () => resolve(null),
    },
  );
  try {
    return await promise;
  } finally {
    await client.destroy();
  }
}
