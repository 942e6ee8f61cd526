import assert from "node:assert/strict";
import { test } from "node:test";
import { type LogLine, rulesWith, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";
import { ACCEPT, answering, echo, opened, startUpgradeBackend, type UpgradeClient } from "./upgrade-peers.ts";

const NEW = "canary: 100%\nguard: { errors: off }";

const ROUTES = {
  plain: "canary: 0%",
  idle: "upgrade: { idle: 2500ms }",
  max: "upgrade: { max: 400ms }",
  close: NEW,
  keep: `${NEW}\nupgrade: { onRollback: keep }`,
  stay: "key: [header:x-user]\nsplit: { new: [acme], onRollback: stay }\ncanary: 100%",
  failing: `${NEW}\nfallback: off`,
  refusing: NEW,
};

test("the life of an upgraded connection", async (t) => {
  await using old = await startUpgradeBackend();
  await using fresh = await startUpgradeBackend();
  const rules = rulesWith(old.url, fresh.url, ROUTES);
  await using gateway = await TestGateway.start({ rules, flags: ["--access-log", "all"] });
  const url = gateway.proxyUrl;
  const open = (route: string, lines: readonly string[] = []): Promise<UpgradeClient> =>
    opened(url, `/${route}/x`, lines);
  const isOpen = async (client: UpgradeClient): Promise<void> => {
    client.text = "";
    client.send("still there?");
    await client.has("still there?");
  };
  const logged = (route: string): Promise<LogLine> =>
    until(`${route} is logged`, () =>
      gateway.lines.findLast((line) => line.msg === "request" && line.route === route),
    );
  const openCount = (labels: Readonly<Record<string, string>>): Promise<number> =>
    gateway.metric("cutover_upgrades_open", labels);

  await t.test("it is counted while it is open, and logged with its bytes once it has ended", async () => {
    const client = await open("plain");
    client.send("12345");
    await client.has("12345");
    await until("it is open", async () => (await openCount({ route: "plain", side: "old" })) === 1);
    await until("it is counted", async () => {
      return (await gateway.metric("cutover_requests_total", { route: "plain", code: "1xx" })) === 1;
    });
    await until("it is no request any more", async () => {
      return (await gateway.metric("cutover_inflight_requests")) === 0;
    });
    assert.equal(
      gateway.lines.find(({ msg }) => msg === "request"),
      undefined,
    );
    client.socket.end();
    await client.hasEnded();
    const line = await logged("plain");
    const { status, upgrade, bytesIn, bytesOut, endedBy, failure } = line;
    assert.deepEqual(
      { status, upgrade, bytesIn, bytesOut, endedBy, failure },
      { status: 101, upgrade: "websocket", bytesIn: 5, bytesOut: 5, endedBy: "client", failure: null },
    );
    await until("none is open", async () => (await openCount({})) === 0);
  });

  await t.test("an end of the client reaches the backend, which may still finish what it says", async () => {
    old.answer((socket) => {
      socket.write(ACCEPT);
      socket.resume();
      socket.on("end", () => socket.end("the last words"));
    });
    await using client = await open("plain");
    client.socket.end();
    await client.has("the last words");
    await client.hasEnded();
    old.answer(echo);
  });

  await t.test("an end of the backend reaches the client, which may still finish what it says", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    old.answer((socket) => {
      socket.end(`${ACCEPT}bye`);
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk;
      });
      socket.on("end", () => resolve(text));
    });
    await using client = await open("plain");
    await client.has("bye");
    await client.hasEnded();
    assert.equal(client.errorCode, null);
    client.socket.end("the last words");
    assert.equal(await promise, "the last words");
    old.answer(echo);
  });

  await t.test("a reset of one end is a reset of the other, never a clean end", async () => {
    await using client = await open("plain");
    await isOpen(client);
    old.sockets.at(-1)?.resetAndDestroy();
    await until("the client is reset", () => client.errorCode === "ECONNRESET");
    await using other = await open("plain");
    await isOpen(other);
    const backend = old.sockets.at(-1);
    assert.ok(backend);
    other.socket.resetAndDestroy();
    await until("the backend is reset", () => backend.destroyed);
    assert.equal(backend.readableEnded, false);
  });

  await t.test("who does not read holds up the other end, not the gateway's memory", async () => {
    const chunk = Buffer.alloc(64 * 1024, 120);
    let sent = 0;
    old.answer((socket) => {
      socket.write(ACCEPT);
      const write = (): void => {
        while (socket.writable && socket.write(chunk)) sent += chunk.length;
        socket.once("drain", write);
      };
      write();
    });
    await using client = await open("plain");
    client.socket.pause();
    let last = -1;
    await until(
      "the backend is held up",
      () => {
        const isStill = sent === last;
        last = sent;
        return isStill && sent > 0;
      },
      { everyMs: 300 },
    );
    assert.ok(sent < 24 * 1024 * 1024, `${sent} bytes were taken`);
    client.text = "";
    client.socket.resume();
    await until("it goes on", () => client.text.length > sent / 2 && sent > last);
    old.sockets.at(-1)?.destroy();
    old.answer(echo);
  });

  await t.test("silence beyond the idle time ends it, and bytes put that off", async () => {
    await using client = await open("idle");
    const begunMs = performance.now();
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await isOpen(client);
    }
    await client.hasEnded();
    assert.ok(performance.now() - begunMs > 5_400);
    assert.equal((await logged("idle")).endedBy, "idle");
  });

  await t.test("it ends at its longest life, however busy it is", async () => {
    await using client = await open("max");
    const busy = setInterval(() => client.send("x"), 20);
    await client.hasEnded();
    clearInterval(busy);
    assert.equal((await logged("max")).endedBy, "max");
  });

  await t.test(
    "a rollback closes those to new within a second, or keeps them where the rules say so",
    async () => {
      await using closing = await open("close");
      await using kept = await open("keep");
      await using stays = await open("stay", ["X-User: acme"]);
      await using leaves = await open("stay", ["X-User: globex"]);
      for (const client of [closing, kept, stays, leaves]) {
        assert.match(client.text, /x-cutover-side: new/);
        await isOpen(client);
      }
      const begunMs = performance.now();
      for (const route of ["close", "keep", "stay"]) await gateway.act(route, "rollback", "a test");
      await Promise.all([closing.hasEnded(), leaves.hasEnded()]);
      // A second, and what a machine that stands still takes besides.
      assert.ok(performance.now() - begunMs < 6_000);
      assert.equal((await logged("close")).endedBy, "rollback");
      await isOpen(kept);
      await isOpen(stays);
      await using again = await open("close");
      assert.match(again.text, /x-cutover-side: old\r\nx-cutover-reason: rolled-back/);
      await isOpen(again);
    },
  );

  await t.test("failed upgrades count against new, refused ones do not", async () => {
    fresh.answer(answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"));
    for (let i = 0; i < 6; i++) (await open("refusing")).socket.destroy();
    fresh.answer((socket) => socket.resetAndDestroy());
    for (let i = 0; i < 6; i++) (await open("failing")).socket.destroy();
    await until("failing is rolled back", async () => (await gateway.route("failing")).latched);
    const refusing = await gateway.route("refusing");
    assert.equal(refusing.latched, false);
    assert.equal(refusing.errors.new, 0);
    fresh.answer(echo);
  });

  await t.test("a reload keeps it open", async () => {
    await using client = await open("plain");
    await isOpen(client);
    await gateway.reloadWith(rulesWith(old.url, fresh.url, { only: "canary: 0%" }));
    await isOpen(client);
  });
});

test("at a drain they may end by themselves, and are ended at its limit", async () => {
  await using backend = await startUpgradeBackend();
  const rules = rulesWith(backend.url, backend.url, { a: "canary: 0%" });
  const flags = ["--drain-delay", "3s", "--drain-timeout", "2s", "--access-log", "all"];
  await using gateway = await TestGateway.start({ rules, flags });
  await using client = await opened(gateway.proxyUrl, "/a/x");
  gateway.signal("SIGTERM");
  await gateway.logged("draining");
  // Within the time in which balancers look away, who comes is still served.
  await using late = await opened(gateway.proxyUrl, "/a/x");
  assert.match(late.text, /^HTTP\/1\.1 101 /);
  client.send("ping");
  await client.has("ping");
  await Promise.all([client.hasEnded(), late.hasEnded()]);
  assert.equal(await gateway.exit(), 0);
  const ends = (): unknown[] => gateway.lines.filter(({ endedBy }) => endedBy === "drain");
  await until("both are logged", () => ends().length === 2);
});

test("a drain waits no longer than for the last of them", async () => {
  await using backend = await startUpgradeBackend();
  const rules = rulesWith(backend.url, backend.url, { a: "canary: 0%" });
  await using gateway = await TestGateway.start({ rules, flags: ["--drain-timeout", "1h"] });
  await using client = await opened(gateway.proxyUrl, "/a/x");
  gateway.signal("SIGTERM");
  await gateway.logged("draining");
  client.send("ping");
  await client.has("ping");
  client.socket.end();
  assert.equal(await gateway.exit(), 0);
});
