import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ReloadReport } from "../../src/model/reports.ts";
import { ask, askMany, times } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { replaceFile, rulesFor, rulesWith, TestGateway } from "../support/gateway.ts";
import { startLoad } from "../support/load.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

test("reloads under load: no request fails, also where the backends change", async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using first = await startBackend(json({ from: "first" }));
  await using second = await startBackend(json({ from: "second" }));
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, first.url, "canary: 50%") });
  const load = startLoad(gateway.proxyUrl, { clients: 4 });
  const churn = startLoad(gateway.proxyUrl, { clients: 2, keepAlive: false });
  for (let i = 1; i <= 6; i++) {
    const fresh = i % 2 === 0 ? first : second;
    await writeFile(gateway.rulesFile, rulesFor(old.url, fresh.url, `canary: ${40 + i}%`));
    const { status, body } = await gateway.admin("POST", "/api/v1/reload", { reason: `change ${i}` });
    assert.deepEqual([status, (body as ReloadReport).ok], [200, true]);
    const seen = load.answers.length;
    await until("requests are served by these rules", () => load.answers.length > seen + 10);
  }
  await Promise.all([load.stop(), churn.stop()]);
  const answers = [...load.answers, ...churn.answers];
  assert.deepEqual([...load.errors, ...churn.errors], []);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.ok(new Set(answers.map(({ rules }) => rules)).size >= 6, "every ruleset has served");
  assert.ok(first.seen.length > 0 && second.seen.length > 0);
  await until("every request is in the books", async () => {
    const { requests } = await gateway.route("r");
    return requests.old + requests.new === answers.length;
  });
});

test("a ruleset's life in a file", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(obedient("x-new"));
  const rules = (share: string): string => rulesFor(old.url, fresh.url, `canary: ${share}`);
  await using gateway = await TestGateway.start({ rules: rules("5%") });
  const canary = async (): Promise<number> => (await gateway.route("r")).canary;

  await t.test("an in-place edit is noticed, and says what it means", async () => {
    const seen = gateway.lines.length;
    await writeFile(gateway.rulesFile, rules("10%"));
    const event = await gateway.logged("reload", seen);
    assert.deepEqual(event.changes, ["r: canary 5% → 10%"]);
    assert.equal(await canary(), 0.1);
    assert.equal(event.rules, (await gateway.status()).rules.version);
    const entry = await until("it is in the trail", async () => (await gateway.audit()).at(0));
    assert.match(`${entry?.from} → ${entry?.to}`, /^[0-9a-f]{12} → [0-9a-f]{12}$/);
    assert.notEqual(entry?.from, entry?.to);
    assert.deepEqual([entry?.action, entry?.by, entry?.to], ["reload", "rules", event.rules]);
  });

  await t.test("a reload just after the watcher's tells what that one changed, and when", async () => {
    const { rules: known } = await gateway.status();
    const { body } = await gateway.admin("POST", "/api/v1/reload", { reason: "to be sure" });
    const { changes, version, inForce } = body as ReloadReport;
    assert.deepEqual([version, changes], [known.version, []]);
    assert.deepEqual(inForce, {
      at: known.loadedAt,
      by: "rules",
      changes: ["r: canary 5% → 10%"],
      notes: [],
    });
  });

  await t.test("an editor that writes beside and renames is noticed, again and again", async () => {
    for (const percent of [11, 12, 13]) {
      await gateway.reloadWith(rules(`${percent}%`));
      assert.equal(await canary(), percent / 100);
    }
  });

  await t.test("a broken file leaves the last good rules serving, is logged once, and shows", async () => {
    const seen = gateway.lines.length;
    const { version } = (await gateway.status()).rules;
    await replaceFile(gateway.rulesFile, rules("105%"));
    const event = await gateway.logged("reload-failed", seen);
    assert.match(
      String(event.errors),
      /rules\.yaml:\d+:\d+ {2}.*canary\.share is 105%: a share is at most 100%/,
    );
    const status = await gateway.status();
    assert.equal(status.rules.version, version);
    assert.match(status.rules.error ?? "", /a share is at most 100%/);
    assert.equal(await gateway.metric("cutover_rules_last_reload_success"), 0);
    assert.equal((await ask(gateway.proxyUrl)).status, 200);
    const again = await gateway.admin("POST", "/api/v1/reload", {});
    assert.equal(again.status, 422);
    assert.match(JSON.stringify(again.body), /a share is at most 100%/);
    gateway.signal("SIGHUP");
    await gateway.reloadWith(rules("14%"));
    assert.equal(await canary(), 0.14);
    assert.equal(gateway.lines.slice(seen).filter(({ msg }) => msg === "reload-failed").length, 1);
    assert.equal((await gateway.status()).rules.error, null);
    assert.equal(await gateway.metric("cutover_rules_last_reload_success"), 1);
  });

  await t.test("a broken file that is put back as it was is healthy again", async () => {
    const good = await readFile(gateway.rulesFile, "utf8");
    await writeFile(gateway.rulesFile, "version: 2\n");
    await until("it shows", async () => (await gateway.status()).rules.error !== null);
    await writeFile(gateway.rulesFile, good);
    await until("it is over", async () => (await gateway.status()).rules.error === null);
    assert.equal(await gateway.metric("cutover_rules_last_reload_success"), 1);
  });

  await t.test("SIGHUP reloads", async () => {
    await gateway.reloaded(async () => {
      await writeFile(gateway.rulesFile, rules("15%"));
      gateway.signal("SIGHUP");
    });
    assert.equal(await canary(), 0.15);
  });

  await t.test("a request in flight keeps the rules that it began with", async () => {
    await gateway.reloadWith(rules("100%"));
    const { version } = (await gateway.status()).rules;
    const begun = fresh.seen.length;
    const slow = ask(gateway.proxyUrl, { headers: { "x-new": "slow" } });
    await until("new has it", () => fresh.seen.length > begun);
    await gateway.reloadWith(rules("0%"));
    const now = await ask(gateway.proxyUrl);
    const { status, side, rules: its } = await slow;
    assert.deepEqual([status, side, its], [200, "new", version]);
    assert.deepEqual([now.side, now.rules === version], ["old", false]);
  });
});

test("rules that change while the gateway starts are in force on every thread when it has", async (t) => {
  await using backend = await startBackend(json({}));
  const folder = await mkdtemp(join(tmpdir(), "cutover-early-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [first, second] = [1, 100].map((percent) =>
    rulesFor(backend.url, backend.url, `canary: ${percent}%`),
  );
  await using gateway = await TestGateway.start({
    rules: `${first}`,
    folder,
    env: {
      NODE_OPTIONS: `--import=${new URL("../support/early-edit.ts", import.meta.url)}`,
      CUTOVER_TEST_EDIT: join(folder, "rules.yaml"),
      CUTOVER_TEST_EDIT_TO: `${second}`,
    },
  });
  await gateway.logged("reload");
  assert.equal((await gateway.route("r")).canary, 1);
  const { version } = (await gateway.status()).rules;
  const answers = await Promise.all(times(20).map((each) => ask(gateway.proxyUrl, each)));
  assert.deepEqual([...new Set(answers.map(({ rules }) => rules))], [version]);
});

test("three swaps of a mounted folder's ..data link in a row are all noticed within 2 s", async (t) => {
  await using old = await startBackend(json({}));
  await using fresh = await startBackend(json({}));
  const folder = await mkdtemp(join(tmpdir(), "cutover-mount-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const mount = join(folder, "rules");
  /** As a kubelet does it: a new folder, a new link to it, renamed over the old one. */
  const publish = async (name: string, percent: number): Promise<void> => {
    await mkdir(join(mount, name), { recursive: true });
    await writeFile(join(mount, name, "rules.yaml"), rulesFor(old.url, fresh.url, `canary: ${percent}%`));
    await symlink(name, join(mount, "..data_tmp"));
    await rename(join(mount, "..data_tmp"), join(mount, "..data"));
  };
  await publish("..1", 1);
  await symlink("..data/rules.yaml", join(mount, "rules.yaml"));
  await using gateway = await TestGateway.start({ rules: "", folder, paths: [mount] });
  for (const percent of [2, 3, 4]) {
    const begunMs = performance.now();
    await publish(`..${percent}`, percent);
    await rm(join(mount, `..${percent - 1}`), { recursive: true });
    await until("it is in force", async () => (await gateway.route("r")).canary === percent / 100);
    // The promise is 2 s; the rest is for a busy machine.
    assert.ok(performance.now() - begunMs < 20_000);
  }
  assert.equal(gateway.lines.filter(({ msg }) => msg === "reload-failed").length, 0);
});

test("a folder of several files: routes come and go, and the others keep their counts", async (t) => {
  await using old = await startBackend(json({}));
  await using fresh = await startBackend(json({}));
  const folder = await mkdtemp(join(tmpdir(), "cutover-folder-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = join(folder, "rules");
  await mkdir(rules);
  await writeFile(join(rules, "a.yaml"), rulesWith(old.url, fresh.url, { first: "canary: 50%" }));
  await using gateway = await TestGateway.start({ rules: "", folder, paths: [rules] });
  await askMany(gateway.proxyUrl, times(40, { path: "/first/x" }));
  const route = (name: string): string =>
    `  - name: ${name}\n    match: { path: "/${name}/**" }\n    canary: 1%\n`;
  const names = Array.from({ length: 300 }, (_, index) => `more-${index}`);
  const more = `version: 1\nroutes:\n${names.map(route).join("")}`;
  await gateway.reloaded(() => replaceFile(join(rules, "b.yaml"), more));
  assert.equal((await gateway.status()).routes.length, 301);
  await askMany(gateway.proxyUrl, times(20, { path: "/first/x" }));
  await askMany(gateway.proxyUrl, times(5, { path: "/more-299/x" }));
  await until("all are counted", async () => {
    const [first, last] = await Promise.all([gateway.route("first"), gateway.route("more-299")]);
    return first.requests.old + first.requests.new === 60 && last.requests.old + last.requests.new === 5;
  });
  await gateway.reloaded(() => rm(join(rules, "b.yaml")));
  assert.equal((await gateway.status()).routes.length, 1);
  const { requests } = await gateway.route("first");
  assert.equal(requests.old + requests.new, 60);
  await replaceFile(join(rules, "b.yaml"), `version: 1\nroutes:\n${route("first")}`);
  await until("one name in two files is refused", async () => (await gateway.status()).rules.error !== null);
  assert.match((await gateway.status()).rules.error ?? "", /a\.yaml[\s\S]*b\.yaml|b\.yaml[\s\S]*a\.yaml/);
});
