import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { get, split, startRawBackend, talk, valuesOf } from "../support/raw.ts";

const SENT = [
  "X-Forwarded-For: 6.6.6.6, 198.51.100.7",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: www.example",
  "X-Forwarded-Port: 443",
  "X-Forwarded-Prefix: /secret",
  "Forwarded: for=198.51.100.7;proto=https",
  "Via: 1.1 edge",
];

const fieldsOf = (head: string) =>
  Object.fromEntries(
    ["for", "proto", "host", "port", "prefix"]
      .map((name) => `x-forwarded-${name}`)
      .concat("forwarded", "via")
      .map((name) => [name, valuesOf(head, name)]),
  );

test("nobody is believed who is not a trusted proxy", async () => {
  await using old = await startRawBackend();
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, old.url, "") });
  await talk(gateway.proxyUrl, get("/", SENT));
  assert.deepEqual(fieldsOf(old.heads[0] ?? ""), {
    "x-forwarded-for": ["127.0.0.1"],
    "x-forwarded-proto": ["http"],
    "x-forwarded-host": ["shop.example"],
    "x-forwarded-port": [],
    "x-forwarded-prefix": [],
    forwarded: [],
    via: ["1.1 edge", "1.1 cutover"],
  });
});

test("what a trusted proxy says is passed on with this hop appended, also after a reload", async () => {
  await using old = await startRawBackend();
  const rules = rulesFor(old.url, old.url, "");
  await using gateway = await TestGateway.start({ rules });
  await gateway.reloadWith(`limits: { trustedProxies: [127.0.0.0/8] }\n${rules}`);
  await talk(gateway.proxyUrl, get("/", SENT));
  assert.deepEqual(fieldsOf(old.heads[0] ?? ""), {
    "x-forwarded-for": ["6.6.6.6, 198.51.100.7, 127.0.0.1"],
    "x-forwarded-proto": ["https"],
    "x-forwarded-host": ["www.example"],
    "x-forwarded-port": ["443"],
    "x-forwarded-prefix": [],
    forwarded: ['for=198.51.100.7;proto=https, for=127.0.0.1;host="shop.example";proto=http'],
    via: ["1.1 edge", "1.1 cutover"],
  });
});

test("the key ip is the client's address behind a trusted proxy, and cannot be chosen by the client", async () => {
  await using old = await startRawBackend();
  await using fresh = await startRawBackend();
  const rules = rulesFor(old.url, fresh.url, "key: [ip]\nsplit: { new: [198.51.100.7] }");
  await using gateway = await TestGateway.start({ rules });
  const sideFor = async (chain: string) => {
    const answer = await talk(gateway.proxyUrl, get("/", [`X-Forwarded-For: ${chain}`]));
    return valuesOf(split(answer).head, "x-cutover-side").join();
  };
  assert.equal(await sideFor("198.51.100.7"), "old");
  await gateway.reloadWith(`limits: { trustedProxies: [127.0.0.1, 10.0.0.0/8] }\n${rules}`);
  assert.equal(await sideFor("198.51.100.7"), "new");
  assert.equal(await sideFor("198.51.100.7, 10.0.0.3"), "new");
  assert.equal(await sideFor("198.51.100.7, 203.0.113.5"), "old");
});
