import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import type { RouteStatus } from "../../src/model/reports.ts";
import { rolledBack, routeStatus, statusReport } from "../support/reports.ts";
import { assertHarmless, type FakeAdmin, fakeAdmin, ok, problem, run } from "./fixtures.ts";

const MANY = Array.from({ length: 1_000 }, (_, index) => routeStatus(`route-${index}`));
const report = statusReport([
  routeStatus("profiles"),
  rolledBack("orders"),
  routeStatus("evil", { waitingFor: "a\u001b]0;owned\u0007\nb" }),
]);
let admin: FakeAdmin;

before(async () => {
  admin = await fakeAdmin(({ path }) => {
    if (path === "/api/v1/status") return ok(report);
    if (path === "/api/v1/routes/orders") return ok(rolledBack("orders"));
    if (path === "/readyz") return { status: 503, body: "not ready\n", contentType: "text/plain" };
    return problem(404, 'no route is named "x\u009b"');
  });
});
after(() => admin.close());

test("the table shows for each route what an operator asks first", async () => {
  const { code, out } = await run(["status", "--admin", admin.url]);
  assert.equal(code, 0);
  const line = out.split("\n").find((text) => text.startsWith("profiles")) ?? "";
  assert.match(line, /serving +5% +100% +9,500 \/ 500 +1 \/ 0 +9 \/ 8 +3 of 944 +0\.12 +more samples$/);
  assert.match(out, /rules 0123456789ab · 3 routes · 2 threads · up 1h 1m/);
});

test("a rolled-back route is unmistakable without colour, and names its cause", async () => {
  const { out } = await run(["status", "--admin", admin.url]);
  assert.match(out, /orders +ROLLED BACK.*killSwitch \(by guard\): new failed 5 times running/);
  assert.match(out, /1 route ROLLED BACK to old until a reset \(except onRollback: stay keys\)/);
});

test("piped output carries no escape sequence, a terminal's has colour, and NO_COLOR takes it away", async () => {
  const csi = "\u001b[";
  assert.ok(!(await run(["status", "--admin", admin.url])).out.includes(csi));
  assert.ok((await run(["status", "--admin", admin.url], {}, 200)).out.includes(csi));
  assert.ok(!(await run(["status", "--admin", admin.url], { NO_COLOR: "1" }, 200)).out.includes(csi));
});

test("no line is longer than the terminal is wide, and the state stays readable", async () => {
  for (const columns of [72, 80, 100, 132, 200]) {
    const { out } = await run(["status", "--admin", admin.url], {}, columns);
    const lines = stripVTControlCharacters(out).split("\n");
    for (const line of lines) assert.ok(line.length <= columns, `${columns}: ${line.length} ${line}`);
    assert.ok(lines.some((line) => /^orders +ROLLED BACK/.test(line)));
  }
});

test("a terminal of 100 columns shows the evidence, p99 and mismatches; static shares take no room", async () => {
  const waitingFor = "nothing: the shares are set in the rules; errors 3/18,204 new vs 61/345,871 old";
  const quiet = await fakeAdmin(() => ok(statusReport([routeStatus("profiles", { waitingFor })])));
  const { out } = await run(["status", "--admin", quiet.url], {}, 100);
  const line = stripVTControlCharacters(out)
    .split("\n")
    .find((text) => text.startsWith("profiles"));
  assert.match(line ?? "", /9 \/ 8 +3 of 944 +0\.12 +–$/);
  const piped = await run(["status", "--admin", quiet.url]);
  for (const text of piped.out.split("\n")) assert.ok(text.length < 120, text);
  await quiet.close();
});

test("control characters of an answer are never printed raw", async () => {
  const { out } = await run(["status", "--admin", admin.url]);
  assert.match(out, /a\\x1b\]0;owned\\x07\\x0ab/);
  const refused = await run(["status", "nope", "--admin", admin.url]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /no route is named "x\\x9b"/);
});

test("one route in full says what was known when it was rolled back, and how to go on", async () => {
  const { code, out } = await run(["status", "orders", "--admin", admin.url]);
  assert.equal(code, 0);
  assert.match(out, /rolled back at 2026-01-02T03:04:05\.678Z by guard, cause killSwitch/);
  assert.match(out, /samples old 1,150, new 61; errors old 4, new 7; rules 0123456789ab/);
  assert.match(out, /cutover reset orders --reason/);
});

test("the cause of a rollback is told once, with its numbers, not again behind what it waits for", async () => {
  const route = rolledBack("orders");
  const cause = route.rollback?.evidence.summary ?? "";
  const waitingFor = `cutover reset, or a higher revision (killSwitch: ${cause} (limit 5))`;
  const latched = { ...route, waitingFor };
  const other = await fakeAdmin(({ path }) =>
    ok(path === "/api/v1/status" ? statusReport([latched]) : latched),
  );
  try {
    const { out } = await run(["status", "orders", "--admin", other.url]);
    assert.match(out, /\n {2}waits for {2}cutover reset, or a higher revision\n/);
    assert.equal(out.split(cause).length, 2);
    const all = await run(["status", "--admin", other.url]);
    assert.match(all.out, /killSwitch/, "the table has it nowhere else");
  } finally {
    await other.close();
  }
});

test("one route in full says how pairs were judged, and why some could not be", async () => {
  const { out } = await run(["status", "orders", "--admin", admin.url]);
  assert.match(out, /compared {3}940 match, 3 mismatch, 1 noise, 0 transient, 6 uncompared\n/);
  assert.match(out, /uncompared {1}4 too large, 2 decode failed\n/);
  const clean = { ...rolledBack("clean").uncompared, too_large: 0, decode_failed: 0 };
  const quiet = await fakeAdmin(() => ok(routeStatus("clean", { uncompared: clean })));
  const all = await run(["status", "clean", "--admin", quiet.url]);
  assert.doesNotMatch(all.out, /^ {2}uncompared/m);
  await quiet.close();
});

test("one route in full says why shadows failed, and what fails its health check", async () => {
  const { shadows } = rolledBack("r");
  const route = routeStatus("r", {
    shadows: { ...shadows, sent: 0, failed: 138 },
    shadowFailure: { side: "new", failure: "connection_refused" },
    unhealthy: ["http://127.0.0.1:1"],
  });
  const out = await statusOf(route, ["r"]);
  assert.match(out, / 138 failed \(the last one: new, connection refused\)\n/);
  assert.match(out, /\n {2}health {5}http:\/\/127\.0\.0\.1:1 fails its health check\n/);
  assert.doesNotMatch(await statusOf(routeStatus("r"), ["r"]), /the last one|health/);
});

test("-o json is the gateway's own answer", async () => {
  const { out } = await run(["status", "--admin", admin.url, "-o", "json"]);
  assert.deepEqual(JSON.parse(out), report);
  const one = await run(["status", "orders", "--admin", admin.url, "-o", "json"]);
  assert.deepEqual(JSON.parse(one.out), rolledBack("orders"));
});

test("a probe asks only whether the gateway takes traffic", async () => {
  const { code, out } = await run(["status", "--ready", "--admin", admin.url]);
  assert.deepEqual([code, out], [1, "not ready\n"]);
});

test("a thousand routes are a table of a thousand lines, printed within a second", async () => {
  const many = await fakeAdmin(() => ok(statusReport(MANY)));
  const startedMs = performance.now();
  const { out } = await run(["status", "--admin", many.url], {}, 120);
  assert.ok(performance.now() - startedMs < 20_000);
  assert.equal(
    stripVTControlCharacters(out)
      .split("\n")
      .filter((line) => /^route-\d+ /.test(line)).length,
    1_000,
  );
  await many.close();
});

test("broken rules, a damaged store and a drain are said before the table", async () => {
  const worried = await fakeAdmin(() =>
    ok(
      statusReport([], {
        rules: { version: "0123456789ab", loadedAt: "", error: "rules.yaml:3:1  what is this\n  3 | x" },
        store: "damaged: the file is no database",
        draining: true,
      }),
    ),
  );
  const { code, out } = await run(["status", "--admin", worried.url]);
  assert.equal(code, 0);
  assert.match(out, /RULES BROKEN, the last good ones serve: rules\.yaml:3:1/);
  assert.match(out, /STORE: damaged/);
  assert.match(out, /DRAINING/);
  await worried.close();
});

test("watching with -o json is one document a line", async () => {
  const gateway = await fakeAdmin(() => ok(report));
  const cutover = fileURLToPath(new URL("../../bin/cutover.js", import.meta.url));
  const child = spawn(process.execPath, [cutover, "status", "-w", "-o", "json", "--admin", gateway.url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: unknown[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(line));
    if (lines.length === 1) await gateway.close();
    if ((lines.at(-1) as { ok?: boolean }).ok === false) break;
  }
  child.kill("SIGINT");
  await once(child, "exit");
  assert.ok(lines.length > 1);
  // It may have been asked again before it went away.
  for (const line of lines.slice(0, -1)) assert.deepEqual(line, report);
});

test("watching prints block after block, goes on while the gateway is away, and ends with exit 0 at Ctrl-C", async () => {
  const gateway = await fakeAdmin(() => ok(report));
  const cutover = fileURLToPath(new URL("../../bin/cutover.js", import.meta.url));
  const child = spawn(process.execPath, [cutover, "status", "-w", "--admin", gateway.url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  let isThere = true;
  for await (const text of child.stdout.setEncoding("utf8")) {
    out += text;
    const blocks = out.split("rules 0123456789ab").length - 1;
    if (blocks >= 2 && isThere) {
      isThere = false;
      await gateway.close();
    }
    if (out.includes("no gateway answers at")) break;
  }
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});

const GATES = [
  { name: "office-hours", answer: "yes" as const, why: "it is Monday, 10:00" },
  { name: "backfill-done", answer: "no" as const, why: "lagSeconds is 31, needs below 5" },
];
const WAITS =
  "5% for 12 min: errors 3/18,204 new vs 61/345,871 old, evidence 0.02 of 1; needs 18 min of baking, " +
  "gate backfill-done (lagSeconds is 31, needs below 5) and approval";
const baking = routeStatus("profiles", {
  state: "baking",
  step: 2,
  steps: 5,
  bake: { doneSeconds: 725.4, ofSeconds: 1_800 },
  gates: GATES,
  pins: 3,
  waitingFor: WAITS,
});

/** `cutover status …` of a gateway with one route, whatever is asked for. */
async function statusOf(route: RouteStatus, words: readonly string[], columns: number | null = null) {
  const gateway = await fakeAdmin(({ path }) =>
    ok(path === "/api/v1/status" ? statusReport([route]) : route),
  );
  try {
    return (await run(["status", ...words, "--admin", gateway.url], {}, columns)).out;
  } finally {
    await gateway.close();
  }
}

test("a rollout takes two columns: its step of the last, and how far it has baked", async () => {
  const out = await statusOf(baking, []);
  assert.match(out, /^route +state +step +canary +shadow +baked .*\n +now \/ last /m);
  const line = out.split("\n").find((text) => text.startsWith("profiles")) ?? "";
  assert.match(line, /^profiles +baking +2 \/ 4 +5% +100% +40% +9,500 \/ 500/);
  assert.ok(line.endsWith(WAITS));
  assert.doesNotMatch(await statusOf(routeStatus("still"), []), /now \/ last|baked/);
});

test("what a rollout waits for fits every terminal, and is never cut", async () => {
  for (const columns of [40, 50, 60, 80, 100, 132, 200]) {
    const text = stripVTControlCharacters(await statusOf(baking, [], columns));
    for (const line of text.split("\n")) assert.ok(line.length <= columns, `${columns}: ${line}`);
    assert.match(text, /^profi\S+ +baking +2 \/ 4 +5%/m);
    const row = text.slice(text.search(/^profi/m)).replaceAll(/\s+/g, " ");
    for (const word of WAITS.split(" ")) assert.ok(row.includes(word), `${columns}: ${word}`);
    assert.ok(row.trimEnd().endsWith("approval"), `${columns}: ${row}`);
  }
});

test("where three lines beside the row will not do, the sentence is below it, with more columns above", async () => {
  const wide = stripVTControlCharacters(await statusOf(baking, [], 200));
  assert.match(wide, /^profiles .* 5% for 12 min: /m);
  const usual = stripVTControlCharacters(await statusOf(baking, [], 80));
  assert.match(usual, /^profiles +baking +2 \/ 4 +5% .*\n {2}5% for 12 min: /m);
  const narrow = stripVTControlCharacters(await statusOf(baking, [], 40));
  assert.match(narrow, /^profiles +baking +2 \/ 4 +5%\n {2}3 of 944 pairs differ; 5% for/m);
});

test("answers that differ are seen in a terminal of any width, in their column or in the sentence", async () => {
  const comparisons = { match: 0, mismatch: 944, noise: 0, transient: 0, uncompared: 0 };
  const waits = "nothing: the shares are set in the rules; errors 3/18,204 new vs 61/345,871 old";
  for (const route of [
    routeStatus("quiet", { comparisons, waitingFor: waits }),
    { ...baking, comparisons },
    { ...rolledBack("gone"), comparisons },
  ]) {
    for (const columns of [40, 50, 60, 72, 80, 90, 100, 132, 200]) {
      const text = stripVTControlCharacters(await statusOf(route, [], columns));
      const said = text.replaceAll(/\s+/g, " ").split("944 of 944").length - 1;
      assert.equal(said, 1, `${columns}: ${text}`);
      for (const line of text.split("\n")) assert.ok(line.length <= columns, `${columns}: ${line}`);
    }
  }
  const none = { ...comparisons, match: 944, mismatch: 0 };
  const clean = routeStatus("quiet", { comparisons: none, waitingFor: waits });
  assert.doesNotMatch(await statusOf(clean, [], 60), /differ/);
});

test("one route in full says its step, bake, gates, pins, the verdict in words, and all it waits for", async () => {
  const out = await statusOf(baking, ["profiles"]);
  assert.match(out, /\n {2}step {7}2 \(the last is 4\)\n {2}baked {6}12 min of 30 min \(40%\)\n/);
  assert.match(
    out,
    /\n {2}gates {6}office-hours: yes \(it is Monday, 10:00\)\n {13}backfill-done: no \(lagSeconds/,
  );
  assert.match(out, /\n {2}pins {7}3 keys, whatever the shares say: cutover pin profiles lists them\n/);
  assert.match(out, /\n {2}verdict {4}hold: not enough is known to go on, and nothing to go back for\n/);
  assert.match(out, /and approval\n$/);
  const ready = await statusOf({ ...baking, waitingFor: "5% for 30 min: …; needs approval" }, ["profiles"]);
  assert.match(ready, /needs approval\n\n {2}to go on: cutover promote profiles --reason '…'\n$/);
  const narrow = stripVTControlCharacters(await statusOf(baking, ["profiles"], 60)).split("\n");
  for (const line of narrow) assert.ok(line.length <= 60, line);
  assert.match(narrow.join(" ").replace(/ +/g, " "), /needs 18 min of baking, gate backfill-done/);
});

test("a paused rollout says how it goes on, and a last step that it is the last", async () => {
  const out = await statusOf({ ...baking, state: "paused", step: 4, waitingFor: "resume" }, ["profiles"]);
  assert.match(out, /step {7}4, the last\n/);
  assert.match(out, /\n {2}verdict {4}hold: nothing moves until a resume\n/);
  assert.match(out, /to go on: cutover resume profiles --reason '…'\n$/);
  const bare = await statusOf({ ...baking, bake: { doneSeconds: 0, ofSeconds: 0 }, pins: 0 }, ["profiles"]);
  assert.match(bare, /baked {6}no time asked for\n/);
  assert.doesNotMatch(bare, /pins/);
});

test("nothing that a gate says acts on the terminal", async () => {
  const evil = "\u001b]0;owned\u0007\u009b2J\u202e\n";
  const route = { ...baking, gates: [{ name: evil, answer: "error" as const, why: evil }], waitingFor: evil };
  assertHarmless(await statusOf(route, []));
  assertHarmless(await statusOf(route, ["profiles"]));
  assertHarmless(await statusOf(route, ["profiles"], 80), true);
});
