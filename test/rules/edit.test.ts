// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of rules, not of TypeScript
import assert from "node:assert/strict";
import { test } from "node:test";
import { addIgnore } from "../../src/rules/edit.ts";

const HEAD = "version: 1\ndefaults: { old: a, new: b }\nroutes:\n";
const WITH_DEFAULTS = `version: 1
defaults:
  compare: { ignore: ["$.d", '$.e'], headers: [etag, age] }
routes:
`;

/** Lines taken away and added, in order. */
function change(text: string, path: string, route = "r"): string[] {
  const edit = addIgnore(text, route, path);
  assert.equal(edit.kind, "edited", edit.kind === "cannot" ? edit.why : edit.kind);
  assert.ok(edit.kind === "edited");
  const [before, after] = [text.split("\n"), edit.text.split("\n")];
  const start = before.findIndex((line, index) => line !== after[index]);
  let same = 0;
  while (same < before.length - start && before.at(-1 - same) === after.at(-1 - same)) same++;
  return [
    ...before.slice(start, before.length - same).map((line) => `-${line}`),
    ...after.slice(start, after.length - same).map((line) => `+${line}`),
  ];
}

function whyNot(text: string, path: string, route = "r"): string {
  const edit = addIgnore(text, route, path);
  assert.ok(edit.kind === "cannot", edit.kind);
  return edit.why;
}

test("a path goes behind the last of a list, in its style", () => {
  const rules = (compare: string) => `${HEAD}  - name: r\n    compare:\n${compare}  # the end\n`;
  const block = `      ignore:
        - '$.a' # why
        # - "$.out"

      body: json
`;
  assert.deepEqual(change(rules(block), "$.new"), ["+        - '$.new'"]);
  assert.deepEqual(change(rules("      ignore: [ $.a ] # why\n"), "$.new"), [
    "-      ignore: [ $.a ] # why",
    '+      ignore: [ $.a, "$.new" ] # why',
  ]);
  assert.deepEqual(change(rules("      ignore: [] # none\n"), "$.new"), [
    "-      ignore: [] # none",
    '+      ignore: ["$.new"] # none',
  ]);
  assert.deepEqual(change(rules("      ignore: # none yet\n"), "$.new"), [
    "-      ignore: # none yet",
    '+      ignore: ["$.new"] # none yet',
  ]);
  assert.deepEqual(change(rules("      ignore: [\n        $.a, # x\n        $.b # y\n      ]\n"), "$.new"), [
    "-        $.b # y",
    "+        $.b, # y",
    '+        "$.new"',
  ]);
  assert.deepEqual(
    change(rules("      ignore: [\n        $.a, # x, y\n        $.b, # y\n      ]\n"), "$.c"),
    ['+        "$.c",'],
  );
  assert.deepEqual(change(rules("      ignore: [\n        $.a,\n        $.b]\n"), "$.new"), [
    "-        $.b]",
    "+        $.b,",
    '+        "$.new"]',
  ]);
});

test("a list that is not there yet is written where it belongs", () => {
  assert.deepEqual(change(`${HEAD}  - name: r\n    shadow: 5% # half\n\n  # next\n  - name: q\n`, "$.new"), [
    "+    compare:",
    "+      ignore:",
    '+        - "$.new"',
  ]);
  assert.deepEqual(change(`${HEAD}  - name: r\n    compare:\n      body: json\n      # so far\n`, "$.new"), [
    "+      ignore:",
    '+        - "$.new"',
  ]);
  assert.deepEqual(change(`${HEAD}  - { name: r, shadow: 5% }\n`, "$.new"), [
    "-  - { name: r, shadow: 5% }",
    '+  - { name: r, shadow: 5%, compare: { ignore: ["$.new"] } }',
  ]);
  assert.deepEqual(change(`${HEAD}  - { name: r, compare: { body: json } }\n`, "$.new"), [
    "-  - { name: r, compare: { body: json } }",
    '+  - { name: r, compare: { body: json, ignore: ["$.new"] } }',
  ]);
  assert.deepEqual(change(`${HEAD}  - name: r\n    compare: {}\n`, "$.new"), [
    "-    compare: {}",
    '+    compare: { ignore: ["$.new"] }',
  ]);
});

test("the indent is the file's own", () => {
  assert.deepEqual(change("version: 1\nroutes:\n-   name: r\n    shadow:\n        share: 5%\n", "$.new"), [
    "+    compare:",
    "+        ignore:",
    '+            - "$.new"',
  ]);
  assert.deepEqual(
    change(
      "version: 1\nroutes:\n- name: r\n  compare:\n    unordered:\n    - $.a\n    body: json\n",
      "$.new",
    ),
    ["+    ignore:", '+    - "$.new"'],
  );
});

test("line endings, a byte order mark and a missing last line ending stay", () => {
  const windows = `\uFEFF${HEAD}  - name: r\n    shadow: 5%\n`.replaceAll("\n", "\r\n");
  assert.deepEqual(change(windows, "$.new"), ["+    compare:\r", "+      ignore:\r", '+        - "$.new"\r']);
  const edit = addIgnore(`${HEAD}  - name: r`, "r", "$.new");
  assert.ok(edit.kind === "edited");
  assert.equal(edit.text, `${HEAD}  - name: r\n    compare:\n      ignore:\n        - "$.new"`);
});

test("quotes, dollars and backslashes of a path survive", () => {
  for (const path of [
    "$['it\\'s']",
    '$["b"]',
    "$['${HOME}']",
    "$['$$']",
    "$['a: b # c']",
    "$['ü→\u{1F600}']",
    "$[?@.a == '}']",
    "$['\u0085\u2028']",
  ]) {
    for (const list of ["[]", "['$.a']", "\n        - '$.a'"]) {
      const edit = addIgnore(`${HEAD}  - name: r\n    compare:\n      ignore: ${list}\n`, "r", path);
      assert.ok(edit.kind === "edited", `${path}: ${edit.kind === "cannot" ? edit.why : ""}`);
      assert.equal(addIgnore(edit.text, "r", path).kind, "already", edit.text);
    }
  }
});

test("a path that is ignored already changes nothing, however it is written", () => {
  const rules = `${HEAD}  - name: r\n    compare:\n      ignore:\n        - "$.a"\n        - $['b']\n`;
  assert.deepEqual(addIgnore(rules, "r", "$.b"), { kind: "already", file: "the rules", line: 8 });
  assert.deepEqual(addIgnore(rules, "r", "$['a']"), { kind: "already", file: "the rules", line: 7 });
  const inherited = `${WITH_DEFAULTS}  - name: r\n`;
  assert.deepEqual(addIgnore(inherited, "r", "$.e"), { kind: "already", file: "the rules", line: 3 });
});

test("what defaults ignore stays ignored: a list of the route's own repeats it", () => {
  assert.deepEqual(change(`${WITH_DEFAULTS}  - name: r\n`, "$.new"), [
    "+    compare:",
    "+      ignore: # with those of defaults, which this list replaces",
    '+        - "$.d"',
    '+        - "$.e"',
    '+        - "$.new"',
  ]);
  const edit = addIgnore(`${WITH_DEFAULTS}  - { name: r }\n`, "r", "$.new");
  assert.ok(edit.kind === "edited");
  assert.match(edit.text, /- \{ name: r, compare: \{ ignore: \["\$\.d", "\$\.e", "\$\.new"\] \} \}\n$/);
  assert.match(
    edit.note ?? "",
    /^route r now has ignore of its own, which replaces that of defaults and so repeats it/,
  );
  const own = addIgnore(`${WITH_DEFAULTS}  - { name: r, compare: { ignore: ["$.x"] } }\n`, "r", "$.d");
  assert.ok(own.kind === "edited");
  assert.equal(own.note, null);
});

test("a header goes out of the list of those that are compared", () => {
  const rules = (headers: string) => `${HEAD}  - name: r\n    compare:\n      headers:${headers}\n`;
  assert.deepEqual(change(rules("\n        - A # c\n        - b"), "header:a"), ["-        - A # c"]);
  assert.deepEqual(change(rules("\n        - a\n      body: json"), "header:a"), [
    "-      headers:",
    "-        - a",
    "+      headers: []",
  ]);
  assert.deepEqual(change(rules(" [a, b, c]"), "header:b"), [
    "-      headers: [a, b, c]",
    "+      headers: [a, c]",
  ]);
  assert.deepEqual(change(rules(" [a, b, c]"), "header:c"), [
    "-      headers: [a, b, c]",
    "+      headers: [a, b]",
  ]);
  assert.deepEqual(change(rules(" [ a ]"), "header:a"), ["-      headers: [ a ]", "+      headers: []"]);
  assert.deepEqual(change(rules(" [\n        a,\n        b, # x\n      ]"), "header:b"), ["-        b, # x"]);
  assert.deepEqual(change(`${HEAD}  - name: r\n`, "header:content-type"), [
    "+    compare:",
    "+      headers: []",
  ]);
  assert.deepEqual(change(`${WITH_DEFAULTS}  - name: r\n`, "header:age"), [
    "+    compare:",
    "+      headers: # those of defaults without age, which this list replaces",
    '+        - "etag"',
  ]);
  assert.deepEqual(addIgnore(rules(" [a, b]"), "r", "header:X-Other"), {
    kind: "not-compared",
    file: "the rules",
    line: 6,
    why: "header:x-other is not compared: nothing to ignore (compare.headers of r is a, b)",
  });
  const none = addIgnore(rules(" []"), "r", "header:a");
  assert.match("why" in none ? none.why : "", /nothing to ignore \(it compares no headers\)$/);
  assert.equal(addIgnore(`${HEAD}  - name: r\n`, "r", "header:x-other").kind, "not-compared");
  assert.match(whyNot(rules(" [a, A]"), "header:a"), /a is in compare\.headers more than once/);
});

test("what no path can hide is refused with what to write", () => {
  const rules = `${HEAD}  - name: r\n`;
  assert.match(whyNot(rules, "status"), /as in compare: \{ status: \{ equal: .* a 5xx of new is a failure/);
  assert.match(whyNot(rules, "body"), /write compare: \{ body: off \}/);
  assert.match(whyNot(rules, "line[*]"), /a line of a text, which no path can name/);
  assert.match(whyNot(rules, "updatedAt"), /begins with \$: write \$\.updatedAt/);
  assert.match(whyNot(rules, "$.a["), /no JSONPath/);
  assert.match(whyNot(rules, "header:"), /write a header's name/);
});

test("where nothing is compared, nothing can be ignored", () => {
  assert.match(whyNot(`${HEAD}  - { name: r, compare: off }\n`, "$.a"), /^compare is off: nothing of this/);
  const off = "version: 1\ndefaults: { compare: off }\nroutes:\n  - name: r\n";
  assert.match(whyNot(off, "$.a"), /^compare is off under defaults/);
  assert.equal(addIgnore(`${off}    compare: { body: json }\n`, "r", "$.a").kind, "edited");
});

test("what other rules read too is not edited", () => {
  const shared = `${HEAD}  - name: r
    compare: &c
      body: json
  - name: q
    compare: *c
  - name: s
    compare: { ignore: &i [$.a] }
  - name: u
    compare: { ignore: *i }
  - &v
    name: v
`;
  assert.match(whyNot(shared, "$.new", "r"), /^compare of this route is read by other rules too \(\*c\)/);
  assert.match(whyNot(shared, "$.new", "q"), /^compare of this route is written elsewhere \(\*c\)/);
  assert.match(whyNot(shared, "$.new", "s"), /^compare\.ignore of this route is read by other rules too/);
  assert.match(whyNot(shared, "$.new", "u"), /^compare\.ignore of this route is written elsewhere \(\*i\)/);
  // An anchor that nobody reads binds nobody.
  assert.equal(addIgnore(shared, "v", "$.new").kind, "edited");
  assert.match(whyNot(`version: 1\n<<: { a: b }\nroutes:\n  - name: r\n`, "$.a"), /merge keys \(<<\)/);
});

test("a layout that cannot be kept is refused, not mangled", () => {
  const explicit = "version: 1\nroutes:\n  - ? name\n    : r\n";
  assert.match(whyNot(explicit, "$.a"), /laid out in a way that is not edited here .*change it by hand/);
  assert.match(whyNot("version: 1\nroutes: [\n", "$.a"), /this \[ is not closed/);
  assert.match(whyNot(`${HEAD}  - name: r\n  - name: r\n`, "$.a"), /defined twice/);
  assert.match(whyNot(HEAD, "$.a"), /there is no route r/);
  assert.match(whyNot(`${HEAD}  - { name: r, compare: json }\n`, "$.a"), /see cutover check/);
  assert.match(whyNot(`${HEAD}  - { name: r, compare: { ignore: { a: b } } }\n`, "$.a"), /see cutover check/);
});

test("a list that is full says so", () => {
  const many = Array.from({ length: 100 }, (_, index) => `$.a${index}`).join(", ");
  const full = `${HEAD}  - { name: r, compare: { ignore: [${many}] } }\n`;
  assert.match(whyNot(full, "$.new"), /would hold 101 paths: at most 100/);
});

test("variables are looked through, and stay as they are", () => {
  const rules = `${HEAD}  - name: \${NAME}\n    compare: { ignore: ["$.\${FIELD}"] }\n`;
  const env = { NAME: "r", FIELD: "a" };
  assert.equal(addIgnore(rules, "r", "$.a", { env }).kind, "already");
  const edit = addIgnore(rules, "r", "$.b", { env });
  assert.ok(edit.kind === "edited");
  assert.match(edit.text, /name: \$\{NAME\}\n {4}compare: \{ ignore: \["\$\.\$\{FIELD\}", "\$\.b"\] \}/);
});
