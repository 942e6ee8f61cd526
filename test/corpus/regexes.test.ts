/** Every regular expression that reads what strangers send takes time in proportion to it. */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { MISSING, relationOf } from "../../src/compare/relation.ts";
import { isIdLike, templateOf } from "../../src/compare/template.ts";

const SOURCES = globSync(new URL("../../src/compare/*.ts", import.meta.url).pathname);
/** A quadratic expression needs half a second for so many characters, an exponential one for ever. */
const CHARACTERS = 24_000;
const MAX_CPU_MS = 120;

/** A literal after what can only stand before an expression. */
const LITERAL =
  /(?:[(,=:[!&|?{};]|return|=>)\s*\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g;

function expressions(): ReadonlyMap<string, RegExp> {
  const found = new Map<string, RegExp>();
  for (const file of SOURCES) {
    const code = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line))
      .join("\n");
    for (const [, source = "", flags = ""] of code.matchAll(LITERAL)) {
      found.set(`/${source}/${flags}`, new RegExp(source, flags.replace(/[gy]/g, "")));
    }
  }
  return found;
}

const PIECES = [..." \t\n0a_-.:;,=<>&\"'\\/[%+@#T"].concat("\u00e9", "\ud800");
const OPENINGS = ["", "<a ", "<?xml ", "<meta ", ";a=", ';a="', "-", "1", "$.", "a@", "&", "[", "{", "T00:"];

/** Every character over and over, every two by turns, and all of these after what expressions begin with. */
function* attacks(): Generator<string> {
  for (const one of PIECES) {
    for (const other of PIECES) yield `${(one + other).repeat(CHARACTERS / 2)}\u0001`;
    for (const opening of OPENINGS) yield `${opening}${one.repeat(CHARACTERS)}\u0001`;
  }
}

function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Twice, as garbage may have to be collected meanwhile. */
function isSlow(work: () => void): boolean {
  return cpuMs(work) > MAX_CPU_MS && cpuMs(work) > MAX_CPU_MS;
}

test("no regular expression of comparison takes more than linear time", () => {
  const all = expressions();
  assert.ok(all.size > 20, `${all.size} expressions were found`);
  const slow = new Set<string>();
  for (const text of attacks()) {
    for (const [literal, expression] of all) {
      if (!slow.has(literal) && isSlow(() => expression.test(text))) slow.add(literal);
    }
  }
  assert.deepEqual([...slow], []);
});

test("names and templates of hostile members are made in no time", () => {
  for (const text of attacks()) {
    assert.ok(!isSlow(() => isIdLike(text)), JSON.stringify(text.slice(0, 20)));
    assert.ok(!isSlow(() => templateOf({ parent: null, key: text })), JSON.stringify(text.slice(0, 20)));
    const short = text.slice(-60, -1);
    assert.ok(templateOf({ parent: null, key: short }).length <= 300);
  }
});

test("relations of hostile texts are named or not in no time, and never throw", () => {
  const long = [...attacks()].filter((_, at) => at % 5 === 0);
  for (const [at, text] of long.entries()) {
    const others = [`${text}x`, text.toUpperCase(), text.slice(1), long[at + 1] ?? "", text.slice(0, 500)];
    for (const other of [...others, 1, null, true, [], MISSING]) {
      assert.ok(!isSlow(() => relationOf(text, other)), JSON.stringify(text.slice(0, 20)));
    }
    // As long as texts are still looked at closely.
    const short = text.slice(-400);
    assert.ok(
      !isSlow(() => relationOf(short, `${short.toUpperCase()}\u0301`)),
      JSON.stringify(short.slice(0, 20)),
    );
  }
});
