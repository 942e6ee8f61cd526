import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { compileCompare } from "../../src/compare/compare.ts";
import { samplePair } from "../../src/compare/sample.ts";
import { diffTrees, redactTree } from "../../src/compare/tree.ts";
import { compileTreeRules } from "../../src/compare/tree-rules.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { answer, compared, pairOf } from "./pairs.ts";
import { diff, places, redacted, redacting, treeOf } from "./trees.ts";

const SECRET = "ann@secret.example";
const OTHER = "bob@secret.example";

function isSafe(old: unknown, fresh: unknown, compare: Parameters<typeof diff>[2]): string[] {
  const differences = diff(old, fresh, compare);
  assert.ok(!/secret/.test(JSON.stringify(differences)), JSON.stringify(differences));
  return differences.map(({ place, kind }) => `${place} ${kind}`);
}

describe("redact", () => {
  test("a redacted value differs without being shown, and its relation has no name", () => {
    const [difference] = diff({ email: SECRET }, { email: `x${SECRET}` }, redacting("$.email"));
    assert.deepEqual(difference, {
      place: "$.email",
      template: "$.email",
      kind: "value",
      old: '"[redacted]"',
      new: '"[redacted]"',
      relation: null,
    });
    assert.deepEqual(places({ email: SECRET }, { email: SECRET, a: 1 }, redacting("$.email")), ["$.a added"]);
  });

  test("missing, added, of another type; at the root", () => {
    assert.deepEqual(isSafe({ email: SECRET }, {}, redacting("$.email")), ["$.email missing"]);
    assert.deepEqual(isSafe({}, { email: SECRET }, redacting("$..email")), ["$.email added"]);
    assert.deepEqual(isSafe({ email: SECRET }, { email: [SECRET] }, redacting("$.email")), ["$.email type"]);
    assert.deepEqual(isSafe([SECRET], [OTHER], redacting("$")), ["$ value"]);
    assert.equal(redacted([SECRET], redacting("$")), '"[redacted]"');
  });

  test("where something around it is shown", () => {
    const old = { user: { name: "x", mail: [{ email: SECRET }] }, gone: [[SECRET]] };
    assert.deepEqual(isSafe(old, {}, redacting("$..email", "$.gone[0][0]")), [
      "$.user missing",
      "$.gone missing",
    ]);
    const list = [{ email: SECRET, id: 1 }, { email: OTHER, id: 2 }, 7];
    assert.deepEqual(isSafe(list, list.toReversed(), redacting("$[*].email")), ["$ order"]);
  });

  test("where something in it differs, whose name may be as secret", () => {
    const old = { users: { [SECRET]: { age: 1 } } };
    assert.deepEqual(isSafe(old, { users: { [SECRET]: { age: 2 } } }, redacting("$.users")), [
      "$.users value",
    ]);
    assert.deepEqual(isSafe(old, { users: { [OTHER]: { age: 1 } } }, redacting("$.users")), [
      "$.users value",
    ]);
  });

  test("ignored items do not move it to another one", () => {
    const rules = { ...redacting("$[1]", "$[?@.s].v"), ignore: ["$[0]"] };
    assert.deepEqual(isSafe([0, SECRET, 1], [0, OTHER, 2], rules), ["$[1] value", "$[2] value"]);
    assert.deepEqual(isSafe({ l: [0, SECRET, "a"] }, {}, { ...redacting("$.l[1]"), ignore: ["$.l[0]"] }), [
      "$.l missing",
    ]);
    assert.deepEqual(isSafe([0, 1, { s: 1, v: SECRET }], [0, 1, { s: 1, v: OTHER }], rules), [
      "$[2].v value",
    ]);
  });

  test("by old's name and by new's, for the member itself, what is in it, and what it is in", () => {
    const rename = [{ old: "$.person.mail", new: "$.email" }];
    for (const path of ["$.person.mail", "$.email", "$..mail", "$..email", "$.person", "$['email']"]) {
      const rules = { ...redacting(path), rename };
      const old = { person: { mail: SECRET } };
      assert.deepEqual(isSafe(old, { email: OTHER }, rules), ["$.email value"], path);
      assert.deepEqual(isSafe({}, { email: OTHER }, rules), ["$.email added"], path);
      assert.deepEqual(isSafe(old, {}, rules), ["$.email missing"], path);
      assert.ok(!redacted(old, rules).includes("secret"), path);
      assert.ok(!redacted({ email: OTHER }, rules).includes("secret"), path);
    }
    for (const path of ["$.person.mail.work", "$.email.work", "$.email[*]", "$..work"]) {
      const rules = { ...redacting(path), rename };
      const old = { person: { mail: { work: SECRET } } };
      assert.deepEqual(isSafe(old, { email: { work: OTHER } }, rules), ["$.email.work value"], path);
      assert.deepEqual(isSafe(old, { email: 1 }, rules), ["$.email type"], path);
      assert.ok(!redacted(old, rules).includes("secret"), path);
      assert.ok(!redacted({ email: { work: OTHER } }, rules).includes("secret"), path);
    }
  });

  test("a text or number where an object was to hold it is never shown", () => {
    const cases: readonly (readonly [path: string, body: string])[] = [
      ["$.u.e", '{"u":V}'],
      ["$.u.e", "V"],
      ["$.u[0].e", '{"u":V}'],
      ["$.u[0].e", '{"u":[V]}'],
      ["$.u[-1].e", '{"u":[1,V]}'],
      ["$.u[*].e", '{"u":V}'],
      ["$.u[*].e", '{"u":[V,{"e":1}]}'],
      ["$.u.*.e.f", '{"u":{"x":{"e":V}}}'],
      ["$..u.e", '{"list":[{"u":V}]}'],
    ];
    for (const [path, body] of cases) {
      const rules = redacting(path);
      const other = body.replace("V", `"${OTHER}"`);
      for (const value of [`"${SECRET}"`, "4111111111111111", "411111111111111100001"]) {
        const text = body.replace("V", value);
        const told = [diff(text, other, rules), diff(other, text, rules), diff({ was: 1 }, text, rules)];
        const all = JSON.stringify([told, redacted(text, rules)]);
        assert.ok(!/secret|4111/.test(all), `${path} ${all}`);
        assert.ok(told.every(({ length }) => length > 0));
      }
    }
    assert.deepEqual(diff({ u: SECRET }, { u: OTHER }, redacting("$.u.e")), [
      {
        place: "$.u",
        template: "$.u",
        kind: "value",
        old: '"[redacted]"',
        new: '"[redacted]"',
        relation: null,
      },
    ]);
  });

  test("what holds nothing to hide is shown, as is what is beside the way", () => {
    const rules = redacting("$.u.e", "$..e", "$..*.e", "$.v..e");
    const [nothing] = diff({ u: { e: SECRET } }, { u: null }, rules);
    assert.deepEqual([nothing?.kind, nothing?.new], ["type", "null"]);
    assert.equal(
      redacted({ u: null, a: "shown", list: [1, { b: 2 }] }, rules),
      '{"u":null,"a":"shown","list":[1,{"b":2}]}',
    );
  });

  test("unordered items and repeated names", () => {
    const rules = { ...redacting("$[*].email", "$.email"), unordered: ["$"] };
    const old = [
      { id: 1, email: SECRET },
      { id: 2, email: OTHER },
    ];
    assert.deepEqual(
      isSafe(
        old,
        [
          { id: 2, email: SECRET },
          { id: 1, email: SECRET },
        ],
        rules,
      ),
      ["$[1].email value"],
    );
    assert.deepEqual(isSafe(`{"email":"${SECRET}","email":1}`, '{"email":1}', rules), ["$.email type"]);
    assert.equal(redacted(`{"email":"${SECRET}","email":1}`, rules), '{"email":"[redacted]"}');
  });

  test("a sample keeps all digits and all names, also after the comparison", () => {
    const rules = compileTreeRules({
      ...DEFAULT_COMPARE,
      ...redacting("$.email"),
      ignore: ["$.n", "$.list[0]"],
    });
    const text = `{"n":12345678901234567890,"email":"${SECRET}","list":[1.50,2],"__proto__":{"a":1},"x":1}`;
    const tree = treeOf(text);
    diffTrees(tree, treeOf('{"x":2}'), rules);
    assert.equal(
      JSON.stringify(redactTree(tree, rules)),
      '{"n":12345678901234567890,"email":"[redacted]","list":[1.5,2],"__proto__":{"a":1},"x":1}',
    );
  });

  test("wherever it is put and whatever else is there, it is never shown", () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const member = fc.tuple(fc.string({ maxLength: 6 }), json);
    fc.assert(
      fc.property(
        json,
        json,
        fc.array(member, { maxLength: 4 }),
        fc.boolean(),
        (left, right, members, isList) => {
          const around = (value: unknown, secret: string): unknown => {
            const inner = { ...Object.fromEntries(members), "the mail": { secret }, value };
            return isList ? [value, inner] : { value, inner };
          };
          const rules = { ...redacting("$..['the mail']"), unordered: ["$"], ignore: ["$..skip"] };
          isSafe(around(left, SECRET), around(right, OTHER), rules);
          isSafe(around(left, SECRET), [right], { ...rules, unordered: [] });
          assert.ok(!redacted(around(left, SECRET), rules).includes(SECRET));
        },
      ),
    );
  });
});

describe("what cannot be read as data", () => {
  const CASES: readonly (readonly [type: string, redact: string, old: string, fresh: string])[] = [
    ["application/xml", "$.u['@mail']", `<u mail="${SECRET}"/>`, `<u mail=${OTHER}></u>`],
    ["application/xml", "$.u.mail", `<u><mail>${SECRET}</mail></u>`, `<u>a & ${OTHER}</u>`],
    [
      "application/xml",
      "$.u",
      `<!DOCTYPE u [<!ENTITY m "${SECRET}">]><u>&m;</u>`,
      `<!DOCTYPE u [<!ENTITY m "${OTHER}">]><u>&m;</u>`,
    ],
    ["application/x-ndjson", "$[*].mail", `{"mail":1}\n{"mail":"${SECRET}"\n`, `{"mail":1}\n${OTHER}\n`],
    ["text/event-stream", "$[*].data.mail", `data: {"mail":"${SECRET}"}\n\n`, `data: {"mail":"${OTHER}"\n\n`],
    ["text/event-stream", "$[*].data.mail", `data: mail ${SECRET}\n\n`, `data: mail ${OTHER}\n\n`],
  ];
  for (const [type, path, old, fresh] of CASES) {
    test(`of ${type} is hidden where ${path} is redacted: ${fresh.replace(OTHER, "…").trim()}`, () => {
      const pair = pairOf(answer(old, { type }), answer(fresh, { type }), redacting(path));
      const comparison = compared(pair);
      assert.equal(comparison.kind, "mismatch");
      const kept = JSON.stringify([comparison, samplePair(pair, compileCompare(pair.compare))]);
      assert.ok(!/secret/.test(kept), kept);
    });
  }

  test("the order of elements, which is none of their values, is told with redacted texts too", () => {
    const type = "application/xml";
    const rules = redacting("$.u[*][*]['#text']");
    const pair = pairOf(
      answer(`<u><a>${SECRET}</a><b>1</b></u>`, { type }),
      answer(`<u><b>1</b><a>${SECRET}</a></u>`, { type }),
      rules,
    );
    const comparison = compared(pair);
    assert.ok(comparison.kind === "mismatch");
    assert.deepEqual(
      comparison.differences.map(({ kind, old, new: fresh }) => [kind, old, fresh]),
      [["order", '"a b"', '"b a"']],
    );
  });

  test("is shown where nothing is redacted", () => {
    const type = "text/event-stream";
    const comparison = compared(pairOf(answer("data: a\n\n", { type }), answer("data: b\n\n", { type })));
    assert.match(JSON.stringify(comparison), /"old":"\\"a\\""/);
  });
});
