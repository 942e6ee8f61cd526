import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { DEFAULT_UPGRADE } from "../../src/model/upgrade.ts";
import { describeRuleset } from "../../src/rules/describe.ts";
import { diffRulesets } from "../../src/rules/diff.ts";
import { HEAD, loadText, rulesOf } from "./folder.ts";

const route = (fields: string): string => `${HEAD}routes: [{ name: r${fields} }]\n`;

test("WebSocket is passed on unless a route says off, and each setting may be given alone", async (t) => {
  const settings = async (fields: string) => (await rulesOf(t, route(fields))).routes[0]?.upgrade;
  assert.deepEqual(await settings(""), DEFAULT_UPGRADE);
  assert.equal(await settings(", upgrade: off"), null);
  assert.deepEqual(await settings(", upgrade: { idle: 5m, onRollback: keep }"), {
    ...DEFAULT_UPGRADE,
    idleMs: 300_000,
    onRollback: "keep",
  });
});

test("the description of upgrades, read as rules, gives the same", async (t) => {
  for (const fields of [", upgrade: off", ', upgrade: { protocols: [tcp, "SPDY/3.1"], max: 2h }']) {
    const ruleset = await rulesOf(t, route(fields));
    assert.deepEqual(diffRulesets(ruleset, await rulesOf(t, stringify(describeRuleset(ruleset)))), []);
  }
});

test("h2c and other protocols that carry requests past the rules are errors that say so", async (t) => {
  for (const protocol of ["h2c", "HTTP/2.0", "TLS/1.2"]) {
    const loaded = await loadText(t, route(`, upgrade: { protocols: ["${protocol}"] }`));
    assert.match(JSON.stringify(loaded), /is never passed on: requests inside it would go past these rules/);
  }
  const loaded = await loadText(t, route(', upgrade: { protocols: ["web socket"] }'));
  assert.match(JSON.stringify(loaded), /write a protocol as the Upgrade field names it, such as websocket/);
});
