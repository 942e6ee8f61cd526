import assert from "node:assert/strict";
import { test } from "node:test";
import { orphanNotes } from "../../src/gateway/orphans.ts";
import { routeOf } from "../model/rules.ts";

const rules = (...names: string[]) => ({ routes: names.map((name) => routeOf({ name })) });

test("a rollback whose route is gone from the rules is told once, not at every reload", () => {
  const orphans = orphanNotes();
  assert.deepEqual(orphans(["users"], rules("users", "orders")), []);
  const [told, ...more] = orphans(["users"], rules("orders"));
  assert.match(
    told ?? "",
    /^users is rolled back but is not in the rules: .*`cutover reset users --reason …`/,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(orphans(["users"], rules("orders")), []);
  assert.equal(orphans(["users", "carts"], rules("orders")).length, 1, "another one is");
});

test("one that was reset or came back in between is told again when it goes again", () => {
  const orphans = orphanNotes();
  assert.equal(orphans(["users"], rules()).length, 1);
  assert.deepEqual(orphans(["users"], rules("users")), []);
  assert.equal(orphans(["users"], rules()).length, 1);
  assert.deepEqual(orphans([], rules()), []);
  assert.equal(orphans(["users"], rules()).length, 1);
});
