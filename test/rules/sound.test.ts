import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { draftOf } from "../../src/rules/draft.ts";
import { parseYaml } from "../../src/rules/yaml.ts";
import { HEAD, mistakesIn, routeMistakes } from "./folder.ts";

test("a wrong value hides no other mistake, not even in its own block", async (t) => {
  const mistakes = await routeMistakes(
    t,
    `match: { path: "/p/{id}", methods: [get] }
key: [path:nope, heder:x, assign, ip]
split: { new: [a, 7, b], old: [7, b], newFile: no.txt, onRollback: perhaps }
canary: { share: 7, always: [5, { header: a, cookie: b }, { equals: x }, { header: a, equals: b, matches: c }] }
shadow: { share: 200%, methods: [POST] }
fallback: { after: 5 }
`,
  );
  const expected = [
    /^match.methods\[0\] is get: write GET/,
    /^key\[0\] is path:nope: no path of route r has \{nope\}/,
    /^key\[1\] is heder:x: did you mean header/,
    /^key\[2\] is assign/,
    /^split.new\[1\] is 7: put it in quotes/,
    /^split.old\[0\] is 7: put it in quotes/,
    /^split.old\[1\] is b, which is in split.new too/,
    /^no.txt: there is no such file/,
    /^split.onRollback is perhaps/,
    /^canary.share is 7/,
    /^canary.always\[0\] is 5/,
    /^canary.always\[1\] has header and cookie/,
    /^canary.always\[2\] has neither header nor cookie/,
    /^canary.always\[3\] has equals and matches/,
    /^shadow.share is 200%/,
    /^shadow.methods has POST/,
    /^fallback.after is 5/,
  ];
  assert.equal(mistakes.length, expected.length, mistakes.join("\n"));
  for (const [index, pattern] of expected.entries()) assert.match(mistakes[index] ?? "", pattern);
});

test("a mistake brings no second one that only follows from it", async (t) => {
  const one = async (route: string) => assert.equal((await routeMistakes(t, route)).length, 1, route);
  await one("key: [heder:x]\nsplit: { new: [a] }");
  await one("match: { path: 'p/{id}' }\nkey: [path:id]");
  await one("match: { pth: '/p/{id}' }\nkey: [path:id]");
  await one("canary: { always: [{ heder: x-canary, equals: a }] }");
  await one("canary: { always: [{ header: 'a b', equals: a }] }");
  await one("shadow: { methods: [POST], sideEffects: yes please }");
  await one("new: 5\ncanary: 5%");
});

test("a wrong value is not taken for the default that it replaces", async (t) => {
  const head = HEAD.replace("new: modern }", "new: modern, key: [ip], split: { new: [a] } }");
  assert.deepEqual(await routeMistakes(t, "split: { new: a, old: [a] }", head), [
    "split.new is a: write a list, such as [acme, globex]",
  ]);
});

test("a route without a sound name is looked at all the same", async (t) => {
  const mistakes = await mistakesIn(
    t,
    `${HEAD}routes:\n  - { name: a b, split: { new: [x] } }\n  - { new: modren }\n`,
  );
  assert.match(mistakes[0] ?? "", /^7:13 {2}name is a b: a name has/);
  assert.match(mistakes[1] ?? "", /^7:18 {2}route number 1 has a split but no key/);
  assert.match(mistakes[2] ?? "", /routes\[1\]\.name is missing|name is missing/);
  assert.match(mistakes[3] ?? "", /new is modren: .*did you mean modern/);
});

test("a backend with a wrong value is still checked for the rest", async (t) => {
  const mistakes = await mistakesIn(
    t,
    `version: 1
backends:
  a: { url: http://a, urls: [http://b, nope], maxConnections: many }
  b: { url: ftp://x, tls: { ca: no.pem, cert: no.crt } }
  c: { urls: [ftp://x, http://c, https://d, http://c] }
`,
  );
  const found = (pattern: RegExp) =>
    assert.ok(
      mistakes.some((each) => pattern.test(each)),
      `${pattern}: ${mistakes.join("\n")}`,
    );
  found(/^3:.*a has url and urls/);
  found(/^3:.*maxConnections is many/);
  found(/^4:.*no\.pem: there is no such file/);
  found(/^4:.*tls has cert but no key/);
  found(/^5:34 .*mixes http and https/);
  found(/^5:45 .*has http:\/\/c twice/);
  assert.ok(!mistakes.some((each) => each.includes("has no url")));
});

test("no text, however broken, makes the reading of rules throw", () => {
  const pieces = [
    "version: 1",
    "\n",
    "\n  ",
    "\n     ",
    "- ",
    ": ",
    "[",
    "]",
    "{",
    "}",
    '"',
    "#",
    "%5",
    "*a",
    "&a",
    "a",
  ];
  const rules = [
    "routes:",
    "name: a",
    "canary: 5%",
    "key: [ip]",
    "match:",
    "path: /p/{id}",
    "split: { new: [b] }",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces, ...rules), { maxLength: 50 }), (parts) => {
      const { file, problems } = parseYaml({ path: "a.yaml", text: parts.join("") }, {});
      if (file) draftOf([file]);
      else assert.ok(problems.length > 0);
    }),
    { numRuns: 1000 },
  );
});
