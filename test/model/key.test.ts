import assert from "node:assert/strict";
import { test } from "node:test";
import { ASSIGNED_KEY_COOKIE, describeKeySource, identify } from "../../src/model/key.ts";
import { parseTemplate } from "../../src/model/path.ts";
import type { KeySource } from "../../src/model/ruleset.ts";
import { factsOf } from "./rules.ts";

const FRESH = "fresh-0123456789abcdef";
const ALL: readonly KeySource[] = [
  { kind: "header", name: "x-tenant-id" },
  { kind: "cookie", name: "uid" },
  { kind: "query", name: "user" },
  { kind: "path", name: "id" },
  { kind: "ip" },
];
const TEMPLATE = parseTemplate("/profiles/{id}");

function who(sources: readonly KeySource[], target: string, headers: readonly string[] = []) {
  const template = target.startsWith("/profiles/") ? TEMPLATE : null;
  return identify(sources, factsOf(target, headers), template, () => FRESH);
}

test("each source is asked in the list's order, and the first that is present says who it is", () => {
  const headers = ["X-Tenant-Id", "acme", "Cookie", "uid=u7"];
  const full = "/profiles/p9?user=anna";
  const by = (from: number, given: string[]) => {
    const found = who(ALL.slice(from), full, given);
    return [found?.source, found?.key];
  };
  assert.deepEqual(by(0, headers), ["header:x-tenant-id", "acme"]);
  assert.deepEqual(by(0, headers.slice(2)), ["cookie:uid", "u7"]);
  assert.deepEqual(by(1, headers), ["cookie:uid", "u7"]);
  assert.deepEqual(by(0, []), ["query:user", "anna"]);
  assert.deepEqual(by(3, headers), ["path:id", "p9"]);
  assert.deepEqual(by(4, headers), ["ip", "192.0.2.7"]);
});

test("an empty value names nobody: the next source is asked", () => {
  const found = who(ALL, "/profiles/p9?user=", ["X-Tenant-Id", "", "Cookie", 'uid=""']);
  assert.deepEqual([found?.source, found?.key], ["path:id", "p9"]);
});

test("no source present: nobody", () => {
  assert.equal(who(ALL.slice(0, 4), "/"), null);
  assert.equal(who([], "/?user=anna"), null);
});

test("keys are raw: other letters, spaces and escapes of a header or path are other keys", () => {
  assert.equal(who(ALL, "/", ["x-tenant-id", "Acme"])?.key, "Acme");
  assert.equal(who(ALL, "/profiles/a%62")?.key, "a%62");
});

test("a key written in UTF-8 is the one in the rules, and one in latin1 is taken as it stands", () => {
  const onTheWire = (key: string) => Buffer.from(key).toString("latin1");
  assert.equal(who(ALL, "/", ["x-tenant-id", onTheWire("müller 😀")])?.key, "müller 😀");
  assert.equal(who(ALL, "/", ["Cookie", `uid=${onTheWire("žofie")}`])?.key, "žofie");
  assert.equal(who(ALL, "/", ["x-tenant-id", "m\u00fcller"])?.key, "müller");
});

const ASSIGN: readonly KeySource[] = [{ kind: "header", name: "x-tenant-id" }, { kind: "assign" }];
const cookie = (value: string) => ["Cookie", `${ASSIGNED_KEY_COOKIE}=${value}`];

test("an anonymous client is assigned a fresh key, and the answer is told to set it", () => {
  assert.deepEqual(who(ASSIGN, "/"), { key: FRESH, source: "assign", assigned: true });
});

test("an assigned key that comes back is the key, and is not set again", () => {
  const found = who(ASSIGN, "/", cookie(FRESH));
  assert.deepEqual(found, { key: FRESH, source: "assign", assigned: false });
});

test("a source before assign makes an assigned cookie superfluous", () => {
  const found = who(ASSIGN, "/", ["x-tenant-id", "acme", ...cookie(FRESH)]);
  assert.deepEqual(found, { key: "acme", source: "header:x-tenant-id", assigned: false });
});

for (const forged of [
  "",
  "short",
  "x".repeat(65),
  "has space 0123456789",
  "semi,colon,0123456789",
  "ä".repeat(20),
]) {
  test(`an assigned cookie of ${JSON.stringify(forged)} is not ours: a fresh key is made`, () => {
    assert.deepEqual(who(ASSIGN, "/", cookie(forged)), { key: FRESH, source: "assign", assigned: true });
  });
}

for (const sound of ["x".repeat(16), "x".repeat(64), "Az_09-Az_09-Az_09-"]) {
  test(`an assigned cookie of ${sound.length} characters is believed`, () => {
    assert.equal(who(ASSIGN, "/", cookie(sound))?.key, sound);
  });
}

test("a source is described as it is written in the rules", () => {
  assert.deepEqual([...ALL, { kind: "assign" } as const].map(describeKeySource), [
    "header:x-tenant-id",
    "cookie:uid",
    "query:user",
    "path:id",
    "ip",
    "assign",
  ]);
});
