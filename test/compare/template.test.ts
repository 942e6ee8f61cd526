import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import {
  isIdLike,
  MAX_TEMPLATE_CHARS,
  type Path,
  spellPlace,
  templateOf,
} from "../../src/compare/template.ts";
import type { Key } from "../../src/model/jsonpath.ts";
import { checkPath } from "../../src/model/jsonpath.ts";
import { diff, places } from "./trees.ts";

function pathOf(...keys: readonly Key[]): Path | null {
  let path: Path | null = null;
  for (const key of keys) path = { parent: path, key };
  return path;
}

describe("templates", () => {
  test("indexes and names that are ids fold, names of fields stay", () => {
    assert.equal(templateOf(pathOf("items", 3, "a b", "name")), "$.items[*]['a b'].name");
    assert.equal(templateOf(pathOf("users", "8f3e2a1b-1111-2222-3333-444455556666")), "$.users[*]");
    assert.equal(templateOf(null), "$");
  });

  const ids = [
    "0",
    "12345",
    "10.0.0.1",
    "8f3e2a1b-1111-4222-8333-444455556666",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "507f1f77bcf86cd799439011",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "usr_8f3e2a1b-1111-4222-8333-444455556666",
    "user:01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "obj_507f1f77bcf86cd799439011",
    "tok_aZ3kfPq9LmTr2Xy7",
    "order-2026-10004523",
    "ann@example.com",
    "2026-01-31",
    "2026-01",
    "2026-01-31T10:00:00Z",
    "2026-01-31T10:00:00.123+02:00",
    "31/01/2026",
    "x".repeat(65),
    "a\ud800",
  ];
  for (const id of ids) test(`${JSON.stringify(id).slice(0, 50)} is an id`, () => assert.ok(isIdLike(id)));

  const names = [
    "name",
    "createdAt",
    "created_at",
    "line_1",
    "line_2",
    "customfield_10010",
    "customfield_100101",
    "address1",
    "usr_8f3e2a1b",
    "cus_NffrFeUfNV2Hib",
    "order-100045",
    "sha256_of_the_content",
    "iso8601ExtendedTimestamp",
    "x-rate-limit-remaining-1h",
    "address2",
    "sha256",
    "md5_checksum",
    "utf8",
    "added2020",
    "oauth2_token",
    "x-request-id",
    "ipv4",
    "h264Profile",
    "deadbeef",
    "isB2BCustomer",
    "@type",
    "#text",
    "$ref",
    "two words",
    "a.b.c",
    "größe",
    "constructor",
    "__proto__",
    "",
  ];
  for (const name of names) test(`${JSON.stringify(name)} is a name`, () => assert.ok(!isIdLike(name)));

  test("the template of a difference, used as an ignore, hides it and its like", () => {
    const old = {
      users: { "8f3e2a1b8f3e": { tags: [{ "it's": 1 }] }, a1b2c3d4e5f6: { tags: [{ "it's": 2 }] } },
      n: 1,
    };
    const fresh = {
      users: { "8f3e2a1b8f3e": { tags: [{ "it's": 7 }] }, a1b2c3d4e5f6: { tags: [{ "it's": 8 }] } },
      n: 1,
    };
    const [first, second] = diff(old, fresh);
    assert.equal(first?.template, "$.users[*].tags[*]['it\\'s']");
    assert.equal(second?.template, first?.template);
    assert.deepEqual(places(old, fresh, { ignore: [first?.template ?? ""] }), []);
  });

  test("any place has a template that is a JSONPath within bounds, and covers it", () => {
    const key = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.nat({ max: 5 }),
      fc.constantFrom("id", "__proto__"),
    );
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 40 }), (keys) => {
        const template = templateOf(pathOf(...keys));
        assert.ok(template.length <= MAX_TEMPLATE_CHARS);
        assert.equal(checkPath(template), null, template);
        let old: unknown = 1;
        let fresh: unknown = 2;
        for (const at of keys.toReversed()) {
          const within = (value: unknown): unknown =>
            typeof at === "number"
              ? Array.from({ length: at + 1 }, () => value)
              : Object.fromEntries([[at, value]]);
          old = within(old);
          fresh = within(fresh);
          if (JSON.stringify(old).length > 20_000) return;
        }
        assert.deepEqual(places(old, fresh, { ignore: [template] }), []);
      }),
      { numRuns: 300 },
    );
  });

  test("a place is never megabytes, and one that is whole works as an ignore", () => {
    const name = "n".repeat(1_000_000);
    assert.ok(spellPlace(pathOf(name, name)).length <= 1000);
    assert.ok(spellPlace(pathOf(...Array.from({ length: 500 }, () => "quite long"))).length <= 1000);
  });
});
