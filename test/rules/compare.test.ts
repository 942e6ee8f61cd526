import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import type { Compare } from "../../src/model/ruleset.ts";
import { describeRuleset } from "../../src/rules/describe.ts";
import { diffRulesets } from "../../src/rules/diff.ts";
import { formatRelative, parseRelative } from "../../src/rules/units.ts";
import { HEAD, routeMistakes, routeOf, rulesOf } from "./folder.ts";

type Context = Parameters<typeof routeOf>[0];

const headWith = (fields: string) => HEAD.replace("new: modern }", `new: modern, ${fields} }`);

async function compareOf(t: Context, fields: string, head?: string): Promise<Compare> {
  const route = await routeOf(t, `shadow: 5%\ncompare: ${fields}`, head);
  assert.ok(route.compare);
  return route.compare;
}

const FULL = `{
  status: { compare: class, equal: [{ old: 200, new: 201 }, { old: 4XX, new: "404" }] },
  headers: [Content-Type, cache-control],
  body: xml,
  ignore: ["$.updatedAt", "$..etag"],
  unordered: ["$.tags"],
  tolerance: [{ path: "$.price", absolute: 0.01 }, { path: "$.score", relative: 1%, absolute: 2 }],
  rename: { "$.fullName": "$.name", "$.users[*].mail": "$.users[*].email" },
  noise: 2.5%,
  confirm: 2s,
  redact: ["$.email", "header:X-User", "query:token", "$..ssn"],
  samples: off,
}`;

test("all of compare comes out in the units of the comparison", async (t) => {
  assert.deepEqual(await compareOf(t, FULL), {
    status: {
      by: "class",
      equal: [
        { old: "200", new: "201" },
        { old: "4xx", new: "404" },
      ],
    },
    headers: ["content-type", "cache-control"],
    body: "xml",
    ignore: ["$.updatedAt", "$..etag"],
    unordered: ["$.tags"],
    tolerance: [
      { path: "$.price", absolute: 0.01, relative: null },
      { path: "$.score", absolute: 2, relative: 0.01 },
    ],
    rename: [
      { old: "$.fullName", new: "$.name" },
      { old: "$.users[*].mail", new: "$.users[*].email" },
    ],
    noisePpm: 25_000,
    confirmAfterMs: 2000,
    redact: { paths: ["$.email", "$..ssn"], headers: ["x-user"], query: ["token"] },
    samples: false,
  } satisfies Compare);
});

test("a status is compared exactly, by its class, with exceptions, or not at all", async (t) => {
  const statusOf = async (written: string) => (await compareOf(t, `{ status: ${written} }`)).status;
  assert.deepEqual(await statusOf("true"), { by: "exact", equal: [] });
  assert.deepEqual(await statusOf("class"), { by: "class", equal: [] });
  assert.equal(await statusOf("false"), null);
  assert.deepEqual(await statusOf("{ equal: [{ old: 200, new: 204 }] }"), {
    by: "exact",
    equal: [{ old: "200", new: "204" }],
  });
  const head = headWith("compare: { status: { equal: [{ old: 1xx, new: 2xx }] } }");
  assert.deepEqual((await compareOf(t, "{ status: class }", head)).status, {
    by: "class",
    equal: [{ old: "1xx", new: "2xx" }],
  });
  assert.equal((await compareOf(t, "{ status: false }", head)).status, null);
});

test("noise is measured where mismatches are judged, and elsewhere only where it is asked for", async (t) => {
  const noiseOf = async (route: string, head?: string) =>
    (await routeOf(t, `shadow: 100%\n${route}`, head)).compare?.noisePpm;
  assert.equal(await noiseOf(""), 0);
  assert.equal(await noiseOf("canary: 5%"), 0);
  assert.equal(await noiseOf("guard: { latency: { ratio: 2 } }"), 0);
  assert.equal(await noiseOf("guard: { mismatches: { max: 1% } }"), 20_000);
  assert.equal(await noiseOf("", headWith("guard: { mismatches: { max: 1% } }")), 20_000);
  assert.equal(await noiseOf("guard: { mismatches: { max: 1% } }\ncompare: { noise: off }"), 0);
  assert.equal(await noiseOf("guard: { mismatches: { max: 1% } }\ncompare: { noise: 10% }"), 100_000);
  assert.equal(await noiseOf("compare: { noise: 10% }"), 100_000);
  assert.equal(await noiseOf("guard: { mismatches: off }"), 0);
});

test("lists of compare replace those of the defaults, renames are merged", async (t) => {
  const head = headWith(
    'compare: { ignore: ["$.a"], redact: ["$.b"], rename: { "$.old": "$.new" }, noise: 1%, samples: off }',
  );
  const compare = await compareOf(t, '{ ignore: ["$.c"], rename: { "$.x": "$.y" }, noise: off }', head);
  assert.deepEqual(compare.ignore, ["$.c"]);
  assert.deepEqual(compare.redact.paths, ["$.b"]);
  assert.deepEqual(compare.rename, [
    { old: "$.old", new: "$.new" },
    { old: "$.x", new: "$.y" },
  ]);
  assert.equal(compare.noisePpm, 0);
  assert.equal(compare.samples, false);
});

test("each bad value is one placed error that says what to write", async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["status: 5", /^compare\.status is 5: write one of true, false, class, or a block such as/],
    ["status: { compare: clas }", /^compare\.status\.compare is clas: did you mean class\?/],
    ["status: { equal: [{ old: 99, new: 201 }] }", /equal\[0\]\.old is 99: write a status such as 200/],
    ["status: { equal: [{ old: 200 }] }", /equal\[0\]\.new is missing: write a status/],
    ["status: { equal: [{ old: 6xx, new: 200 }] }", /equal\[0\]\.old is 6xx: .*a class such as 4xx/],
    ["body: yaml", /^compare\.body is yaml: write one of auto, json, ndjson, form, xml/],
    ["headers: [content type]", /^compare\.headers\[0\] is content type: write a header's name/],
    ["ignore: $.a", /^compare\.ignore is \$\.a: write a list/],
    ["unordered: [tags]", /^compare\.unordered\[0\] is tags: a JSONPath begins with \$: write \$\.tags/],
    ['unordered: ["$.a["]', /^compare\.unordered\[0\] is \$\.a\[: this is no JSONPath/],
    ["tolerance: [$.a]", /^compare\.tolerance\[0\] is \$\.a: write a block of fields \(path, absolute/],
    ["tolerance: [{ path: $.a }]", /^compare\.tolerance\[0\] has neither absolute nor relative/],
    ["tolerance: [{ absolute: 1 }]", /^compare\.tolerance\[0\]\.path is missing/],
    ["tolerance: [{ path: $.a, absolute: -1 }]", /absolute is -1: write a number above 0/],
    ["tolerance: [{ path: $.a, absolute: 0 }]", /absolute is 0: write a number above 0/],
    ["tolerance: [{ path: $.a, absolute: .nan }]", /absolute is NaN: write a number above 0/],
    ["tolerance: [{ path: $.a, absolute: .inf }]", /absolute is Infinity: write a number above 0/],
    ["tolerance: [{ path: $.a, absolute: 1% }]", /absolute is 1%: .*a share goes into relative: 1%/],
    ["tolerance: [{ path: $.a, relative: 1 }]", /relative is 1: write 1%/],
    ["tolerance: [{ path: $.a, relative: 0.05 }]", /relative is 0\.05: write 5% \(or 0\.05%\)/],
    ["tolerance: [{ path: $.a, relative: 0% }]", /relative is 0%: it must be above 0%/],
    ["tolerance: [{ path: $.a, relative: 101% }]", /relative is 101%: it is at most 100%/],
    ["rename: [$.a]", /^compare\.rename is a list: write what old calls it and what new calls it/],
    ["rename: { a: $.b }", /^compare\.rename\.a: a JSONPath begins with \$: write \$\.a/],
    ["rename: { $.a: b }", /^compare\.rename\["\$\.a"\] is b: .*write \$\.b/],
    ["rename: { $.a: $.a }", /^compare\.rename\["\$\.a"\] is \$\.a: .*renamed to itself/],
    ["rename: { $..a: $.b }", /^compare\.rename\["\$\.\.a"\] is \$\.b: \$\.\.a has "\.\."/],
    ["rename: { '$.a[0]': $.b }", /does not end in a name/],
    ["rename: { '$.a[*].b': $.c }", /up to the last \[\*\] both are the same/],
    ["noise: 2", /^compare\.noise is 2: write 2%/],
    ["noise: 0.02", /^compare\.noise is 0\.02: write 2% \(or 0\.02%\): a share needs its unit/],
    ["noise: 0%", /^compare\.noise is 0%: it must be above 0%; to measure no noise write off/],
    ["noise: true", /^compare\.noise is true: write a share such as 2%, or off/],
    ["confirm: 2", /^compare\.confirm is 2: write 2s/],
    ["confirm: 1h", /^compare\.confirm is 1h: it is at most 5m/],
    ["redact: [email]", /^compare\.redact\[0\] is email: write a JSONPath such as \$\.email, header:NAME/],
    ["redact: [headr:x]", /^compare\.redact\[0\] is headr:x: did you mean header:x\?/],
    ["redact: ['cookie:sid']", /^compare\.redact\[0\] is cookie:sid: cookies are never kept/],
    ["redact: ['query:']", /^compare\.redact\[0\] is query:: write query: and a parameter's name/],
    ["redact: ['$[']", /^compare\.redact\[0\] is \$\[: this is no JSONPath/],
    [
      `redact: ["$[?match(@.a,'[')].b"]`,
      /^compare\.redact\[0\] is \$\[\?match\(@\.a,'\['\)\]\.b: match: \[ is no regular expression/,
    ],
    [
      `ignore: ["$.list[?search(@.a, '(a+)+$')]"]`,
      /^compare\.ignore\[0\] is .*: search: \(a\+\)\+ repeats what repeats itself, .*: write a\+$/,
    ],
    ["samples: true", /^compare\.samples is true: write one of on, off/],
    ["ignores: []", /^compare\.ignores is not a field here: did you mean ignore\?/],
  ];
  for (const [field, expected] of cases) {
    const mistakes = await routeMistakes(t, `shadow: 5%\ncompare:\n  ${field}`);
    assert.equal(mistakes.length, 1, `${field}\n${mistakes.join("\n")}`);
    assert.match(mistakes[0] ?? "", expected, field);
  }
});

test("a pattern is no field's name, neither to compare nor to redact", async (t) => {
  for (const [field, expected] of [
    [
      "headers: ['*']",
      /^compare\.headers\[0\] is \*: no field is called \*, .*: name each field, such as location$/,
    ],
    ["headers: [content-type, x-*]", /^compare\.headers\[1\] is x-\*: no field is called x-\*/],
    ["redact: ['header:*']", /^compare\.redact\[0\] is header:\*: no field is called \*/],
  ] as const) {
    const [mistake = "", ...others] = await routeMistakes(t, `shadow: 5%\ncompare: { ${field} }`);
    assert.match(mistake, expected);
    assert.deepEqual(others, []);
  }
});

test("two renames to one name are a mistake, however it is written and wherever the first one is", async (t) => {
  const why = "gets this name already, and two cannot have it: keep one of the two";
  for (const [field, expected] of [
    ["{ $.a: $.n, $.b: $.n }", `compare.rename["$.b"] is $.n: $.a ${why}`],
    [`{ $.a: "$.u.n", $.b: "$['u']['n']" }`, `compare.rename["$.b"] is $['u']['n']: $.a ${why}`],
    [
      `{ "$.u[*].a": "$.u[*].n", "$.u[*].b": "$.u[*].n" }`,
      `compare.rename["$.u[*].b"] is $.u[*].n: $.u[*].a ${why}`,
    ],
  ] as const)
    assert.deepEqual(await routeMistakes(t, `shadow: 5%\ncompare: { rename: ${field} }`), [expected]);
  const head = HEAD.replace("new: modern }", "new: modern, compare: { rename: { $.a: $.n } } }");
  assert.deepEqual(await routeMistakes(t, "shadow: 5%\ncompare: { rename: { $.b: $.n } }", head), [
    `compare.rename["$.b"] is $.n: $.a ${why}`,
  ]);
  assert.deepEqual((await compareOf(t, "{ rename: { $.a: $.b, $.b: $.a } }")).rename.length, 2);
});

test("lists and paths of any length are bounded", async (t) => {
  const many = Array.from({ length: 101 }, (_, index) => `$.a${index}`);
  const renames = many.map((path) => `${path}: ${path}b`).join(", ");
  const cases: readonly (readonly [string, RegExp])[] = [
    [`ignore: [${many}]`, /with 101 paths it is too long: write at most 100/],
    [`redact: [${many}]`, /with 101 entries it is too long/],
    [`tolerance: [${many.map((path) => `{ path: ${path}, absolute: 1 }`)}]`, /with 101 paths/],
    [`rename: { ${renames} }`, /with 101 names it is too long/],
    [`ignore: ["$.${"a".repeat(500)}"]`, /a JSONPath has at most 500 characters/],
  ];
  for (const [field, expected] of cases) {
    const mistakes = await routeMistakes(t, `shadow: 5%\ncompare:\n  ${field}`);
    assert.equal(mistakes.length, 1, mistakes.join("\n"));
    assert.match(mistakes[0] ?? "", expected);
  }
});

test("all mistakes of one compare are reported at once, and the sound rest is still checked", async (t) => {
  const mistakes = await routeMistakes(
    t,
    "shadow: 5%\nold: nope\ncompare: { noise: 2, tolerance: [{ path: $.a }], ignore: [x], rename: { $.a: $.a } }",
  );
  assert.equal(mistakes.length, 5, mistakes.join("\n"));
});

test("a described compare reads as the same compare", async (t) => {
  for (const compare of [FULL, "{ status: class }", "{ status: false, noise: 1%, confirm: 1500ms }", "off"]) {
    const ruleset = await rulesOf(
      t,
      `${HEAD}routes:\n  - name: r\n    shadow: 5%\n    guard: { mismatches: {} }\n    compare: ${compare.replaceAll("\n", "\n    ")}\n`,
    );
    const again = await rulesOf(t, stringify(describeRuleset(ruleset)));
    assert.deepEqual(again.routes, ruleset.routes);
  }
});

test("every allowance that can be written survives description and reading", () => {
  const digits = fc.tuple(fc.integer({ min: 0, max: 99 }), fc.stringMatching(/^[0-9]{1,12}$/));
  fc.assert(
    fc.property(digits, ([whole, fraction]) => {
      const parsed = parseRelative(`${whole}.${fraction}%`);
      if (!parsed.ok) return assert.match(parsed.why, /above 0%/);
      assert.ok(parsed.value > 0 && parsed.value <= 1);
      const again = parseRelative(formatRelative(parsed.value));
      assert.deepEqual(again, parsed);
    }),
  );
  assert.equal(formatRelative(0.07), "7%");
  assert.equal(formatRelative(1e-9), "0.0000001%");
  assert.equal(formatRelative(1), "100%");
});

test("a change of compare is told in the words of the rules", async (t) => {
  const changed = async (from: string, to: string) => {
    const rules = (compare: string) =>
      rulesOf(t, `${HEAD}routes:\n  - name: r\n    shadow: 5%\n    compare: ${compare}\n`);
    return diffRulesets(await rules(from), await rules(to));
  };
  assert.deepEqual(await changed("{}", '{ ignore: ["$.a"] }'), ["r: compare.ignore +$.a"]);
  assert.deepEqual(await changed("{}", "{ noise: 2% }"), ["r: compare.noise off → 2%"]);
  assert.deepEqual(await changed("{}", "{ confirm: 2s }"), ["r: compare.confirm off → 2s"]);
  assert.deepEqual(await changed("{}", "{ samples: off }"), ["r: compare.samples on → off"]);
  assert.deepEqual(await changed("{}", "{ status: class }"), ["r: compare.status true → class"]);
  assert.deepEqual(await changed("{}", "{ status: { equal: [{ old: 200, new: 201 }] } }"), [
    "r: compare.status true → { compare: exact, equal: [{ old: 200, new: 201 }] }",
  ]);
  assert.deepEqual(await changed("{}", "{ tolerance: [{ path: $.p, absolute: 0.5, relative: 1% }] }"), [
    "r: compare.tolerance +{ path: $.p, absolute: 0.5, relative: 1% }",
  ]);
  assert.deepEqual(await changed("{}", "{ rename: { $.a: $.b } }"), [
    'r: compare.rename["$.a"] (none) → $.b',
  ]);
  assert.deepEqual(await changed('{ redact: ["query:t"] }', '{ redact: ["$.e", "header:h"] }'), [
    "r: compare.redact +$.e +header:h −query:t",
  ]);
  assert.deepEqual(await changed("{}", "off"), ["r: compare on → off"]);
});

test("a regular expression that clients' texts could hold up for ever is a mistake, wherever it is", async (t) => {
  const mistakes = await routeMistakes(
    t,
    `canary:\n  share: 5%\n  always:\n    - { header: user-agent, matches: "(a+)+$" }`,
  );
  assert.equal(mistakes.length, 1, mistakes.join("\n"));
  assert.match(
    mistakes[0] ?? "",
    /matches is \(a\+\)\+\$: \(a\+\)\+ repeats what repeats itself, .*: write a\+$/,
  );
});
