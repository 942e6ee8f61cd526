import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Child } from "../../bench/peers/child.ts";
import type { Found, Round, Row } from "../../bench/peers/measured.ts";
import { ratioOf } from "../../bench/peers/pairs.ts";
import type { PeerKind } from "../../bench/peers/peer.ts";
import { freePort, reachable } from "../../bench/peers/ports.ts";
import { resultsMarkdown } from "../../bench/peers/results.ts";
import { SCENARIOS } from "../../bench/peers/scenarios.ts";
import { judge } from "../../bench/peers/targets.ts";
import { startWitness } from "../../bench/peers/witness.ts";
import { listed } from "../../bench/support/cores.ts";

function roundOf(changes: Partial<Round>): Round {
  return {
    cpuUs: 40,
    perSecond: 10_000,
    busy: 0.9,
    failures: 0,
    requests: 10_000,
    toNew: 0,
    toOld: 10_000,
    connections: 32,
    paced: null,
    ...changes,
  };
}

function rowOf(name: string, kind: PeerKind, cpuUs: readonly number[], changes: Partial<Round> = {}): Row {
  const rounds = cpuUs.map((us) => roundOf({ cpuUs: us, ...changes }));
  return { name, kind, remark: null, rounds, peakMiB: 100, report: null };
}

function foundOf(scenarioName: string, rows: readonly Row[]): Found {
  const scenario = SCENARIOS.find(({ name }) => name === scenarioName);
  assert.ok(scenario);
  return { scenario, rows, lacks: [], failures: [] };
}

const verdictOf = (found: Found, target: RegExp) =>
  judge([found], null).find((judged) => target.test(judged.target));

test("a ratio is taken round by round, so that a neighbour who slows both down changes nothing", () => {
  const ours = [40, 80, 400].map((cpuUs) => roundOf({ cpuUs }));
  const theirs = [50, 100, 500].map((cpuUs) => roundOf({ cpuUs }));
  const ratio = ratioOf(ours, theirs, ({ cpuUs }) => cpuUs);
  assert.deepEqual(ratio, { median: 0.8, least: 0.8, most: 0.8, ofLeast: 0.8, rounds: 3 });
});

test("rounds that only one of the two has are no pair", () => {
  const ratio = ratioOf([roundOf({}), roundOf({})], [roundOf({})], ({ cpuUs }) => cpuUs);
  assert.equal(ratio?.rounds, 1);
  assert.equal(
    ratioOf([roundOf({})], [roundOf({})], ({ paced }) => paced?.p99Ms ?? null),
    null,
  );
});

test("a target is kept or missed by the median, and says so where single rounds lie on both sides", () => {
  const envoy = rowOf("envoy", "native", [50, 50, 50]);
  const kept = verdictOf(
    foundOf("plain", [rowOf("gateway", "gateway", [44, 44, 50]), envoy]),
    /^plain.*Envoy/,
  );
  assert.equal(kept?.verdict, "kept");
  assert.match(kept.found, /^0\.88 \(0\.88 to 1\.00 in 3 rounds.*both sides/);
  const missed = verdictOf(
    foundOf("plain", [rowOf("gateway", "gateway", [46, 46, 46]), envoy]),
    /^plain.*Envoy/,
  );
  assert.equal(missed?.verdict, "missed");
  assert.doesNotMatch(missed.found, /both sides/);
});

test("every Node and Go peer is judged by itself", () => {
  const rows = [
    rowOf("gateway", "gateway", [50]),
    rowOf("traefik", "go", [60]),
    rowOf("http-proxy", "node", [90]),
  ];
  const verdicts = judge([foundOf("plain", rows)], null).filter(({ target }) =>
    target.includes("1.3 of ours"),
  );
  assert.deepEqual(
    verdicts.map(({ target, verdict }) => [target.split(" ")[3], verdict]),
    [
      ["traefik", "missed"],
      ["http-proxy", "kept"],
    ],
  );
});

test("what did not take part is not measured, never kept", () => {
  const judged = judge([], null);
  assert.ok(judged.length >= 11);
  assert.deepEqual([...new Set(judged.map(({ verdict }) => verdict))], ["not measured"]);
});

test("throughput of two threads is not judged where they shared a core", () => {
  const threads = { one: [roundOf({})], two: [roundOf({})], plainMiB: 150, shadowMiB: 195, hadCores: false };
  const judged = judge([], threads);
  assert.equal(judged.at(-1)?.verdict, "not measured");
  assert.equal(judged.at(-2)?.verdict, "missed", "195 MiB are more than 200 MB");
});

test("a proxy whose copies did not all arrive is marked as not comparable", () => {
  const shed = rowOf("gateway", "gateway", [70], { toNew: 6_000 });
  const whole = rowOf("envoy", "native", [80], { toNew: 10_000 });
  const facts = {
    command: "npm run bench",
    date: "2026-01-01",
    machine: [],
    versions: [],
    missing: [{ name: "traefik", why: "pip | says\nno" }],
    method: [],
    tookMinutes: 1,
  };
  const text = resultsMarkdown(facts, [], [foundOf("shadow", [shed, whole])], null);
  assert.match(text, /\*\*gateway: new got 60\.0% of the requests, where 100% were due: not comparable/);
  assert.match(text, /- envoy: new got 100\.0% of the requests\.\n/);
  assert.match(text, /traefik \(pip \| says no\)/);
});

test("a list of cores is read as Linux writes it", () => {
  assert.deepEqual(listed("0-2,5"), [0, 1, 2, 5]);
  assert.deepEqual(listed("7"), [7]);
  assert.deepEqual(listed(""), []);
});

test("a peer that dies at its start is reported with what it said", async () => {
  await using child = new Child({
    command: process.execPath,
    args: ["-e", "console.error('no such option: --fast'); process.exit(3)"],
    cores: null,
  });
  const port = await freePort();
  await assert.rejects(
    reachable("peer", `http://127.0.0.1:${port}/`, child, 2),
    /ended with 3.*\n.*no such option/s,
  );
});

test("a program that is not there is a complaint, not a crash", async () => {
  await using child = new Child({ command: "/nonexistent/proxy", args: [], cores: null });
  const port = await freePort();
  await assert.rejects(reachable("peer", `http://127.0.0.1:${port}/`, child, 2), /peer: it ended|ENOENT/);
});

test("an answer of another length is not the peer's answer", async () => {
  const server = createServer((_req, res) => res.end("short")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await using child = new Child({
    command: process.execPath,
    args: ["-e", "setTimeout(() => process.exit(4), 300)"],
    cores: null,
  });
  await assert.rejects(reachable("peer", `http://127.0.0.1:${port}/`, child, 9_999), /ended with 4/);
  server.close();
});

test("a witness says what it was sent, over how many connections", async () => {
  await using witness = await startWitness();
  const url = `http://127.0.0.1:${witness.port}/items/`;
  const answer = await fetch(url, { headers: { "x-user": "user-1" } });
  assert.equal((await answer.bytes()).length, 890);
  assert.equal(witness.connections, 1);
  assert.equal(witness.seen[0]?.version, "HTTP/1.1");
  assert.equal(witness.seen[0]?.fields.get("x-user"), "user-1");
});
