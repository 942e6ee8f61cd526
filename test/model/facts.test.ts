import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findCookie, findHeader, findQuery } from "../../src/model/facts.ts";
import { factsOf } from "./rules.ts";

test("the path is the target up to the first question mark, raw", () => {
  assert.equal(factsOf("/a%2Fb/../C?x=/y?z").path, "/a%2Fb/../C");
  assert.equal(factsOf("/a").path, "/a");
  assert.equal(factsOf("/?").path, "/");
});

const HOSTS: [field: string, host: string][] = [
  ["Example.COM", "example.com"],
  ["example.com:8080", "example.com"],
  ["[2001:DB8::1]:443", "[2001:db8::1]"],
  ["[::1]", "[::1]"],
  ["127.0.0.1:80", "127.0.0.1"],
];

for (const [field, host] of HOSTS) {
  test(`the host of ${field} is ${host}`, () => assert.equal(factsOf("/", ["HOST", field]).host, host));
}

test("without a Host there is none", () => assert.equal(factsOf("/").host, ""));

test("the first of several headers of a name counts, its name in any case, its value as it is", () => {
  const headers = ["X-User", "Anna ", "x-user", "ben", "X-Us", "c"];
  assert.equal(findHeader(headers, "x-user"), "Anna ");
  assert.equal(findHeader(headers, "x-use"), undefined);
  assert.equal(findHeader(["x-empty", ""], "x-empty"), "");
});

test("a value is never taken for a name", () => {
  assert.equal(findHeader(["a", "x-user", "x-user", "b"], "x-user"), "b");
  assert.equal(findCookie(["a", "cookie", "b", "uid=1"], "uid"), undefined);
});

const COOKIES: [fields: string[], uid: string | undefined][] = [
  [["Cookie", "uid=7"], "7"],
  [["Cookie", "a=b; uid=7; uid=8"], "7"],
  [["Cookie", "a=b", "cookie", "uid=9"], "9"],
  [["COOKIE", 'uid="quoted"'], "quoted"],
  [["Cookie", 'uid="'], '"'],
  [["Cookie", 'uid=""'], ""],
  [["Cookie", "uid=a=b=="], "a=b=="],
  [["Cookie", "a=b;uid=7"], "7"],
  [["Cookie", "  uid = 7  ;x"], "7"],
  [["Cookie", "xuid=7; uidx=8"], undefined],
  [["Cookie", "uid"], undefined],
  [["Cookie", "UID=7"], undefined],
  [["Cookie", "uid=%41"], "%41"],
  [["Set-Cookie", "uid=7"], undefined],
  [["Cookie", ""], undefined],
  [[], undefined],
];

for (const [fields, uid] of COOKIES) {
  test(`the cookie uid of ${JSON.stringify(fields)} is ${JSON.stringify(uid)}`, () => {
    assert.equal(findCookie(fields, "uid"), uid);
  });
}

const QUERIES: [target: string, user: string | undefined][] = [
  ["/?user=anna", "anna"],
  ["/?a=1&user=anna&user=ben", "anna"],
  ["/?user=", ""],
  ["/?user", ""],
  ["/?user=a%20b+c", "a b c"],
  ["/?us%65r=anna", "anna"],
  ["/?user=%zz", "%zz"],
  ["/?user=a=b", "a=b"],
  ["/?user=a?b", "a?b"],
  ["/?&&user=anna", "anna"],
  ["/?USER=anna", undefined],
  ["/user=anna", undefined],
  ["/?xuser=anna", undefined],
  ["/", undefined],
  ["/?", undefined],
];

for (const [target, user] of QUERIES) {
  test(`the parameter user of ${target} is ${JSON.stringify(user)}`, () => {
    assert.equal(findQuery(target, "user"), user);
  });
}

test("parameters are read as the URL standard reads them, wherever it can decode them", () => {
  const word = fc.string({ maxLength: 6 });
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word), { maxLength: 5 }), word, (pairs, asked) => {
      const query = new URLSearchParams(pairs).toString();
      const expected = new URLSearchParams(query).get(asked) ?? undefined;
      // The standard drops empty pairs; a name that is empty is asked of nobody.
      if (asked !== "") assert.equal(findQuery(`/p?${query}`, asked), expected);
    }),
  );
});

test("nothing that a client sends makes reading it throw", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (target, field, name) => {
      const facts = factsOf(`/${target}`, ["Host", field, "Cookie", field]);
      findCookie(facts.rawHeaders, name);
      findQuery(facts.target, name);
      assert.ok(facts.target.startsWith(facts.path));
    }),
  );
});
