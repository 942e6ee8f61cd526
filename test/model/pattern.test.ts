import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { patternMistake } from "../../src/model/pattern.ts";

describe("a pattern that repeats what repeats itself", () => {
  const cases: readonly (readonly [pattern: string, part: string, advice: string])[] = [
    ["(a+)+$", "(a+)+", "a+"],
    ["(a+)*$", "(a+)*", "a*"],
    ["^(?:a*)+b", "(?:a*)+", "a*"],
    ["([a-z]*?)*?!", "([a-z]*?)*?", "[a-z]*"],
    ["(\\w+)+@", "(\\\\w+)+", "\\\\w+"],
    ["(\\d{2,})+x", "(\\\\d{2,})+", "let only one"],
    ["(\\d+,?)+$", "(\\\\d+,?)+", "let only one"],
    ["(\\s*[a-z]*)*;", "(\\\\s*[a-z]*)*", "let only one"],
    ["(x|(?:a+)|y)+$", "(x|(?:a+)|y)+", "let only one"],
    ["((ab)+)+$", "((ab)+)+", "let only one"],
    ["b?((?<n>a+)+)?$", "(?<n>a+)+", "a+"],
    ["(?=(a+)+$)a", "(a+)+", "a+"],
    ["[(](\\u{61}+)+[)]", "(\\\\u{61}+)+", "\\\\u{61}+"],
  ];
  for (const [pattern, part, advice] of cases) {
    test(`${pattern} is refused, with what to write`, () => {
      const why = patternMistake(pattern, false) ?? "";
      assert.ok(why.startsWith(`${part} repeats what repeats itself`), why);
      assert.ok(why.includes(`: write ${advice}`), why);
    });
  }

  test("is refused without anything behind it too where the end of the text is behind it", () => {
    assert.match(patternMistake("(a+)+", true) ?? "", /write a\+$/);
    assert.equal(patternMistake("(a+)+", false), null);
    assert.equal(patternMistake("(a+)+b?", false), null);
  });
});

describe("a pattern that is well", () => {
  const good = [
    "",
    "a",
    "^2[0-9]+-.*Z$",
    "(ab)+$",
    "([a-z]+-)*[a-z]+$",
    "\\d+(,\\d+)*$",
    "(a+)?$",
    "(a+){2}$",
    "(a?)+$",
    "(a+b)+$",
    "(^a+)+$",
    "(a+)\\1+$",
    "[(a+)+]+$",
    "\\(a+\\)+$",
    "(?:a|b)*c",
    "(a|aa)+$",
    "((a)+b)*$",
    "\\p{Lu}+\\x41\\u0041\\cA[^\\]]*$",
    "é😀+$",
  ];
  for (const pattern of good) {
    test(`${pattern} is taken as it is`, () => assert.equal(patternMistake(pattern, true), null));
  }

  test("and every other text is read to its end, whatever it is", () => {
    const piece = fc.constantFrom(
      "a",
      "(",
      ")",
      "(?:",
      "(?=",
      "[",
      "]",
      "^",
      "|",
      "*",
      "+?",
      "{2,}",
      "\\",
      "$",
      "é",
      "😀",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, isWhole) => {
        const pattern = pieces.join("");
        const why = patternMistake(pattern, isWhole);
        let isOne = true;
        try {
          new RegExp(pattern, "u");
        } catch {
          isOne = false;
        }
        if (isOne) assert.ok(why === null || why.includes("repeats what repeats itself"), why ?? "");
        else assert.match(why ?? "", /is no regular expression/);
      }),
    );
  });
});
