import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** Programs of their own beside the gateway. */
const ELSEWHERE = /^src\/demo\//;

test("no thread of the gateway loads node:http by its facade, which costs it 14 MB", () => {
  const files = globSync("src/**/*.ts").filter((file) => !ELSEWHERE.test(file));
  assert.ok(files.length > 100);
  const loading = files.filter((file) =>
    /^import (?!type )[^;]*"node:http"/m.test(readFileSync(file, "utf8")),
  );
  assert.deepEqual(loading, [], "take it from src/node-http.ts");
});
