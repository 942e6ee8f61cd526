import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTemplate } from "../../src/model/path.ts";
import type { KeySource } from "../../src/model/ruleset.ts";
import { shownPath, templateText } from "../../src/model/span.ts";

const BY_ID: readonly KeySource[] = [
  { kind: "header", name: "id" },
  { kind: "path", name: "id" },
];
const BY_USER: readonly KeySource[] = [{ kind: "header", name: "x-user" }, { kind: "ip" }];

test("a segment of the path that is a key is shown by its name", () => {
  const template = parseTemplate("/profiles/{id}/orders/{order}");
  assert.equal(shownPath("/profiles/acme/orders/7", template, BY_ID), "/profiles/{id}/orders/7");
  assert.equal(shownPath("/profiles/acme/orders/7", template, BY_USER), "/profiles/acme/orders/7");
  assert.equal(shownPath("/profiles/acme/orders/7", template, []), "/profiles/acme/orders/7");
  assert.equal(shownPath("/tail/acme/more", parseTemplate("/tail/{id}/**"), BY_ID), "/tail/{id}/more");
});

test("a path without a template, or shorter than it, is shown as it is", () => {
  assert.equal(shownPath("/x/acme", null, BY_ID), "/x/acme");
  assert.equal(shownPath("*", null, BY_ID), "*");
  assert.equal(shownPath("/a", parseTemplate("/a/b/{id}"), BY_ID), "/a");
});

test("a long path is cut", () => {
  const shown = shownPath(`/${"x".repeat(40_000)}`, null, []);
  assert.ok(shown.length <= 513);
  assert.ok(shown.endsWith("…"));
});

test("a template is written as the rules write it", () => {
  for (const text of ["/", "/a", "/a/", "/a/{id}", "/{a}/b/{c}/**", "/**", "/a/**"])
    assert.equal(templateText(parseTemplate(text)), text);
});

test("wherever a key is in the path, it is not in what is shown", () => {
  const segment = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 4 }), fc.array(segment, { maxLength: 4 }), (before, after) => {
      const key = "KEY-OF-SOMEBODY";
      const template = parseTemplate(`/${[...before, "{id}", ...after].join("/")}`);
      const path = `/${[...before, key, ...after].join("/")}`;
      assert.ok(!shownPath(path, template, BY_ID).includes(key));
      assert.ok(shownPath(path, template, []).includes(key));
    }),
  );
});
