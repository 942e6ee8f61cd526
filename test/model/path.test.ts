import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTemplate, pathParameter, splitPath } from "../../src/model/path.ts";

const segment = fc.stringMatching(/^[A-Za-z0-9._~%:@!$&'()*+,;=-]{0,6}$/);

test("a path falls into its segments without losing or changing a character", () => {
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1 }), (segments) => {
      const path = segments.map((text) => `/${text}`).join("");
      assert.deepEqual(splitPath(path), segments);
    }),
  );
});

test("the root has one empty segment, and a trailing slash adds one", () => {
  assert.deepEqual(splitPath("/"), [""]);
  assert.deepEqual(splitPath("/a/"), ["a", ""]);
  assert.deepEqual(splitPath("//a"), ["", "a"]);
  assert.deepEqual(splitPath(""), []);
});

test("a parameter is read raw at its own place", () => {
  const template = parseTemplate("/shops/{shop}/orders/{order}/**");
  const path = "/shops/a%2Fb/orders/../items//x";
  assert.equal(pathParameter(template, path, "shop"), "a%2Fb");
  assert.equal(pathParameter(template, path, "order"), "..");
  assert.equal(pathParameter(template, path, "other"), undefined);
  assert.equal(template.subtree, true);
});

test("a template without parameters is read segment by segment", () => {
  assert.deepEqual(parseTemplate("/a/b/").segments, ["a", "b", ""]);
  assert.deepEqual(parseTemplate("/**"), { segments: [], parameters: new Map(), subtree: true });
  assert.deepEqual(parseTemplate("/").segments, [""]);
});

test("names of parameters are never mixed up with what every object has", () => {
  const template = parseTemplate("/{constructor}/{__proto__}");
  assert.equal(pathParameter(template, "/a/b", "constructor"), "a");
  assert.equal(pathParameter(template, "/a/b", "__proto__"), "b");
  assert.equal(pathParameter(template, "/a/b", "toString"), undefined);
});
