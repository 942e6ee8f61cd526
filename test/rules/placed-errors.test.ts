// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of rules, not of TypeScript
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadRules } from "../../src/rules/load.ts";
import { folderWith, HEAD, loadText, mistakesIn, routeMistakes, SECRET } from "./folder.ts";

test("an error reads like a compiler's: place, field, value, advice, line, caret", async (t) => {
  const folder = await folderWith(t, {
    "profiles.yaml": `${HEAD}routes:\n  - name: profiles\n    canary: 105%\n`,
  });
  const result = await loadRules([folder], { env: {}, keyFileSecret: SECRET });
  assert.ok(!result.ok);
  assert.equal(result.problems.length, 1);
  assert.equal(
    result.problems[0]?.text,
    `${join(folder, "profiles.yaml")}:8:13  canary.share is 105%: a share is at most 100%\n` +
      "  8 |     canary: 105%\n" +
      "    |             ^^^^",
  );
});

test("all mistakes of all files are reported at once, in file and line order", async (t) => {
  const folder = await folderWith(t, {
    "b.yaml": "version: 1\nroutes:\n  - name: b\n    old: nope\n    shadow: 5\n",
    "a.yaml":
      "version: 2\nbackends:\n  legacy: { url: 127.0.0.1:9001 }\nroutes:\n  - name: a b\n    foo: 1\n",
    "notes.txt": "not rules",
  });
  const result = await loadRules([folder], { env: {}, keyFileSecret: SECRET });
  assert.ok(!result.ok);
  const places = result.problems.map((problem) => `${problem.file.slice(folder.length + 1)}:${problem.line}`);
  assert.deepEqual(places, [
    "a.yaml:1",
    "a.yaml:3",
    "a.yaml:5",
    "a.yaml:5",
    "a.yaml:6",
    "b.yaml:4",
    "b.yaml:5",
    "b.yaml:5",
  ]);
});

test("a bare number for a share says which share to write", async (t) => {
  assert.deepEqual(await routeMistakes(t, "canary: 5"), ["canary is 5: write 5%"]);
  assert.deepEqual(await routeMistakes(t, "shadow: { share: 0.5 }"), [
    "shadow.share is 0.5: write 50% (or 0.5%): a share needs its unit",
  ]);
  assert.deepEqual(await routeMistakes(t, "guard: { errors: { max: 0.05 } }"), [
    "guard.errors.max is 0.05: write 5% (or 0.05%): a share needs its unit",
  ]);
  assert.deepEqual(await routeMistakes(t, "canary: off"), ["canary.share is off: write 0% for none"]);
});

test("an unknown field is an error with a suggestion, whatever it is in", async (t) => {
  const mistakes = await routeMistakes(t, "canry: 5%\nguard: { error: off }\nmatch: { pth: /a }\nxyzzy: 1");
  assert.match(mistakes[0] ?? "", /^canry is not a field here: did you mean canary\?/);
  assert.match(mistakes[1] ?? "", /^guard.error is not a field here: did you mean errors\?/);
  assert.match(mistakes[2] ?? "", /^match.pth is not a field here: did you mean path\?/);
  assert.match(mistakes[3] ?? "", /^xyzzy is not a field here: the fields here are name, match/);
});

test("what a later version will know is said to be not built yet, with what to do till then", async (t) => {
  const mistakes = await routeMistakes(t, "writes: x");
  assert.deepEqual(mistakes, [
    "writes is not built yet: leave it out; canary: { methods: [GET, HEAD] } keeps writes on old",
  ]);
});

test("a file without its version, an empty one and one of two documents are taught", async (t) => {
  assert.deepEqual(await mistakesIn(t, "routes: []\n"), ["1:1  version is missing: write version: 1"]);
  assert.deepEqual(await mistakesIn(t, "# nothing\n"), [
    "null:null  the file is empty: begin with version: 1",
  ]);
  assert.match(
    (await mistakesIn(t, "version: 1\n---\nversion: 1\n")).join(),
    /^3:1 {2}a rules file holds one YAML document/,
  );
});

test("an unquoted template in flow style is told to be quoted", async (t) => {
  const mistakes = await mistakesIn(t, `${HEAD}routes:\n  - { name: a, match: { path: /p/{id} } }\n`);
  assert.equal(mistakes.length, 1);
  assert.match(
    mistakes[0] ?? "",
    /^7:\d+ {2}quote a path with \{…\} in YAML's flow style: \{ path: "\/p\/\{id\}" \}/,
  );
});

test("YAML's own errors are placed and explained", async (t) => {
  assert.match(
    (await mistakesIn(t, "version: 1\nversion: 1\n")).join(),
    /^2:1 {2}version is written twice in this block, first at \S+:1:1/,
  );
  assert.match(
    (await mistakesIn(t, "version: 1\nlimits:\n\tinFlight: 5\n")).join(),
    /^3:1 {2}a tab cannot indent/,
  );
  assert.match((await mistakesIn(t, "version: 1\nroutes: !foo []\n")).join(), /^2:9 {2}YAML tags \(!foo\)/);
  assert.match(
    (await mistakesIn(t, "version: 1\nunmatched: *.example.org\n")).join(),
    /must be quoted: "\*\.example\.org"/,
  );
  assert.match((await mistakesIn(t, "version: 1\n<<: 1\n")).join(), /merge keys .* defaults/);
});

test("a value in quotes that should have none says so", async (t) => {
  const text = HEAD.replace("version: 1", 'version: "1"');
  assert.deepEqual(await mistakesIn(t, text), ['1:10  version is the text "1": take the quotes away']);
  assert.deepEqual(await routeMistakes(t, 'guard: { killSwitch: "5", minSamples: "many" }'), [
    'guard.killSwitch is the text "5": take the quotes away',
    "guard.minSamples is many: write a whole number from 1 to 10000000",
  ]);
});

test("a value in place of a block is answered with an example, not with another value", async (t) => {
  assert.deepEqual(await routeMistakes(t, "guard: { errors: 2%, mismatches: 3% }"), [
    "guard.errors is 2%: write off, or a block of fields such as { max: 5%, ratio: 2 }",
    "guard.mismatches is 3%: write off, or a block of fields such as { max: 1% }",
  ]);
});

test("an empty list is said to be empty, once", async (t) => {
  assert.deepEqual(await mistakesIn(t, "version: 1\nbackends:\n  f: { urls: [] }\n"), [
    "3:14  backends.f.urls is empty: write a list, such as [http://10.0.0.1:9001, http://10.0.0.2:9001], or leave the field out",
  ]);
});

test("what could not be read is one mistake: nothing is missing for it", async (t) => {
  assert.deepEqual(await routeMistakes(t, "match: { hosts: [*.example.org] }"), [
    'there is no anchor &.example.org; a text that begins with * must be quoted: "*.example.org"',
  ]);
  const unset = "${NO} is not set: set it, or give a default with ${NO:-value}";
  assert.deepEqual(await routeMistakes(t, 'old: "${NO}"\nkey: ["${NO}"]\nsplit: { new: [a] }'), [
    unset,
    unset,
  ]);
  assert.deepEqual(await mistakesIn(t, "version: 1\nbackends:\n  b:\n    url: ${NO}\n"), [`4:10  ${unset}`]);
});

test("a share that begins with % is told to end with it", async (t) => {
  assert.deepEqual(await routeMistakes(t, "canary: %5"), [
    "a text that begins with % must be quoted; if a share is meant, write 5%",
  ]);
});

test("a wrong indent is placed on the line that has it", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "    match: { path: /a }\n      canary: 5%\n",
      "8:7  this line begins after 6 spaces, and what is above it, on line 7, after 4 spaces",
    ],
    ["    canary: 5%\n   shadow: 5%\n", "8:4  this line begins after 3 spaces"],
    ["    canary: 5%\n     shadow: 5%\n", "8:6  this line begins after 5 spaces"],
    [
      "  canary: 5%\n",
      "7:3  this line begins after 2 spaces, and what is above it, on line 6, after 4 spaces",
    ],
    [
      "    canary: 5%\n # a comment\n\n   shadow: 5%\n",
      "10:4  this line begins after 3 spaces, and what is above it, on line 7, after 4 spaces",
    ],
  ];
  const head = HEAD.replace(/defaults:.*\n/, "routes:\n  - name: a\n");
  for (const [fields, expected] of cases) {
    const [mistake, ...others] = await mistakesIn(t, head + fields);
    assert.equal((mistake ?? "").slice(0, expected.length), expected);
    assert.deepEqual(others, []);
  }
});

test("what is opened and not closed is placed where it opens", async (t) => {
  const route = async (fields: string) =>
    (await mistakesIn(t, `version: 1\nroutes:\n  - name: a\n    ${fields}`)).join();
  assert.equal(
    await route("match: { path: /a\n    canary: 5%\n  - name: b\n"),
    "4:12  this { is not closed: write } where it ends",
  );
  assert.equal(
    await route("key: [ip\n    canary: 5%\n"),
    "4:10  this [ is not closed: write ] where it ends",
  );
  assert.equal(
    await route("match: { path: /a, methods: [GET }\n"),
    "4:33  this [ is not closed: write ] where it ends",
  );
  assert.equal(await route("match: { path: /a"), "4:12  this { is not closed: write } where it ends");
  assert.equal(
    await route('old: "a\n    canary: 5%\n'),
    '4:10  this " is not closed: write another where the text ends',
  );
  assert.equal(
    await route("match: { path: /a } }\n"),
    "4:25  this } closes nothing: take it away, or open it first",
  );
  assert.equal(
    await route("canary 5%\n    shadow: 5%\n"),
    "4:5  this line has no colon: write a field as canary: and its value",
  );
});

test("a syntax error hides no variable that is not set", async (t) => {
  const mistakes = await mistakesIn(t, 'version: 1\nunmatched: "${NO}"\nlimits: { inFlight: 5\nroutes: []\n');
  assert.deepEqual(
    mistakes.map((mistake) => mistake.split(":")[0]),
    ["2", "3"],
  );
});

test("hostile YAML is refused, and quickly", async (t) => {
  assert.match(
    (await mistakesIn(t, `version: 1\nroutes: ${"[".repeat(100_000)}`)).join(),
    /nested more than/,
  );
  assert.match(
    (await mistakesIn(t, `version: 1\nroutes: ${"- ".repeat(10_000)}`)).join(),
    /nested more than|no YAML/,
  );
  const levels = Array.from(
    { length: 8 },
    (_, i) => `l${i}: &a${i} [${Array(9).fill(i === 0 ? "x" : `*a${i - 1}`)}]`,
  );
  assert.match((await mistakesIn(t, levels.join("\n"))).join(), /aliases .* unfold to more than/);
  assert.match((await mistakesIn(t, "version: 1\nroutes: &a [*a]\n")).join(), /inside of what it names/);
  assert.match((await mistakesIn(t, "version: 1\n__proto__: { a: 1 }\n")).join(), /plain text/);
  const constructors = await routeMistakes(t, "old: constructor\nnew: toString");
  assert.equal(constructors.filter((mistake) => mistake.includes("there is no such backend")).length, 2);
});

test("control characters of a file never reach the terminal", async (t) => {
  const result = await loadText(t, `version: 1\n"\\e[31m\\u0007": 1\nfoo\u001b[2J: 1\n`);
  assert.ok(!result.ok);
  for (const problem of result.problems) {
    for (const control of ["\u0007", "\u001b"]) assert.ok(!problem.text.includes(control));
  }
});

test("anchors and aliases are fine, and their mistakes are placed where they were written", async (t) => {
  const text = `${HEAD}routes:\n  - name: a\n    match: { path: /a }\n    guard: &g { minSamples: 0 }\n  - name: b\n    guard: *g\n`;
  const mistakes = await mistakesIn(t, text);
  assert.deepEqual(
    new Set(mistakes),
    new Set(["9:29  guard.minSamples is 0: write a whole number from 1 to 10000000"]),
  );
});

test("a file of millions of values is refused before it takes all memory", async (t) => {
  assert.match(
    (await mistakesIn(t, `version: 1\na: ${"[]".repeat(1_600_000)}`)).join(),
    /millions of values/,
  );
});
