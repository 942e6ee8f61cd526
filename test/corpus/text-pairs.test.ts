/** Lines, events, fields and bytes; content codings and charsets: the same is a match, a known change is placed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { linePattern } from "../../src/compare/line-pattern.ts";
import type { Comparison } from "../../src/model/pair.ts";
import { answer, compared, comparedBodies, pairOf } from "../compare/pairs.ts";
import { createDraw } from "./draw.ts";
import { type Json, type JsonObject, PLAIN, spell, WILD } from "./json.ts";
import { csvLines, formFields, logRecords, spellEvents, spellForm, tokenEvents, wireBytes } from "./texts.ts";

const NDJSON = "application/x-ndjson";
const EVENTS = "text/event-stream; charset=utf-8";
const FORM = "application/x-www-form-urlencoded";
const MATCH = { kind: "match" };

function places(comparison: Comparison): readonly string[] {
  if (comparison.kind !== "mismatch") return [comparison.kind];
  return comparison.differences.map(({ place, kind, template }) => `${place} ${kind} ${template}`);
}

test("log records a line are a match in any spelling, and one changed field is one place", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const draw = createDraw(seed);
    const records = logRecords(draw, 30);
    const lines = (of: readonly Json[], end: string): string =>
      of.map((each) => spell(each, PLAIN, draw)).join(end);
    const shuffled = records.map((each) => spell(each, { ...WILD, space: "none" }, draw)).join("\r\n");
    assert.deepEqual(comparedBodies(lines(records, "\n"), `${shuffled}\n`, { type: NDJSON }), MATCH);
    const at = draw.int(30);
    const fresh = structuredClone(records);
    ((fresh[at] as JsonObject).http as JsonObject).status = 500;
    const comparison = comparedBodies(lines(records, "\n"), lines(fresh, "\n"), { type: NDJSON });
    assert.deepEqual(places(comparison), [`$[${at}].http.status value $[*].http.status`]);
  }
});

test("a record that is lost, and one that is cut off in the middle, are found", () => {
  const draw = createDraw(3);
  const lines = logRecords(draw, 12).map((each) => spell(each, PLAIN, draw));
  const lost = comparedBodies(lines.join("\n"), lines.toSpliced(4, 1).join("\n"), { type: NDJSON });
  assert.deepEqual(places(lost), ["$[4] missing $[*]"]);
  const cutOff = comparedBodies(lines.join("\n"), lines.join("\n").slice(0, -9), { type: NDJSON });
  assert.equal(cutOff.kind, "mismatch");
});

test("token streams are a match whatever comments and line ends they have, and a changed token is placed", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const draw = createDraw(seed);
    const events = tokenEvents(draw, 25);
    const plain = spellEvents(events, draw, false);
    assert.deepEqual(
      comparedBodies(plain, spellEvents(events, draw, true), { type: EVENTS }),
      MATCH,
      `seed ${seed}`,
    );
    const fresh = structuredClone(events);
    const at = draw.int(25);
    const choices = (fresh[at] as JsonObject).choices as JsonObject[];
    (choices[0]?.delta as JsonObject).content = "something else";
    const comparison = comparedBodies(plain, spellEvents(fresh, draw, true), { type: EVENTS });
    assert.deepEqual(places(comparison), [
      `$[${at}].data.choices[0].delta.content value $[*].data.choices[*].delta.content`,
    ]);
  }
});

test("of streams that were cut only what both have whole is compared", () => {
  const draw = createDraw(5);
  const events = tokenEvents(draw, 25);
  const whole = spellEvents(events, draw, false);
  const [long, short] = [whole.slice(0, -100), whole.slice(0, whole.length >> 1)];
  const cut = (body: string) => answer(body, { type: EVENTS, cut: true });
  assert.deepEqual(compared(pairOf(cut(long), cut(short))), MATCH);
  assert.deepEqual(compared(pairOf(answer(whole, { type: EVENTS }), cut(short))), MATCH);
  const other = cut(short.replace("chatcmpl-7", "chatcmpl-8"));
  assert.deepEqual(places(compared(pairOf(cut(long), other))), ["$[0].data.id value $[*].data.id"]);
});

test("a form is a match whatever its order of names and its escapes, and a changed field is placed", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const draw = createDraw(seed);
    const fields = formFields(draw);
    const plain = spellForm(fields, draw, false);
    assert.deepEqual(
      comparedBodies(plain, spellForm(fields, draw, true), { type: FORM }),
      MATCH,
      `seed ${seed}`,
    );
    const fresh = fields.map(([name, value]) => [name, value === "gist" ? "repo" : value] as const);
    const comparison = comparedBodies(plain, spellForm(fresh, draw, true), { type: FORM });
    assert.deepEqual(places(comparison), ["$.scope[1] value $.scope[*]"]);
  }
});

test("a changed, a lost and an added line of a table are placed by line", () => {
  const draw = createDraw(9);
  const lines = csvLines(draw, 40);
  const compare = (fresh: readonly string[]) =>
    places(comparedBodies(lines.join("\n"), fresh.join("\n"), { type: "text/csv" }));
  const template = (at: number) => `line[~${linePattern(lines[at] ?? "")}]`;
  assert.deepEqual(compare(lines.with(7, "other")), [`line[8] value ${template(7)}`]);
  assert.deepEqual(compare(lines.toSpliced(20, 1)), [`line[21] missing ${template(20)}`]);
  assert.deepEqual(compare(lines.toSpliced(30, 0, "more")), [`line[31] added line[~${linePattern("more")}]`]);
});

test("wire bytes that differ are one difference of the body, with both lengths", () => {
  const bytes = wireBytes(createDraw(2), 60);
  const fresh = Uint8Array.from(bytes);
  fresh[321] = (fresh[321] ?? 0) ^ 1;
  const comparison = comparedBodies(bytes, fresh, { type: "application/x-protobuf" });
  assert.deepEqual(places(comparison), ["body body body"]);
  assert.deepEqual(comparedBodies(bytes, Uint8Array.from(bytes), { type: "application/x-protobuf" }), MATCH);
});

const CODERS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => gzipSync(bytes, { level: 9 }),
  "x-gzip": (bytes) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes) => deflateSync(bytes),
  "Deflate ": (bytes) => deflateRawSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
  "gzip, br": (bytes) => brotliCompressSync(gzipSync(bytes)),
};

test("one text under any two content codings is a match, and a difference is found through them", () => {
  const draw = createDraw(4);
  const records: Json = logRecords(draw, 20);
  const old = Buffer.from(spell(records, PLAIN, draw));
  const same = Buffer.from(spell(records, WILD, draw));
  (records[3] as JsonObject).level = 99;
  const other = Buffer.from(spell(records, WILD, draw));
  for (const [oldCoding, oldCoder] of Object.entries(CODERS)) {
    for (const [newCoding, newCoder] of Object.entries(CODERS)) {
      const what = `${oldCoding} beside ${newCoding}`;
      const oldAnswer = answer(oldCoder(old), { encoding: oldCoding });
      assert.deepEqual(
        compared(pairOf(oldAnswer, answer(newCoder(same), { encoding: newCoding }))),
        MATCH,
        what,
      );
      const found = compared(pairOf(oldAnswer, answer(newCoder(other), { encoding: newCoding })));
      assert.deepEqual(places(found), ["$[3].level value $[*].level"], what);
    }
  }
});

test("one text in any two charsets is a match where the content type is not compared", () => {
  const text = '{"name":"Grüße, naïve façade","city":"Århus"}';
  const utf16 = Buffer.from(`\ufeff${text}`, "utf16le");
  const spelled: readonly (readonly [string, Uint8Array])[] = [
    ["application/json", Buffer.from(text)],
    ["application/json; charset=utf-8", Buffer.from(`\ufeff${text}`)],
    ["application/json; charset=ISO-8859-1", Buffer.from(text, "latin1")],
    ["application/json;charset=windows-1252", Buffer.from(text, "latin1")],
    ["application/json; charset=utf-16", utf16],
    ["application/json; charset=utf-16be", Buffer.from(utf16).swap16()],
  ];
  for (const [oldType, old] of spelled) {
    for (const [newType, fresh] of spelled) {
      const pair = pairOf(answer(old, { type: oldType }), answer(fresh, { type: newType }), { headers: [] });
      assert.deepEqual(compared(pair), MATCH, `${oldType} beside ${newType}`);
    }
  }
});
