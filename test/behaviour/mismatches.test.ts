import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { MismatchCluster, MismatchSample, RetroReport } from "../../src/model/reports.ts";
import { run } from "../cli/fixtures.ts";
import { ask, askMany, times } from "../support/ask.ts";
import { json, type Script, stall, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway, TOKEN } from "../support/gateway.ts";
import { until } from "../support/until.ts";

async function clustersOf(gateway: TestGateway, query = ""): Promise<MismatchCluster[]> {
  return (await gateway.admin("GET", `/api/v1/mismatches${query}`)).body as MismatchCluster[];
}

async function samplesOf(gateway: TestGateway, query = ""): Promise<MismatchSample[]> {
  return (await gateway.admin("GET", `/api/v1/samples${query}`)).body as MismatchSample[];
}

/** Waits until so many pairs were brought to an end, whatever it was. */
function compared(gateway: TestGateway, count: number): Promise<boolean> {
  return until(`${count} pairs are compared`, async () => {
    const { comparisons } = await gateway.route("r");
    return Object.values(comparisons).reduce((sum, n) => sum + n, 0) >= count;
  });
}

/** Answers with the JSON that a function makes. */
const jsonOf = (make: (url: string) => unknown, status = 200): Script => {
  return (req, res, body) => json(make(req.url ?? ""), status)(req, res, body);
};

test("what differs is told by place: how many pairs, in what way, with pairs to look at", async (t) => {
  const person = { id: 7, name: "Ada", tags: [{ v: "1.50" }, { v: "2.50" }], at: "2026-05-01T10:00:00Z" };
  await using old = await startBackend(jsonOf((url) => ({ ...person, path: url })));
  await using fresh = await startBackend(
    jsonOf((url) => ({
      id: 7,
      name: "ADA",
      tags: [{ v: "1.5" }, { v: "2.5" }],
      at: person.at,
      path: url,
      ...(url.includes("rare") ? { extra: true } : {}),
    })),
  );
  const rules = (fields: string) => rulesFor(old.url, fresh.url, `shadow: 100%\n${fields}`);
  await using gateway = await TestGateway.start({ rules: rules("compare: {}") });
  await askMany(gateway.proxyUrl, times(20, { path: "/people/7" }));
  await ask(gateway.proxyUrl, { path: "/people/rare" });
  await compared(gateway, 21);

  await t.test("clusters, largest first", async () => {
    const clusters = await clustersOf(gateway, "?route=r");
    const seen = clusters.map(({ place, kind, count, overcount }) => [place, kind, count, overcount]);
    assert.deepEqual(seen.slice(0, 2).sort(), [
      ["$.name", "value", 21, 0],
      ["$.tags[*].v", "value", 21, 0],
    ]);
    assert.deepEqual(seen.slice(2), [["$.extra", "added", 1, 0]]);
    const of = (place: string) => clusters.find((cluster) => cluster.place === place);
    assert.deepEqual(of("$.name")?.relation, { name: "case", share: 1 });
    assert.deepEqual(of("$.tags[*].v")?.relation, { name: "trailing zeros", share: 1 });
    assert.deepEqual(of("$.name")?.example, { old: '"Ada"', new: '"ADA"' });
    assert.equal(of("$.name")?.share, 1);
    assert.equal(of("$.name")?.noise, null);
    assert.deepEqual((await clustersOf(gateway, "?limit=1")).length, 1);
    assert.equal((await gateway.admin("GET", "/api/v1/mismatches?route=nobody")).status, 404);
  });

  await t.test("a few pairs of each, and the rare one's is among them", async () => {
    const [rare] = await until("all are stored", async () => {
      const clusters = await clustersOf(gateway);
      return clusters.every(({ samples }) => samples.length > 0)
        ? clusters.filter(({ place }) => place === "$.extra")
        : undefined;
    });
    assert.ok(rare);
    const samples = await samplesOf(gateway);
    assert.ok(samples.length <= 5, `${samples.length} samples of 21 pairs`);
    const newest = (await gateway.admin("GET", `/api/v1/mismatches/${rare.id}`)).body as MismatchSample;
    assert.deepEqual([newest.target, newest.id], ["/people/rare", rare.samples[0]]);
    assert.ok(newest.clusters.includes(rare.id));
    assert.equal(newest.rulesVersion, (await gateway.status()).rules.version);
    assert.equal(JSON.parse(newest.new.body ?? "").extra, true);
    assert.deepEqual(await samplesOf(gateway, `?cluster=${rare.id}`), [
      { ...newest, old: { ...newest.old, body: null }, new: { ...newest.new, body: null } },
    ]);
    const unknown = await gateway.admin("GET", "/api/v1/mismatches/000000000000");
    assert.equal(unknown.status, 404);
  });

  await t.test("a new place is logged once, without its values", async () => {
    const lines = await until("each is logged", () => {
      const found = gateway.lines.filter(({ msg }) => msg === "mismatch");
      return found.length >= 3 ? found : null;
    });
    assert.deepEqual(lines.map(({ place }) => place).sort(), ["$.extra", "$.name", "$.tags[*].v"]);
    assert.ok(!JSON.stringify(lines).includes("ADA"));
  });

  await t.test("what a path would hide is told from the stored pairs", async () => {
    const { body } = await gateway.admin("GET", "/api/v1/retro?route=r&ignore=%24.name");
    const report = body as RetroReport;
    assert.equal(report.ignoring, "$.name");
    assert.equal(report.stillMismatch, report.samples);
    const at = (place: string) => report.clusters.find((cluster) => cluster.place === place);
    assert.equal(at("$.name")?.after, 0);
    assert.equal(at("$.tags[*].v")?.after, at("$.tags[*].v")?.before);
    const bad = await gateway.admin("GET", "/api/v1/retro?route=r&ignore=%24.%5B");
    assert.equal(bad.status, 400);
    assert.match((bad.body as { detail: string }).detail, /JSONPath/);
    assert.equal((await gateway.admin("GET", "/api/v1/retro?route=x&ignore=%24.a")).status, 404);
    const status = await gateway.admin("GET", "/api/v1/retro?route=r&ignore=header:content-type");
    assert.equal(status.status, 200, JSON.stringify(status.body));
  });

  await t.test("after a reload stored pairs are judged by the rules in force", async () => {
    await gateway.reloadWith(
      rules('compare: { ignore: ["$.name", "$.extra"], tolerance: [{ path: "$..v", absolute: 0.01 }] }'),
    );
    const { body } = await gateway.admin("GET", "/api/v1/retro");
    const report = body as RetroReport;
    assert.equal(report.rules, (await gateway.status()).rules.version);
    assert.ok(report.samples > 0);
    assert.deepEqual([report.nowMatch, report.stillMismatch, report.cannotTell], [report.samples, 0, 0]);
    assert.deepEqual(await clustersOf(gateway), [], "the clusters begin anew");
  });

  await t.test("an empty list says since when, and ids of stored pairs still name a place", async () => {
    const here = ["--admin", gateway.adminUrl, "--admin-token", TOKEN];
    const since = async () => (await gateway.route("r")).comparisonsSince;
    const { loadedAt } = (await gateway.status()).rules;
    assert.ok(Date.parse((await since())?.at ?? "") >= Date.parse(loadedAt) - 1_000);
    await ask(gateway.proxyUrl, { path: "/people/7" });
    await until("it is compared", async () => (await since())?.compared === 1);
    const { out } = await run(["mismatches", "r", ...here]);
    assert.match(
      out,
      /^no difference of r since the rules of comparison changed \(.* UTC, 1 pair compared since\)/,
    );
    const { clusters } = (await gateway.admin("GET", "/api/v1/retro")).body as RetroReport;
    const name = clusters.find(({ place }) => place === "$.name");
    const { code, err } = await run(["ignore", "r", name?.id ?? "", "--rules", gateway.rulesFile, ...here]);
    assert.equal(code, 0, err);
    assert.match(err, /rules\.yaml:\d+ {2}\$\.name is ignored already/);
  });
});

test("where old differs from itself is noise with its rate, and a fault elsewhere is not hidden by it", async () => {
  let isWrong = false;
  const answer = (side: "old" | "new"): Script =>
    jsonOf(() => ({
      nonce: randomUUID(),
      name: side === "new" && isWrong ? "wrong" : "right",
    }));
  await using old = await startBackend(answer("old"));
  await using fresh = await startBackend(answer("new"));
  const rules = rulesFor(old.url, fresh.url, "shadow: 100%\ncompare: { noise: 2% }");
  await using gateway = await TestGateway.start({ rules });
  await askMany(gateway.proxyUrl, times(210));
  await compared(gateway, 210);
  const learned = (await gateway.route("r")).comparisons;
  assert.ok(learned.noise >= 200, JSON.stringify(learned));
  isWrong = true;
  await askMany(gateway.proxyUrl, times(20));
  await compared(gateway, 230);
  const { comparisons } = await gateway.route("r");
  assert.equal(comparisons.mismatch, learned.mismatch + 20);
  const clusters = await clustersOf(gateway);
  assert.deepEqual(
    clusters.map(({ place }) => place),
    ["$.name", "$.nonce"],
  );
  const [name, nonce] = clusters;
  assert.equal(name?.noise, null);
  assert.equal(name?.count, 20);
  assert.equal(nonce?.noise?.rate, 1);
  assert.ok((nonce?.noise?.triples ?? 0) >= 200);
  assert.ok((await gateway.metric("cutover_noise_ratio", { route: "r" })) > 0.5);
  await gateway.logged("mismatch");

  // Of a flood, as this was, not every pair comes with its answers.
  const retro = await until("a pair is stored", async () => {
    await ask(gateway.proxyUrl);
    const { body } = await gateway.admin("GET", "/api/v1/retro?route=r&ignore=%24.name");
    return (body as RetroReport).samples > 0 ? (body as RetroReport) : undefined;
  });
  assert.equal(retro.stillMismatch, 0, "noise does not keep a pair from being hidden");
  const logged = gateway.lines.filter(({ msg }) => msg === "mismatch").map(({ place }) => place);
  assert.deepEqual(logged, ["$.name"], "noise is no finding");
});

test("a new that lags behind is transient, with the delay at which it had caught up", async () => {
  let written = 1;
  let replicated = 1;
  await using old = await startBackend(jsonOf(() => ({ version: written })));
  await using fresh = await startBackend(jsonOf(() => ({ version: replicated })));
  const rules = rulesFor(old.url, fresh.url, "shadow: 100%\ncompare: { confirm: 1s }");
  await using gateway = await TestGateway.start({ rules });
  written = 2;
  await ask(gateway.proxyUrl);
  await until("new has answered as it was", () => fresh.seen.length === 1);
  replicated = 2;
  await until("it is told apart", async () => (await gateway.route("r")).comparisons.transient === 1);
  const { comparisons } = await gateway.route("r");
  assert.deepEqual(comparisons, { match: 0, mismatch: 0, noise: 0, transient: 1, uncompared: 0 });
  const [cluster] = await clustersOf(gateway);
  assert.equal(cluster?.place, "$.version");
  assert.equal(cluster?.transient?.count, 1);
  assert.ok((cluster?.transient?.medianMs ?? 0) >= 995, `${cluster?.transient?.medianMs} ms`);
  assert.equal(await gateway.metric("cutover_transient_delay_seconds_count", { route: "r" }), 1);
  assert.deepEqual(await samplesOf(gateway), []);

  written = 3;
  await ask(gateway.proxyUrl);
  await until("it is a mismatch", async () => (await gateway.route("r")).comparisons.mismatch === 1);
});

test("why pairs could not be compared is told by reason", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  const rules = (timeout: string): string =>
    rulesFor(old.url, fresh.url, `shadow: { share: 100%, maxBody: 2KiB, timeout: ${timeout} }`);
  await using gateway = await TestGateway.start({ rules: rules("30s") });
  const ways: Script[] = [json({ a: "x".repeat(5_000) }), (req) => req.socket.destroy(), stall];
  for (const [index, way] of ways.entries()) {
    if (way === stall) await gateway.reloadWith(rules("200ms"));
    fresh.answer(way);
    await ask(gateway.proxyUrl);
    await compared(gateway, index + 1);
  }
  const { uncompared, comparisons } = await gateway.route("r");
  assert.equal(comparisons.uncompared, 3);
  assert.deepEqual(
    Object.entries(uncompared).filter(([, count]) => count > 0),
    [
      ["too_large", 1],
      ["timeout", 1],
      ["failed", 1],
    ],
  );
  const labels = { route: "r", reason: "timeout" };
  assert.equal(await gateway.metric("cutover_uncompared_total", labels), 1);
  assert.equal(await gateway.metric("cutover_comparisons_total", { route: "r", result: "uncompared" }), 3);
});

test("clusters survive a restart with their counts", async () => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 2 }));
  const rules = rulesFor(old.url, fresh.url, "shadow: 100%");
  await using gateway = await TestGateway.start({ rules });
  await askMany(gateway.proxyUrl, times(5));
  await compared(gateway, 5);
  const before = await clustersOf(gateway);
  await gateway.stop();
  await using again = await TestGateway.start({ rules, folder: gateway.folder });
  const [cluster] = await clustersOf(again);
  assert.equal(cluster?.id, before[0]?.id);
  assert.deepEqual([cluster?.count, cluster?.firstAt], [5, before[0]?.firstAt]);
  assert.ok((cluster?.samples.length ?? 0) > 0, "what waited was stored at the end");
});
