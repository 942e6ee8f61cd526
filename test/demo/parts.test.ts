import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CliError } from "../../src/cli/exit.ts";
import { BLOCKS } from "../../src/cli/spark.ts";
import { NO_TREND } from "../../src/cli/trend.ts";
import { textWidth } from "../../src/cli/width.ts";
import { listeningLine, startService } from "../../src/demo/children.ts";
import { playStory } from "../../src/demo/demo.ts";
import { EXPLAINED, rulesText, writeRules } from "../../src/demo/rules-file.ts";
import { panelLines } from "../../src/demo/screen.ts";
import { freePort, type Stage } from "../../src/demo/stage.ts";
import type { Chapter } from "../../src/demo/telling.ts";
import { judge } from "../../src/demo/traffic.ts";
import { loadRules } from "../../src/rules/load.ts";
import { routeStatus } from "../support/reports.ts";

const plain = (_style: string, text: string) => text;

test("the demo's rules are valid in every chapter, and say what the story says", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-demo-rules-"));
  const path = join(folder, "rules.yaml");
  for (const [canary, ignore] of [
    ["0%", []],
    ["25%", EXPLAINED],
    [null, EXPLAINED],
  ] as const) {
    await writeRules(path, { oldUrl: "http://127.0.0.1:1", newUrl: "http://127.0.0.1:2", canary, ignore });
    const loaded = await loadRules([path], { env: {}, keyFileSecret: "x" });
    assert.ok(loaded.ok, JSON.stringify(loaded));
    assert.deepEqual(loaded.warnings, []);
    const [route] = loaded.ruleset.routes;
    if (canary !== null) assert.equal(route?.canary.sharePpm, canary === "0%" ? 0 : 250_000);
    assert.equal(route?.rollout?.steps.length ?? 0, canary === null ? 3 : 0);
    assert.deepEqual(route?.compare?.ignore, ignore);
    assert.ok(route?.guard);
  }
  await rm(folder, { recursive: true });
});

test("a difference that nobody explained has no comment in the rules", () => {
  const text = rulesText({ oldUrl: "http://a", newUrl: "http://b", canary: "1%", ignore: ["$.other"] });
  assert.match(text, /- "\$\.other"\n/);
});

test("only the gateway's listening line is taken for it", () => {
  const line =
    '{"level":"info","msg":"listening","proxy":"http://127.0.0.1:1","admin":"http://127.0.0.1:2/"}';
  assert.deepEqual(listeningLine(line), { proxyUrl: "http://127.0.0.1:1", adminUrl: "http://127.0.0.1:2" });
  for (const other of [
    "",
    "listening",
    '{"msg":"reload","why":"listening"}',
    '{"msg":"listening"}',
    '"listening"{',
  ]) {
    assert.equal(listeningLine(other), null, other);
  }
});

test("a client fails on a wrong status, a broken body, and somebody else's profile", () => {
  assert.equal(judge("GET", 7, { statusCode: 200 }, '{"id":"7"}'), null);
  assert.equal(judge("HEAD", 7, { statusCode: 200 }, ""), null);
  assert.equal(judge("POST", 7, { statusCode: 204 }, ""), null);
  assert.match(judge("GET", 7, { statusCode: 500 }, "") ?? "", /answered 500, not 200/);
  assert.match(judge("GET", 7, { statusCode: 200 }, '{"id":"7"') ?? "", /broken/);
  assert.match(judge("GET", 7, { statusCode: 200 }, '{"id":"8"}') ?? "", /somebody else's/);
});

test("the panel is the picture of status -w, never wraps, and is never higher than it may be", () => {
  const route = routeStatus("profiles", { waitingFor: `long ${"x".repeat(500)} \u001b[2J` });
  const clients = { answers: 12, failed: 0, bySide: {}, byReason: {} };
  for (const columns of [40, 80, 200]) {
    for (const rows of [8, 14, 18]) {
      const drawing = { nowMs: 0, spanMs: 60_000, columns, rows, paint: plain, glyphs: BLOCKS };
      const lines = panelLines(route, NO_TREND, clients, drawing);
      assert.ok(lines.length <= rows, `${lines.length}`);
      for (const line of lines) assert.ok(textWidth(line) <= columns, line);
      assert.ok(!lines.join("\n").includes("\u001b"));
      assert.match(lines.join("\n"), /canary .*5% to new/);
      assert.equal(lines.at(-1), "  clients    12 answered, 0 failed");
    }
  }
});

test("a port that is taken is not asked for", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal(await freePort(port), 0);
  server.close();
  await once(server, "close");
  assert.equal(await freePort(port), port);
});

test("a chapter that does not happen ends the story with exit 1 and its name", async () => {
  const said: string[] = [];
  const chapters: readonly Chapter[] = [
    { title: "It begins", play: async ({ say }) => say("once upon a time") },
    { title: "It goes on", play: () => Promise.reject(new Error("no wolf: not within 10 s")) },
    { title: "It ends", play: () => Promise.reject(new Error("never played")) },
  ];
  const screen = {
    live: false,
    room: () => ({ columns: 80, rows: 10, glyphs: BLOCKS }),
    say: (text: string) => said.push(text),
    panel() {},
    close() {},
  };
  const streams = { out: { write: () => true }, err: { write: () => true } };
  const options = { once: true, streams, env: {}, paint: plain };
  // No chapter of this story looks at the stage.
  const story = playStory(chapters, {} as Stage, screen, options, new AbortController().signal);
  await assert.rejects(story, (error) => {
    assert.ok(error instanceof CliError);
    assert.equal(error.exitCode, 1);
    assert.match(error.message, /chapter 2, "It goes on", did not happen: no wolf/);
    return true;
  });
  assert.deepEqual(
    said.map((text) => text.trim()),
    ["1. It begins", "once upon a time", "2. It goes on"],
  );
});

test("the two services differ in one field's name and in the time, until the fault is on", async () => {
  const [old, fresh] = await Promise.all([startService("old"), startService("new")]);
  const profile = async (url: string) => {
    const response = await fetch(`${url}/profiles/7`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const [a, b] = [await profile(old.url), await profile(fresh.url)];
  assert.deepEqual(Object.keys(a.body), ["id", "name", "email", "plan", "servedAt"]);
  assert.deepEqual(Object.keys(b.body), ["id", "fullName", "email", "plan", "servedAt"]);
  assert.equal(a.body.name, b.body.fullName);
  assert.notEqual(a.body.servedAt, b.body.servedAt);
  assert.equal((await fetch(`${fresh.controlUrl}/fault/on`)).status, 405);
  await fetch(`${fresh.controlUrl}/fault/on`, { method: "POST" });
  assert.equal((await profile(fresh.url)).status, 500);
  assert.equal((await profile(old.url)).status, 200);
  await fetch(`${fresh.controlUrl}/fault/off`, { method: "POST" });
  assert.equal((await profile(fresh.url)).status, 200);
  await Promise.all([old.stop(), fresh.stop()]);
  await assert.rejects(fetch(old.url));
});

test("a service ends with whoever started it", async () => {
  const module = new URL("../../src/demo/profile-service.ts", import.meta.url);
  const child = fork(module, ["old"], { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  await once(child, "message");
  child.disconnect();
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});
