import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr } from "../../src/rules/cidr.ts";
import { HEAD, routeOf, rulesOf } from "./folder.ts";

test("every limit can be written, and a route has its own for bodies", async (t) => {
  const limits =
    "limits: { body: 2MiB, bodyStallTimeout: 3s, trustedProxies: [10.0.0.0/8, 127.0.0.1, 'fd00::/8'] }\n";
  const ruleset = await rulesOf(t, `${HEAD}${limits}`);
  assert.equal(ruleset.limits.maxBodyBytes, 2 * 2 ** 20);
  assert.equal(ruleset.limits.bodyStallTimeoutMs, 3000);
  assert.deepEqual(ruleset.limits.trustedProxies, ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]);
  assert.equal((await routeOf(t, "limits: { body: 64KiB }")).maxBodyBytes, 65_536);
  assert.equal((await routeOf(t, "limits: { body: 0B }")).maxBodyBytes, 0);
});

test("a range that is none is taught", () => {
  const why = (text: string) => {
    const parsed = parseCidr(text);
    return parsed.ok ? parsed.value : parsed.why;
  };
  const write = "write an address or a range of them, such as 10.0.0.0/8 or fd00::/8";
  assert.equal(why("10.0.0.0/33"), "after the / is a number of bits from 0 to 32");
  assert.equal(why("fd00::/200"), "after the / is a number of bits from 0 to 128");
  for (const text of ["", "proxy.internal", "10.0.0/8", "fe80::1%eth0", "1.1.1.1/8/8"]) {
    assert.equal(why(text), write, text);
  }
  assert.equal(why("::1"), "::1/128");
});
