import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { SimulationReport } from "../../src/simulate/report.ts";
import { assertHarmless, run } from "../cli/fixtures.ts";

const RULES = `
version: 1
backends:
  legacy: { url: "http://127.0.0.1:9001" }
  modern: { url: "http://127.0.0.1:9002" }
defaults: { old: legacy, new: modern }
routes:
  - name: profiles
    match: { path: "/profiles/{id}" }
    key: [ip]
    rollout:
      start: running
      steps:
        - { canary: 10%, bake: 2m, minSamples: 20 }
        - { canary: 100%, bake: 2m, gate: ready }
      gates:
        ready: { file: ready.txt }
  - name: idle
    match: { path: /idle }
    canary: 5%
`;

const SECONDS = 600;
const PER_SECOND = 20;
const START_MS = Date.parse("2026-01-05T10:00:00Z");

/** One in 250 fails, from 5,000 addresses in turn. */
function logLines(): string {
  const lines: string[] = [];
  for (let i = 0; i < SECONDS * PER_SECOND; i++) {
    const time = new Date(START_MS + Math.floor(i / PER_SECOND) * 1000);
    const at = `05/Jan/2026:${time.toISOString().slice(11, 19)} +0000`;
    const status = (i * 7919) % 250 === 0 ? 503 : 200;
    const ip = `10.0.${i % 20}.${Math.floor(i / 20) % 250}`;
    lines.push(`${ip} - - [${at}] "GET /profiles/${i % 99} HTTP/1.1" ${status} 12`);
  }
  return `${lines.join("\n")}\n`;
}

describe("cutover simulate", () => {
  let folder = "";
  let rules = "";
  let log = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cutover-simulate-"));
    rules = join(folder, "rules.yaml");
    log = join(folder, "access.log");
    await writeFile(rules, RULES);
    await writeFile(log, logLines());
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function json(...args: string[]): Promise<SimulationReport> {
    const { code, out, err } = await run([
      "simulate",
      rules,
      "--log",
      log,
      "-o",
      "json",
      "--runs",
      "5",
      ...args,
    ]);
    assert.equal(code, 0, err);
    assert.equal(err, "");
    return JSON.parse(out) as SimulationReport;
  }

  async function refused(code: number, words: RegExp, ...args: string[]): Promise<void> {
    const ran = await run(["simulate", rules, ...args]);
    assert.equal(ran.code, code, ran.err);
    assert.match(ran.err, words);
    assert.equal(ran.out, "");
  }

  test("says how the rollout goes on the log, as JSON of the documented shape", async () => {
    const { routes, log: read } = await json("--factor", "100%");
    assert.equal(read.requests, SECONDS * PER_SECOND);
    assert.deepEqual(
      routes.map(({ name, requests }) => [name, requests]),
      [
        ["profiles", SECONDS * PER_SECOND],
        ["idle", 0],
      ],
    );
    const [profiles] = routes;
    assert.equal(profiles?.outcome, "completed");
    assert.match(profiles?.steps[0]?.why ?? "", /^baked 2 min|^baked 120 s/);
    assert.deepEqual([profiles?.falseRollbacks.runs, profiles?.falseRollbacks.count], [5, 0]);
    const [detection] = profiles?.detection ?? [];
    assert.equal(detection?.factor, "100%");
    assert.ok((detection?.failedRequests.p50 ?? 0) >= 1);
    assert.ok((detection?.seconds.p95 ?? Number.POSITIVE_INFINITY) < 60);
  });

  test("an injected fault, gates and runs are what was asked for", async () => {
    const fault = await json("--inject", "new.errors=60%@90s", "--runs", "0");
    assert.equal(fault.routes[0]?.outcome, "rolled-back");
    assert.ok(Date.parse(fault.routes[0]?.rollback?.at ?? "") >= START_MS + 90_000);
    assert.deepEqual(fault.routes[0]?.detection, []);
    const gated = await json("--gate", "ready=no", "--runs", "0", "--route", "profiles");
    assert.deepEqual(
      gated.routes.map(({ name, outcome }) => [name, outcome]),
      [["profiles", "completed"]].map(([name]) => [name, "waiting"]),
    );
    assert.match(gated.routes[0]?.steps.at(-1)?.why ?? "", /gate ready/);
  });

  test("people get a table that fits, harmless whatever the log holds", async () => {
    const hostile = join(folder, "hostile.log");
    await writeFile(hostile, `\u001b[2J oops\n${logLines()}{"msg":"request"\n`);
    const { code, out } = await run(
      ["simulate", rules, "--log", hostile, "--runs", "3", "--factor", "100%"],
      {},
      90,
    );
    assert.equal(code, 0);
    assertHarmless(out, true);
    assert.match(out, /^12,000 requests in .* to 2026-01-05 10:09:59 \(all times are UTC\); seed 1$/m);
    assert.match(out, /2 lines could not be read: line 1: neither/);
    assert.match(out, /profiles.*completed/);
    assert.match(out, /false rollbacks.* 0 of 3 with a healthy new/);
    assert.match(out, /100% +3 of 3/);
    assert.match(out, /gates were assumed to say yes: ready/);
  });

  test("what nothing was run for has no row, and a log without errors no legend", async () => {
    const clean = join(folder, "clean.log");
    await writeFile(clean, logLines().replaceAll('" 503 ', '" 200 '));
    const simulated = async (factor: string): Promise<string> =>
      (await run(["simulate", rules, "--log", clean, "--runs", "2", "--factor", factor])).out;
    const none = await simulated("2,10");
    assert.match(none, /the log has no errors to multiply/);
    assert.doesNotMatch(none, /times as often|half of the runs|–/);
    const some = await simulated("2,100%");
    assert.match(some, /100% +2 of 2/);
    assert.doesNotMatch(some, /times as often/);
  });

  test("one of a thing is not several", async () => {
    const odd = join(folder, "odd.log");
    const other = '10.0.0.1 - - [05/Jan/2026:10:09:59 +0000] "GET /nobody HTTP/1.1" 200 12\n';
    const late = '10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] "GET /idle HTTP/1.1" 200 12\n';
    await writeFile(odd, logLines() + other + late);
    const { out } = await run(["simulate", rules, "--log", odd, "--runs", "0"]);
    assert.match(out, /- 1 request matches no route of the rules and is left out$/m);
    assert.match(out, /- 1 line was out of order by more than a minute; it counts when it came$/m);
    assert.match(out, /^idle: 1 request, 0% errors/m);
  });

  test("a rollout that the log ends in says what was seen and what is still needed", async () => {
    const { routes } = await json("--gate", "ready=no", "--runs", "0", "--route", "profiles");
    const why = routes[0]?.steps.at(-1)?.why ?? "";
    assert.match(why, /^the log ended first: errors .*; still needed: .*gate ready \(as told\)$/);
  });

  test("a packed log is read as it is", async () => {
    const packed = join(folder, "access.log.gz");
    await writeFile(packed, gzipSync(logLines()));
    const args = ["--runs", "0", "-o", "json"];
    const [plain, same] = await Promise.all([
      run(["simulate", rules, "--log", log, ...args]),
      run(["simulate", rules, "--log", packed, ...args]),
    ]);
    assert.equal(same.out, plain.out);
  });

  test("a log that is not there, is packed badly or has no requests is refused in words", async () => {
    const [empty, bad, words] = ["empty.log", "bad.gz", "words.log"].map((name) => join(folder, name));
    await Promise.all([
      writeFile(empty ?? "", ""),
      writeFile(bad ?? "", "no gzip"),
      writeFile(words ?? "", "a\nb\n"),
    ]);
    await refused(2, /ENOENT/, "--log", join(folder, "nowhere.log"));
    await refused(2, /bad\.gz: .*header/, "--log", bad ?? "");
    await refused(1, /it has no requests: give an access log/, "--log", empty ?? "");
    await refused(1, /none of its 2 lines can be read \(line 1: neither JSON/, "--log", words ?? "");
  });

  test("wrong values say what to write instead", async () => {
    const flags: readonly (readonly [RegExp, ...string[]])[] = [
      [/new\.errors=10%@2h/, "--inject", "errors"],
      [/write 10%/, "--inject", "new.errors=10"],
      [/"fresh" is no side: write new, old, or both/, "--inject", "fresh.errors=20%"],
      [/nothing is known: write errors/, "--inject", "new.speed=10%"],
      [/new\.mismatches/, "--inject", "both.mismatches=10%"],
      [/units: ms, s/, "--inject", "new.errors=10%@2"],
      [/how many times old's errors/, "--factor", "1"],
      [/how many times old's errors/, "--factor", "2,,3"],
      [/no such gate: .*ready/, "--gate", "redy=no"],
      [/NAME=yes@3h/, "--gate", "ready"],
      [/no such route: .*profiles/, "--route", "profile"],
      [/whole number from 0 to 100000/, "--runs", "many"],
      [/whole number/, "--seed", "-1"],
    ];
    for (const [words, ...args] of flags) await refused(2, words, "--log", log, ...args);
  });

  test("broken rules are shown as check shows them", async () => {
    const broken = join(folder, "broken.yaml");
    await writeFile(broken, RULES.replace("canary: 5%", "canary: 105%"));
    const ran = await run(["simulate", broken, "--log", log, "-o", "json"]);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /broken\.yaml:\d+:\d+ +.*105%/);
    assert.equal(JSON.parse(ran.out).ok, false);
  });
});
