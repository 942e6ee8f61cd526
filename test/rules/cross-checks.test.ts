import assert from "node:assert/strict";
import { test } from "node:test";
import { loadRules } from "../../src/rules/load.ts";
import { folderWith, HEAD, loadText, mistakesIn, routeMistakes, SECRET } from "./folder.ts";

const oneMistake = async (
  t: Parameters<typeof routeMistakes>[0],
  route: string,
  expected: RegExp,
  head?: string,
) => {
  const mistakes = await routeMistakes(t, route, head);
  assert.equal(mistakes.length, 1, mistakes.join("\n"));
  assert.match(mistakes[0] ?? "", expected);
};

test("an unknown backend is placed, with the one that was meant", async (t) => {
  await oneMistake(t, "new: modren", /^new is modren: there is no such backend: did you mean modern\?/);
  assert.deepEqual(await mistakesIn(t, `${HEAD}unmatched: legcy\n`), [
    "6:12  unmatched is legcy: there is no such backend: did you mean legacy?",
  ]);
  assert.deepEqual(
    await mistakesIn(t, `${HEAD.replace("new: modern", "new: modem")}routes: [{ name: a }, { name: b }]\n`),
    ["5:31  new is modem: there is no such backend: did you mean modern?"],
  );
});

test("a route needs old, and a different new before it can use one", async (t) => {
  const bare = HEAD.replace(/defaults:.*\n/, "");
  await oneMistake(t, "new: modern", /^route r has no old/, bare);
  await oneMistake(t, "old: legacy\ncanary: 5%", /^route r has canary but no new/, bare);
  await oneMistake(t, "old: legacy\nshadow: 5%", /^route r has shadow but no new/, bare);
  await oneMistake(t, "new: legacy", /^route r has legacy as old and as new/);
});

test("a shadow of a method with side effects needs the line that says so", async (t) => {
  await oneMistake(
    t,
    "shadow: { share: 5%, methods: [GET, POST] }",
    /^shadow.methods has POST: .*sideEffects: allowed/,
  );
  const allowed = await loadText(
    t,
    `${HEAD}routes:\n  - { name: a, shadow: { share: 5%, methods: [POST], sideEffects: allowed } }\n`,
  );
  assert.ok(allowed.ok);
});

test("keys: a path parameter must exist, assign comes last, nothing comes twice", async (t) => {
  await oneMistake(
    t,
    "match: { path: '/p/{id}' }\nkey: [path:uid]",
    /^key\[0\] is path:uid: .*did you mean id\?/,
  );
  await oneMistake(t, "key: [assign, ip]", /^key\[0\] is assign.*only be the last/);
  await oneMistake(t, "key: [ip, ip]", /^key\[1\] is ip once more/);
  await oneMistake(t, "key: [heder:x]", /^key\[0\] is heder:x: did you mean header\?/);
});

test("a key under defaults may be for some routes only, but not for none", async (t) => {
  const head = HEAD.replace("new: modern }", "new: modern, key: [path:id] }");
  const some = await loadText(t, `${head}routes: [{ name: a, match: { path: "/{id}" } }, { name: b }]\n`);
  assert.ok(some.ok);
  assert.match(
    (await mistakesIn(t, `${head}routes: [{ name: b }]\n`)).join(),
    /defaults\.key\[0\] is path:id/,
  );
});

test("split: a key for both sides, or nothing to split by, is a mistake", async (t) => {
  await oneMistake(
    t,
    "key: [ip]\nsplit: { new: [a, b], old: [b] }",
    /^split.old\[0\] is b, which is in split.new too/,
  );
  await oneMistake(t, "split: { new: [a] }", /^route r has a split but no key/);
  await oneMistake(
    t,
    "key: [ip]\nsplit: { new: [1234] }",
    /^split.new\[0\] is 1234: put it in quotes: "1234"/,
  );
});

test("matchers name one header or cookie, and one test", async (t) => {
  await oneMistake(
    t,
    "canary: { always: [{ equals: x }] }",
    /^canary.always\[0\] has neither header nor cookie/,
  );
  await oneMistake(t, "canary: { never: [{ header: a, equals: x, matches: y }] }", /equals and matches/);
  await oneMistake(
    t,
    "canary: { never: [{ header: a, matches: '(' }] }",
    /^canary.never\[0\].matches is \(: this is no regular/,
  );
  await oneMistake(t, `canary: { never: [{ header: a, matches: '${"a".repeat(513)}' }] }`, /at most 512/);
});

test("path templates teach their grammar", async (t) => {
  const cases: [string, RegExp][] = [
    ["profiles", /write \/profiles/],
    ["/a/*", /no wildcard here/],
    ["/a*", /no wildcard here/],
    ["/**/b", /only be the last segment/],
    ["/a/x{id}", /one whole segment/],
    ["/{id}/{id}", /there twice/],
    ["/a?b=1", /has no query/],
    ["/a#b", /no fragment/],
    ["/a b", /percent-encoded/],
    ["/:id", /write \{id\}/],
  ];
  for (const [path, expected] of cases) await oneMistake(t, `match: { path: "${path}" }`, expected);
});

test("hosts and methods teach their form", async (t) => {
  await oneMistake(
    t,
    "match: { hosts: ['api.example.com:8080'] }",
    /without its port: write api\.example\.com/,
  );
  await oneMistake(t, "match: { hosts: ['a.*.org'] }", /whole first part/);
  await oneMistake(t, "match: { methods: [get] }", /write GET/);
  await oneMistake(t, "match: { methods: [GTE] }", /write GET/);
  await oneMistake(t, "match: { query: { v: 2 } }", /^match.query.v is 2: put it in quotes: "2"/);
  await oneMistake(t, "match: []", /^match is empty: write a list, such as/);
});

test("a JSONPath that does not parse is a mistake", async (t) => {
  await oneMistake(
    t,
    "compare: { ignore: ['$.a[', '$..etag'] }",
    /^compare.ignore\[0\] is \$\.a\[: this is no JSONPath/,
  );
  await oneMistake(t, "compare: { ignore: [updatedAt] }", /write \$\.updatedAt/);
});

test("backends: one of url and urls, an origin alone, tls for https alone", async (t) => {
  const backend = async (fields: string) =>
    (await mistakesIn(t, `version: 1\nbackends:\n  b: { ${fields} }\n`)).join("\n");
  assert.match(await backend("maxConnections: 1"), /b has no url/);
  assert.match(await backend("url: http://a, urls: [http://b]"), /has url and urls/);
  assert.match(await backend("url: http://a/api"), /write http:\/\/a alone/);
  assert.match(await backend("url: ftp://a"), /http or https/);
  assert.match(await backend("url: http://me:hunter2@a"), /holds no user or password/);
  assert.match(await backend("url: http://a, tls: { serverName: x }"), /tls is for https alone/);
  assert.match(await backend("urls: [http://a, https://b]"), /mixes http and https/);
  assert.match(await backend("url: http://a, health: { path: healthz }"), /begins with "\/"/);
  assert.match(await backend("url: http://a, timeouts: { headers: 90d }"), /at most 24d/);
  assert.match(await backend("url: https://a, tls: { ca: no.pem }"), /no\.pem: there is no such file/);
});

test("a name defined twice shows both places, across files too", async (t) => {
  const folder = await folderWith(t, {
    "a.yaml": `${HEAD}unmatched: legacy\nroutes: [{ name: x }]\n`,
    "b.yaml":
      "version: 1\nbackends:\n  legacy: { url: http://127.0.0.1:1 }\nunmatched: legacy\nroutes: [{ name: x }]\n",
  });
  const result = await loadRules([folder], { env: {}, keyFileSecret: SECRET });
  assert.ok(!result.ok);
  const messages = result.problems.map(
    (problem) => `${problem.line} ${problem.message.replaceAll(`${folder}/`, "")}`,
  );
  assert.deepEqual(messages, [
    "3 backend legacy is defined twice: first at a.yaml:3:3; keep one of the two",
    "4 unmatched is defined twice: first at a.yaml:6:1; keep one of the two",
    "5 route x is defined twice: first at a.yaml:7:18; keep one of the two",
  ]);
});

test("unmatched is no name for a route", async (t) => {
  assert.match((await mistakesIn(t, `${HEAD}routes: [{ name: unmatched }]\n`)).join(), /this name is taken/);
});

test("a route that gets no request is a warning, not an error", async (t) => {
  const result = await loadText(
    t,
    `${HEAD}routes:
  - { name: a, match: { path: "/a/**" } }
  - { name: b, match: { path: "/a/{id}", methods: [GET] } }
  - { name: c, match: { path: "/c" } }
  - { name: d }
  - { name: e, match: { path: "/e" } }
`,
  );
  assert.ok(result.ok);
  assert.deepEqual(
    result.warnings.map((warning) => warning.replace(/^\S+ {2}/, "").split(":")[0]),
    ["route b gets no request", "route e gets no request"],
  );
});
