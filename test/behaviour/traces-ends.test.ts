import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { startCollector } from "../support/collector.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";
import { answering, echo, opened, startUpgradeBackend } from "../wire/upgrade-peers.ts";

const ROUTES = { r: "canary: 0%", slow: "canary: 0%" };

test("however a request ends, and whatever becomes of the exporting thread, spans are written", async (t) => {
  await using old = await startUpgradeBackend();
  await using collector = await startCollector();
  const folder = await mkdtemp(join(tmpdir(), "cutover-traces-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const victim = join(folder, "victim");
  await using gateway = await TestGateway.start({
    rules: rulesWith(old.url, old.url, ROUTES),
    folder,
    flags: ["--otlp", collector.url, "--trace-sample", "100%", "--access-log", "off"],
    env: {
      NODE_OPTIONS: `--import=${new URL("../support/thread-killer.ts", import.meta.url)}`,
      CUTOVER_TEST_VICTIM: victim,
    },
  });
  /** The server span of the only request on this path. */
  const spanOf = (path: string) =>
    until(`the span of ${path} comes`, () =>
      collector.spans.find(({ kind, attributes }) => kind === "server" && attributes["url.path"] === path),
    );

  await t.test("an upgraded connection is one span as long as it is open", async () => {
    old.answer(echo);
    await using client = await opened(gateway.proxyUrl, "/r/socket");
    const openedMs = performance.now();
    client.send("ping");
    await client.has("ping");
    await until("it has been open for a while", () => performance.now() - openedMs > 300);
    assert.ok(!collector.spans.some(({ kind }) => kind === "server"), "not before its end");
    client.socket.end();
    await client.hasEnded();
    const span = await spanOf("/r/socket");
    assert.equal(span.attributes["http.response.status_code"], 101);
    assert.equal(span.isError, false);
    assert.ok(span.endNs - span.startNs > 200_000_000n);
  });

  await t.test("a client that leaves is named, and is nobody's error", async () => {
    old.answer(() => {});
    const leaving = request(`${gateway.proxyUrl}/slow/left`);
    leaving.on("error", () => {}); // it is cut off below
    leaving.end();
    await until("it is at the backend", () => old.heads.some((head) => head.includes("/slow/left")));
    leaving.destroy();
    const span = await spanOf("/slow/left");
    assert.equal(span.attributes["error.type"], "client_gone");
    assert.equal(span.attributes["http.response.status_code"], undefined);
    assert.equal(span.isError, false);
    const leg = await until("its leg comes", () =>
      collector.spans.find((each) => each.parentId === span.spanId),
    );
    assert.deepEqual([leg.attributes["error.type"], leg.isError], ["client_gone", false]);
  });

  await t.test("an exporting thread that dies is replaced, and spans go on", async () => {
    old.answer(answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    const seen = gateway.lines.length;
    await writeFile(victim, "traces");
    gateway.signal("SIGUSR2");
    const event = await gateway.logged("thread-replaced", seen);
    assert.equal(event.kind, "traces");
    assert.equal(await gateway.metric("cutover_thread_replacements_total", { thread: "traces" }), 1);
    assert.equal((await ask(gateway.proxyUrl, { path: "/r/again" })).status, 200);
    assert.equal((await spanOf("/r/again")).attributes["http.response.status_code"], 200);
  });

  await t.test("a data thread that is replaced writes spans too", async () => {
    for (const thread of ["data-0", "data-1"]) {
      const seen = gateway.lines.length;
      await writeFile(victim, thread);
      gateway.signal("SIGUSR2");
      await gateway.logged("thread-replaced", seen);
    }
    assert.equal((await ask(gateway.proxyUrl, { path: "/r/replaced" })).status, 200);
    await spanOf("/r/replaced");
  });
});
