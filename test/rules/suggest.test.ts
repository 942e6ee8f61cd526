import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest, suggestion } from "../../src/rules/suggest.ts";

test("the nearest name is meant, when it is near", () => {
  assert.equal(nearest("shadwo", ["share", "shadow", "split"]), "shadow");
  assert.equal(nearest("timeout", ["timeouts", "tls"]), "timeouts");
  assert.equal(nearest("Canary", ["canary"]), "canary");
  assert.equal(nearest("xyzzy", ["canary", "shadow"]), undefined);
});

test("without a near one the choices are listed", () => {
  assert.equal(suggestion("xyzzy", ["a-backend", "b-backend"]), "there is a-backend, b-backend");
  assert.equal(suggestion("xyzzy", []), "there is none yet");
});
