import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutPlace } from "../../src/gateway/retro.ts";
import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";

test("leaving out a place is what the rules would say to ignore it", () => {
  const compare = { ...DEFAULT_COMPARE, headers: ["content-type", "x-a"] };
  assert.equal(withoutPlace(compare, "status").status, null);
  assert.equal(withoutPlace(compare, "body").body, "off");
  assert.deepEqual(withoutPlace(compare, "header:X-A").headers, ["content-type"]);
  assert.deepEqual(withoutPlace(compare, "$.items[*].at").ignore, ["$.items[*].at"]);
});

test("a place that no rule can name leaves everything as it is", () => {
  for (const place of ["line[*]", "$.cut['off", "", "header:"])
    assert.deepEqual(withoutPlace(DEFAULT_COMPARE, place), DEFAULT_COMPARE, place);
});
