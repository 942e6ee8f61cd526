import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ASCII, BLOCKS, bar, glyphsFor, spark, sparkLines } from "../../src/cli/spark.ts";
import { asciiOnly, textWidth } from "../../src/cli/width.ts";

test("a line has a cell a value, from nothing to the most, and what is not known stays empty", () => {
  assert.equal(spark([0, 1, 2, 3, 4, 5, 6, 7, null, 7], 7, BLOCKS), "▁▂▃▄▅▆▇█ █");
  assert.equal(spark([0, 1, 2, 3, 4, 5, 6, 7, null, 7], 7, ASCII), "_.-:=+*# #");
  assert.equal(spark([0, 0], 0, BLOCKS), "▁▁");
});

test("a little is seen to be more than nothing, and more than the top is no more than full", () => {
  assert.equal(spark([0, 0.001, 999], 100, BLOCKS), "▁▂█");
});

test("a chart of several lines has eight levels a line", () => {
  assert.deepEqual(sparkLines([0, 8, 12, 16, null], 16, 2, BLOCKS), ["  ▄█ ", "▁███ "]);
  assert.deepEqual(sparkLines([0, 16], 16, 3, ASCII), [" #", " #", "_#"]);
});

test("whatever the values, a chart is as high and as wide as it was asked to be", () => {
  const value = fc.oneof(fc.constant(null), fc.double());
  fc.assert(
    fc.property(fc.array(value), fc.double(), fc.integer({ min: 1, max: 4 }), (values, top, rows) => {
      for (const glyphs of [BLOCKS, ASCII]) {
        const lines = sparkLines(values, top, rows, glyphs);
        assert.equal(lines.length, rows);
        for (const line of lines) assert.equal(textWidth(line), values.length);
      }
    }),
  );
});

test("blocks are for locales that say UTF-8, by the first variable that is set", () => {
  assert.equal(glyphsFor({ LANG: "en_US.UTF-8" }, "linux"), BLOCKS);
  assert.equal(glyphsFor({ LANG: "de_DE.utf8" }, "darwin"), BLOCKS);
  assert.equal(glyphsFor({ LC_ALL: "C", LANG: "en_US.UTF-8" }, "linux"), ASCII);
  assert.equal(glyphsFor({ LC_ALL: "", LC_CTYPE: "C.UTF-8", LANG: "C" }, "linux"), BLOCKS);
  assert.equal(glyphsFor({ LANG: "C" }, "win32"), ASCII);
  assert.equal(glyphsFor({}, "linux"), ASCII);
  assert.equal(glyphsFor({}, "win32"), BLOCKS);
});

test("a bar shows any share above nothing, and all only of all", () => {
  assert.equal(bar(0, 10, BLOCKS), "░░░░░░░░░░");
  assert.equal(bar(0.0001, 10, BLOCKS), "█░░░░░░░░░");
  assert.equal(bar(1, 10, ASCII), "##########");
});

test("a text in ASCII alone takes as many cells as it did", () => {
  assert.equal(asciiOnly("a · b – c…→ 漢é"), "a - b - c~> ???");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(textWidth(asciiOnly(text)), textWidth(text));
    }),
  );
});
