import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { rulesJsonSchema } from "../../src/rules/jsonschema.ts";
import { loadRules } from "../../src/rules/load.ts";
import { SECRET } from "./folder.ts";

const RULES = fileURLToPath(new URL("../../rules/", import.meta.url));

test("rules/rules.schema.json is what the definition says (else: npx cutover schema > rules/rules.schema.json)", () => {
  const kept = readFileSync(`${RULES}rules.schema.json`, "utf8");
  assert.equal(kept, `${JSON.stringify(rulesJsonSchema(), null, 2)}\n`);
});

test("the sample rules are valid, and nothing in them is out of reach", async () => {
  const result = await loadRules([RULES], { env: {}, keyFileSecret: SECRET });
  assert.ok(result.ok, result.ok ? "" : result.problems.map((problem) => problem.text).join("\n"));
  assert.deepEqual(result.warnings, []);
});
