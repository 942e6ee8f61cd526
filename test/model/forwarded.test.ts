import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addForwarded, originOf, plainAddress, trustIn } from "../../src/model/forwarded.ts";

const TRUSTS = trustIn(["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"]);

function sent(peer: string, headers: readonly string[], host = "shop.example"): Record<string, string> {
  const fields: string[] = [];
  addForwarded(fields, originOf(peer, headers, TRUSTS), host);
  const entries: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) entries.push([fields[i] as string, fields[i + 1] as string]);
  return Object.fromEntries(entries);
}

const ipOf = (peer: string, ...chain: string[]) =>
  originOf(
    peer,
    chain.flatMap((value) => ["X-Forwarded-For", value]),
    TRUSTS,
  ).ip;

test("a range holds its own addresses and no others; no range trusts nobody", () => {
  assert.deepEqual(
    ["10.255.0.1", "11.0.0.1", "fd12::1", "fe80::1", "192.0.2.1", "192.0.2.2", "", "nonsense"].map(TRUSTS),
    [true, false, true, false, true, false, false, false],
  );
  assert.equal(trustIn([])("127.0.0.1"), false);
});

test("what somebody else than a trusted proxy says is replaced by what the gateway sees", () => {
  const headers = [
    "X-Forwarded-For",
    "1.2.3.4",
    "X-Forwarded-Proto",
    "https",
    "X-Forwarded-Host",
    "evil.example",
    "X-Forwarded-Port",
    "443",
    "Forwarded",
    "for=1.2.3.4",
  ];
  assert.deepEqual(sent("203.0.113.9", headers), {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "shop.example",
  });
  assert.equal(originOf("203.0.113.9", headers, TRUSTS).ip, "203.0.113.9");
});

test("what a trusted proxy says is kept and appended to", () => {
  const headers = [
    "x-forwarded-for",
    "198.51.100.7",
    "X-Forwarded-For",
    "10.1.1.1",
    "x-forwarded-proto",
    "https",
    "x-forwarded-host",
    "www.example:8443",
    "x-forwarded-port",
    "8443",
    "forwarded",
    'for=198.51.100.7;proto=https, for="[2001:db8::1]:80"',
  ];
  assert.deepEqual(sent("10.0.0.2", headers), {
    "x-forwarded-for": "198.51.100.7, 10.1.1.1, 10.0.0.2",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "www.example:8443",
    "x-forwarded-port": "8443",
    forwarded:
      'for=198.51.100.7;proto=https, for="[2001:db8::1]:80", for=10.0.0.2;host="shop.example";proto=http',
  });
});

test("who asks is the first address from the right that is no trusted proxy", () => {
  assert.equal(ipOf("10.0.0.2", "6.6.6.6, 198.51.100.7, 10.1.1.1"), "198.51.100.7");
  assert.equal(ipOf("10.0.0.2", "6.6.6.6", "198.51.100.7:443", "10.1.1.1"), "198.51.100.7");
  assert.equal(ipOf("10.0.0.2", "[2001:db8::1]:443, ::ffff:10.1.1.1"), "2001:db8::1");
  assert.equal(ipOf("10.0.0.2", "10.1.1.1, 10.1.1.2"), "10.1.1.1");
  assert.equal(ipOf("10.0.0.2"), "10.0.0.2");
});

test("nothing to the left of a member that cannot be read is believed", () => {
  assert.equal(ipOf("10.0.0.2", "6.6.6.6, unknown, 10.1.1.1"), "10.1.1.1");
  assert.equal(ipOf("10.0.0.2", "6.6.6.6, <script>"), "10.0.0.2");
  assert.equal(
    sent("10.0.0.2", ["x-forwarded-for", "6.6.6.6, <script>"])["x-forwarded-for"],
    "6.6.6.6, 10.0.0.2",
  );
});

test("Forwarded tells who asks where there is no X-Forwarded-For", () => {
  const ip = (value: string) => originOf("10.0.0.2", ["Forwarded", value], TRUSTS).ip;
  assert.equal(ip('for=6.6.6.6, For="[2001:db8::1]:80";proto=https, for=10.1.1.1'), "2001:db8::1");
  assert.equal(ip("for=6.6.6.6, for=_hidden, for=10.1.1.1"), "10.1.1.1");
});

test("malformed and endless values of a trusted proxy are dropped", () => {
  for (const forwarded of ["for=1.1.1.1,,", "for", "for=1;for=2", 'for="x', "a b=c", "x".repeat(5000)]) {
    assert.equal(sent("10.0.0.2", ["forwarded", forwarded]).forwarded, undefined, forwarded);
  }
  const bad = [
    "x-forwarded-proto",
    "javascript",
    "x-forwarded-host",
    "a/b",
    "x-forwarded-port",
    "70000",
    "x-forwarded-for",
    "1.1.1.1,".repeat(1000),
  ];
  assert.deepEqual(sent("10.0.0.2", bad), {
    "x-forwarded-for": "10.0.0.2",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "shop.example",
  });
  const long = sent("10.0.0.2", ["x-forwarded-for", Array(200).fill("1.1.1.1").join(",")]);
  assert.equal(long["x-forwarded-for"]?.split(",").length, 33);
});

test("IPv4 is written in its own form", () => {
  assert.equal(plainAddress("::ffff:127.0.0.1"), "127.0.0.1");
  assert.equal(plainAddress("::1"), "::1");
});

test("whatever is sent, the chain ends with the peer, and no field breaks a line", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary-ascii" }),
    fc.constantFrom("1.1.1.1", "for=1.1.1.1", '"', "\\"),
  );
  const name = fc.constantFrom("x-forwarded-for", "forwarded", "x-forwarded-host", "x-forwarded-proto");
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.constantFrom("10.0.0.2", "9.9.9.9"), (pairs, peer) => {
      const fields = sent(peer, pairs.flat());
      assert.ok(fields["x-forwarded-for"]?.split(", ").at(-1) === peer);
      for (const text of Object.values(fields)) assert.ok(!/[\r\n\0]/.test(text));
    }),
  );
});
