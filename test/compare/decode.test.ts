import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import {
  brotliCompressSync,
  constants,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";

import { decodeText } from "../../src/compare/charset.ts";
import { decodeContent, MAX_DECODED_BYTES } from "../../src/compare/decode.ts";
import { MAX_JSON_DEPTH } from "../../src/compare/json.ts";
import { atBoundedCost } from "../support/cost.ts";
import { answer, compared, comparedBodies, factsOf, pairOf, placesOf } from "./pairs.ts";

const CODINGS: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  gzip: (body) => gzipSync(body),
  "X-GZIP": (body) => gzipSync(body),
  br: (body) => brotliCompressSync(body),
  zstd: (body) => zstdCompressSync(body),
  deflate: (body) => deflateSync(body),
  Deflate: (body) => deflateRawSync(body),
  identity: (body) => body,
};

const JSON_OLD = Buffer.from('{"a":1,"b":["x","y"]}');
const JSON_NEW = Buffer.from('{"b":["x","y"],"a":1}');

describe("content codings", () => {
  for (const [oldCoding, encodeOld] of Object.entries(CODINGS)) {
    for (const [newCoding, encodeNew] of Object.entries(CODINGS)) {
      test(`${oldCoding} on old and ${newCoding} on new compare by what they hold`, () => {
        const old = answer(encodeOld(JSON_OLD), { encoding: oldCoding });
        assert.equal(
          compared(pairOf(old, answer(encodeNew(JSON_NEW), { encoding: newCoding }))).kind,
          "match",
        );
        const changed = answer(encodeNew(Buffer.from('{"a":2,"b":["x","y"]}')), { encoding: newCoding });
        assert.deepEqual(placesOf(compared(pairOf(old, changed))), ["$.a value"]);
      });
    }
  }

  test("several codings are undone last first", () => {
    const twice = answer(gzipSync(brotliCompressSync(JSON_OLD)), { encoding: "br, gzip" });
    const repeated = answer(gzipSync(brotliCompressSync(JSON_OLD)), {
      headers: ["Content-Encoding", "br", "content-encoding", "gzip"],
    });
    assert.equal(compared(pairOf(twice, answer(JSON_NEW))).kind, "match");
    assert.equal(compared(pairOf(repeated, answer(JSON_NEW))).kind, "match");
  });

  test("a different coding is a difference only where content-encoding was chosen", () => {
    const pair = pairOf(answer(gzipSync(JSON_OLD), { encoding: "gzip" }), answer(JSON_OLD), {
      headers: ["content-encoding"],
    });
    assert.deepEqual(placesOf(compared(pair)), ["header:content-encoding header"]);
  });
});

describe("what cannot be compared is uncompared, never a match", () => {
  const UNCOMPARED = { kind: "uncompared", why: "decode_failed" };
  const TOO_DEEP = { kind: "uncompared", why: "too_deep" };

  for (const [coding, encode] of Object.entries(CODINGS)) {
    if (coding === "identity") continue;
    test(`a ${coding} bomb stops at the bound`, () => {
      const bomb = encode(Buffer.alloc(MAX_DECODED_BYTES + 1));
      assert.ok(bomb.byteLength < 100_000);
      assert.deepEqual(compared(pairOf(answer(bomb, { encoding: coding }), answer("{}"))), UNCOMPARED);
    });
  }

  test("a bomb inside another coding stops at the bound", () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    assert.deepEqual(compared(pairOf(answer("{}"), answer(bomb, { encoding: "gzip, gzip" }))), UNCOMPARED);
  });

  test("a zstd frame that asks for a huge window gets none", async () => {
    const params = { [constants.ZSTD_c_windowLog]: 27 };
    // A frame of unknown size keeps the window that was asked for.
    const parts = Array.from({ length: 20 }, () => Buffer.alloc(100_000, "ab"));
    const frame = await buffer(Readable.from(parts).pipe(createZstdCompress({ params })));
    assert.deepEqual(decodeContent(frame, "zstd"), { kind: "refused", why: "zstd window too large" });
  });

  test("an unknown coding and too many codings are uncompared, equal bytes under them a match", () => {
    const unknown = (body: string) => answer(body, { encoding: "compress" });
    assert.deepEqual(compared(pairOf(unknown("a"), unknown("b"))), UNCOMPARED);
    assert.equal(compared(pairOf(unknown("a"), unknown("a"))).kind, "match");
    assert.equal(decodeContent(Buffer.from("x"), "gzip, gzip, gzip, gzip").kind, "refused");
  });

  test("a coding named like a member of every object is unknown", () => {
    for (const coding of ["constructor", "__proto__", "toString"]) {
      assert.equal(decodeContent(Buffer.from("x"), coding).kind, "refused", coding);
    }
  });

  test("a broken body beside a sound one is uncompared: nothing is known of it", () => {
    for (const [coding, encode] of Object.entries(CODINGS)) {
      if (coding === "identity") continue;
      const whole = encode(JSON_OLD);
      const truncated = answer(whole.subarray(0, whole.byteLength - 6), { encoding: coding });
      assert.deepEqual(compared(pairOf(answer(JSON_OLD), truncated)), UNCOMPARED, coding);
      const junk = answer("not compressed at all", { encoding: coding });
      assert.deepEqual(compared(pairOf(answer(JSON_OLD), junk)), UNCOMPARED, coding);
    }
  });

  test("two broken bodies are uncompared", () => {
    const broken = (body: string) => answer(body, { encoding: "gzip" });
    assert.deepEqual(compared(pairOf(broken("a"), broken("b"))), UNCOMPARED);
  });

  test("a different status is found even beside a body that cannot be compared", () => {
    const pair = pairOf(
      answer("a", { encoding: "compress" }),
      answer("b", { encoding: "compress", status: 500 }),
    );
    assert.deepEqual(placesOf(compared(pair)), ["status status"]);
  });

  test("JSON nested too deep is uncompared, within a moment, and does not end the thread", () => {
    const nested = (depth: number, leaf: number) => `${"[".repeat(depth)}${leaf}${"]".repeat(depth)}`;
    const members = (depth: number, leaf: number) => `${'{"a":'.repeat(depth)}${leaf}${"}".repeat(depth)}`;
    for (const make of [nested, members]) {
      for (const depth of [MAX_JSON_DEPTH + 1, 10_000, 100_000]) {
        assert.deepEqual(comparedBodies(make(depth, 1), make(depth, 2)), TOO_DEEP, String(depth));
      }
      assert.equal(comparedBodies(make(MAX_JSON_DEPTH, 1), make(MAX_JSON_DEPTH, 2)).kind, "mismatch");
      assert.equal(comparedBodies(make(MAX_JSON_DEPTH, 1), ` ${make(MAX_JSON_DEPTH, 1)}`).kind, "match");
      const long = 12345678901234567890n;
      const longLeaf = (depth: number, last: string) => make(depth, 1).replace("1", `${long}${last}`);
      assert.equal(
        comparedBodies(longLeaf(MAX_JSON_DEPTH, "1"), longLeaf(MAX_JSON_DEPTH, "2")).kind,
        "mismatch",
      );
      const options = { compare: { ignore: ["$..z", "$..[?@.z]"] } };
      assert.equal(
        comparedBodies(make(MAX_JSON_DEPTH, 1), make(MAX_JSON_DEPTH, 2), options).kind,
        "mismatch",
      );
    }
  });
});

describe("charsets", () => {
  const text = (charset: string) => ({ type: `text/plain; charset=${charset}` });

  test("latin1 and UTF-8 compare by what they say", () => {
    const pair = pairOf(
      answer(Buffer.from("café", "latin1"), text("ISO-8859-1")),
      answer("café", text('"utf-8"')),
      { headers: [] },
    );
    assert.equal(compared(pair).kind, "match");
  });

  test("a byte order mark is not part of the text", () => {
    assert.equal(comparedBodies("\ufeff{}", "{}").kind, "match");
  });

  test("invalid UTF-8 is compared as bytes, in JSON too", () => {
    for (const type of ["text/plain", "application/json", "application/json; charset=nonsense"]) {
      const comparison = comparedBodies(Uint8Array.of(0x22, 0xff, 0x22), Uint8Array.of(0x22, 0xfe, 0x22), {
        type,
      });
      assert.deepEqual(factsOf(comparison), [
        {
          place: "body",
          kind: "body",
          old: "3 bytes, sha256 2c1ba6ac…, first unlike byte at 1",
          new: "3 bytes, sha256 cfa48acf…, first unlike byte at 1",
        },
      ]);
    }
    assert.equal(decodeText(Uint8Array.of(0xff), null), null);
    assert.equal(decodeText(Uint8Array.of(0xe9), "us-ascii"), "é");
  });

  const utf16 = (value: string, swap: boolean): Buffer => {
    const bytes = Buffer.from(`\ufeff${value}`, "utf16le");
    return swap ? bytes.swap16() : bytes;
  };

  test("a byte order mark tells UTF-16 from UTF-8, whatever the content type says", () => {
    for (const swap of [false, true]) {
      const pair = pairOf(answer(utf16('{"a":"é"}', swap)), answer('{"a":"é"}'));
      assert.equal(compared(pair).kind, "match");
      assert.deepEqual(placesOf(compared(pairOf(answer(utf16('{"a":"e"}', swap)), answer('{"a":"é"}')))), [
        "$.a value",
      ]);
    }
  });

  test("XML and HTML may name their charset themselves", () => {
    const xml = (charset: string) => `<?xml version="1.0" encoding="${charset}"?><a>é</a>`;
    const latin = Buffer.from(xml("ISO-8859-1"), "latin1");
    assert.equal(comparedBodies(latin, xml("utf-8"), { type: "application/xml" }).kind, "match");
    const html = (meta: string) => `<html><head>${meta}</head><body>é</body></html>`;
    for (const meta of ['<meta charset="iso-8859-1">', '<META content="text/html; charset=latin1">']) {
      const bytes = Buffer.from(html(meta), "latin1");
      assert.equal(decodeText(bytes, null, "html"), html(meta));
    }
    assert.equal(
      decodeText(Buffer.from(html('<meta charset="nonsense">')), null, "html")?.includes("é"),
      true,
    );
    assert.equal(decodeText(Buffer.from(html('<meta charset="utf-16">')), null, "html")?.includes("é"), true);
    assert.equal(decodeText(Buffer.from("<?xml ?><a/>", "utf16le"), null, "xml"), "<?xml ?><a/>");
  });

  test("a charset is looked for near the beginning alone, and in no time", () => {
    const late = Buffer.from(`${" ".repeat(2000)}<meta charset=latin1>\xe9`, "latin1");
    assert.equal(decodeText(late, null, "html"), null);
    const many = Buffer.from("<meta ".repeat(1_000_000));
    atBoundedCost(() => decodeText(many, null, "html"));
  });
});
