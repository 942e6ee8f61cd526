// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of rules, not of TypeScript
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { substitute } from "../../src/rules/env.ts";
import { HEAD, loadText, mistakesIn, rulesOf } from "./folder.ts";

test("variables, defaults and dollars are filled in", () => {
  const filled = (text: string) => {
    const result = substitute(text, { A: "1", EMPTY: "" });
    return result.ok ? result.text : result.why;
  };
  assert.equal(filled("x${A}y"), "x1y");
  assert.equal(filled("${B:-two}"), "two");
  assert.equal(filled("${EMPTY:-two}"), "two");
  assert.equal(filled("${EMPTY}"), "");
  assert.equal(filled("$${A}"), "${A}");
  assert.equal(filled("$.a $..b x$"), "$.a $..b x$");
  assert.match(filled("${B}"), /^\$\{B\} is not set/);
  assert.match(filled("${1}"), /is no variable/);
  assert.match(filled("${A"), /is no variable/);
  assert.match(filled("${toString}"), /is not set/);
});

test("a value is never read for variables once more", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const result = substitute("<${A}>", { A: value });
      assert.deepEqual(result, { ok: true, text: `<${value}>`, used: ["A"] });
    }),
  );
});

const WITH_NUMBER = `version: 1\nbackends:\n  b:\n    url: \${URL:-http://127.0.0.1:1}\n    maxConnections: \${MAX}\n`;

test("a plain scalar is read again as a number, never as structure", async (t) => {
  const ruleset = await rulesOf(t, WITH_NUMBER, { MAX: "7" });
  assert.equal(ruleset.backends.b?.maxConnections, 7);
  assert.deepEqual(await mistakesIn(t, WITH_NUMBER, { MAX: "[1, 2]" }), [
    "5:21  backends.b.maxConnections is [1, 2]: write a whole number from 1 to 100000",
  ]);
});

test("a variable that is not set is a placed error that names it", async (t) => {
  const mistakes = await mistakesIn(t, WITH_NUMBER);
  assert.equal(mistakes[0], "5:21  ${MAX} is not set: set it, or give a default with ${MAX:-value}");
});

test("a flow block tells to quote a variable", async (t) => {
  assert.match(
    (await mistakesIn(t, "version: 1\nbackends: { b: { url: ${URL} } }\n")).join(),
    /quote a variable/,
  );
});

test("the version of the rules changes with a variable's value, and with nothing else", async (t) => {
  const version = async (env: Record<string, string>) => (await rulesOf(t, WITH_NUMBER, env)).version;
  assert.match(await version({ MAX: "7" }), /^[0-9a-f]{12}$/);
  assert.equal(await version({ MAX: "7" }), await version({ MAX: "7", OTHER: "x" }));
  assert.notEqual(await version({ MAX: "7" }), await version({ MAX: "8" }));
});

test("names of fields are no place for variables", async (t) => {
  const result = await loadText(t, `${HEAD}"\${A}": 1\n`, { A: "unmatched" });
  assert.ok(!result.ok);
  assert.match(result.problems[0]?.message ?? "", /^\$\{A\} is not a field here/);
});
