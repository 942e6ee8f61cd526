import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";

import { checkPath, checkRename, parsePath, parseRename } from "../../src/model/jsonpath.ts";

describe("a JSONPath", () => {
  const good = [
    "$",
    "$.a",
    "$..etag",
    "$['a b'][0][-1]",
    "$.*",
    "$[*].x",
    "$[?@.a == 1]",
    "$[0,1]",
    "$[1:5:2]",
    "$.é",
  ];
  for (const path of good) test(`${path} is one`, () => assert.equal(checkPath(path), null));

  const bad: readonly (readonly [string, RegExp])[] = [
    ["updatedAt", /begins with \$: write \$\.updatedAt/],
    ["", /write \$\.updatedAt/],
    ["5", /write \$\['5'\]$/],
    ["created-at", /write \$\['created-at'\]$/],
    ["/items/name", /write \$\.items\.name$/],
    ["$.created-at", /no JSONPath \(RFC 9535\): write \$\['created-at'\]$/],
    ["$.items[*].unit-price", /write \$\.items\[\*\]\['unit-price'\]$/],
    ["$a.b", /write \$\.a\.b$/],
    ["$.", /it ends too early; examples/],
    ["$.a b", /"b" at character 5/],
    ["$[01]", /no JSONPath/],
    [`$.${"a".repeat(500)}`, /at most 500 characters/],
    ["$[99999999999999999999]", /an index of a JSONPath/],
    ["$[?size(@.a) > 1]", /size is no function.*length, count/],
    ["$[?length(@.a)]", /compare it with another/],
    ["$[?match(@.a, 'x') == true]", /compare it with nothing/],
    ["$[?match(@.a)]", /two arguments/],
    ["$[?to_string(@.a)]", /to_string is no function/],
    [
      "$[?match(@.a, '[')]",
      /^match: \[ is no regular expression \(Unterminated character class\): .* two backslashes .* \\\\\[$/,
    ],
    ["$.a[?@.b == 1 || !search(@.a, '+')].c", /^search: \+ is no regular expression \(Nothing to repeat\)/],
    ["$[?match(@.a, 5)]", /^match\(…, 5\): .*in quotes, as in match\(@\.name, 'a\.\*'\)$/],
    ["$[?search(@.a, '(a+)+$')]", /^search: \(a\+\)\+ repeats what repeats itself, .*: write a\+$/],
  ];
  for (const [path, why] of bad) {
    test(`${JSON.stringify(path).slice(0, 40)} is none, and says what to write`, () =>
      assert.match(checkPath(path) ?? "", why));
  }

  test("what is proposed is a JSONPath itself", () => {
    const parts = fc.array(
      fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("a-b", "x[*]", "ü", "__proto__")),
    );
    fc.assert(
      fc.property(
        parts,
        fc.constantFrom("", "$", "$.", "/"),
        fc.constantFrom(".", "/"),
        (names, start, between) => {
          const why = checkPath(start + names.join(between));
          const proposed = /: write (\$.*)$/su.exec(why ?? "")?.[1];
          for (const path of proposed?.split(", or ") ?? []) assert.equal(checkPath(path), null, path);
        },
      ),
    );
  });

  test("what the parser would take for ever over is refused at once", () => {
    assert.match(checkPath(`$[?${"f(".repeat(100)}@${")".repeat(100)}]`) ?? "", /at most 8 deep/);
  });

  test("is read into steps where it can be", () => {
    assert.deepEqual(parsePath("$.a[*]..['b c'][-1]"), {
      kind: "steps",
      steps: [
        { key: "a", descends: false },
        { key: null, descends: false },
        { key: "b c", descends: true },
        { key: -1, descends: false },
      ],
    });
    assert.deepEqual(parsePath("$[1,2]"), { kind: "query", text: "$[1,2]" });
    assert.throws(() => parsePath("a"), /begins with/);
  });

  test("three conditions in a row all have to hold", () => {
    const text = "$[?@.a && @.b && @.c || @['&&'] && match(@.x, 'a&&b') && @.y]";
    assert.deepEqual(parsePath(text), {
      kind: "query",
      text: "$[?@.a && ( @.b && @.c )|| @['&&'] && ( match(@.x, 'a&&b') && @.y)]",
    });
  });
});

describe("a rename", () => {
  const good = [
    ["$.fullName", "$.name"],
    ["$.users[*].fullName", "$.users[*].name"],
    ["$.a.b", "$.c"],
    ["$[*].a.b", "$[*].c.d"],
    ["$.list[0].a", "$.first"],
  ] as const;
  for (const [old, fresh] of good)
    test(`${old} can become ${fresh}`, () => assert.equal(checkRename(old, fresh), null));

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ["fullName", "$.name", /begins with \$/],
    ["$.a", "$.b[", /no JSONPath/],
    ["$.a", "$.a", /renamed to itself/],
    ["$['a']", "$.a", /renamed to itself/],
    ["$", "$.a", /does not end in a name/],
    ["$.a[*]", "$.b[*]", /does not end in a name/],
    ["$.a[0]", "$.b", /does not end in a name/],
    ["$..a", "$.b", /has "\.\."/],
    ["$[?@.x].a", "$.b", /is not one place/],
    ["$[-1].a", "$.b", /counts from the end/],
    ["$.u[*].a", "$.v[*].b", /up to the last \[\*\] both are the same/],
    ["$.u[*].a", "$.b", /up to the last \[\*\] both are the same/],
  ];
  for (const [old, fresh, why] of bad) {
    test(`${old} cannot become ${fresh}`, () => {
      assert.match(checkRename(old, fresh) ?? "", why);
      assert.throws(() => parseRename(old, fresh), why);
    });
  }
});
