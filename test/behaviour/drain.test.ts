import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { type Asked, ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { cutover } from "../support/command.ts";
import { rulesFor, TestGateway, TOKEN } from "../support/gateway.ts";
import { startLoad } from "../support/load.ts";
import { obedient } from "../support/obedient.ts";
import { until } from "../support/until.ts";

test("SIGTERM under load: no longer ready, no request fails, exit 0", async () => {
  await using old = await startBackend(json({}));
  await using fresh = await startBackend(json({}));
  const rules = rulesFor(old.url, fresh.url, "canary: 50%");
  await using gateway = await TestGateway.start({ rules, flags: ["--drain-delay", "5s"] });
  const ready = async (): Promise<number> => (await fetch(`${gateway.adminUrl}/readyz`)).status;
  assert.equal(await ready(), 200);
  const loads = [true, false].map((keepAlive) => startLoad(gateway.proxyUrl, { clients: 3, keepAlive }));
  await until("they are served", () => loads.every(({ answers }) => answers.length > 20));
  gateway.signal("SIGTERM");
  await until("it is not ready", async () => (await ready()) === 503);
  assert.equal((await fetch(`${gateway.adminUrl}/healthz`)).status, 200);
  const told = await ask(gateway.proxyUrl);
  assert.deepEqual([told.status, told.connection], [200, "close"]);
  // A balancer has seen it by now and looks away.
  await Promise.all(loads.map((load) => load.stop()));
  const answers = loads.flatMap((load) => load.answers);
  assert.deepEqual(
    loads.flatMap(({ errors }) => errors),
    [],
  );
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(await gateway.exit(), 0);
  const events = gateway.lines.map(({ msg }) => msg).filter((msg) => msg !== "request");
  assert.deepEqual(events.slice(-2), ["draining", "stopped"]);
  assert.equal(
    gateway.lines.filter(({ msg }) => msg === "request").length,
    answers.length + 1,
    "all are logged",
  );
  await assert.rejects(ask(gateway.proxyUrl));
});

/** A gateway with one request in flight that new answers when it is told to, which it may never be. */
async function withRequestInFlight(
  flags: readonly string[],
  use: (gateway: TestGateway, inFlight: Promise<Asked>, answer: () => void) => Promise<void>,
): Promise<void> {
  const { promise: told, resolve: answer } = Promise.withResolvers<void>();
  await using fresh = await startBackend((req, res, body) => {
    void told.then(() => obedient("x-new")(req, res, body));
  });
  const rules = rulesFor(fresh.url, fresh.url, "canary: 100%\nfallback: off");
  await using gateway = await TestGateway.start({ rules, flags });
  const inFlight = ask(gateway.proxyUrl);
  inFlight.catch(() => {}); // the test itself asks what became of it
  await until("the backend has it", () => fresh.seen.length === 1);
  await use(gateway, inFlight, answer);
}

function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  return new Promise((resolve) => {
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}

test("a request in flight is finished before the end", async () => {
  await withRequestInFlight([], async (gateway, inFlight, answer) => {
    gateway.signal("SIGTERM");
    await gateway.logged("draining");
    await until("new connections are refused", () => isRefused(gateway.proxyUrl));
    assert.equal((await gateway.status()).draining, true);
    answer();
    assert.equal((await inFlight).status, 200);
    assert.equal(await gateway.exit(), 0);
    assert.equal(
      gateway.lines.filter(({ msg, status }) => msg === "request" && status === 200).length >= 1,
      true,
    );
  });
});

test("the drain ends at its limit, whatever is still in flight", async () => {
  await withRequestInFlight(["--drain-timeout", "300ms"], async (gateway, inFlight) => {
    gateway.signal("SIGTERM");
    assert.equal(await gateway.exit(), 0);
    await assert.rejects(inFlight);
    const cut = gateway.lines.find(({ msg, failure }) => msg === "request" && failure !== null);
    assert.equal(cut?.failure, "drain_limit_reached");
    assert.equal(gateway.lines.find(({ msg }) => msg === "stopped")?.cutOff, 1);
  });
});

test("a second signal, later than an echo of the first, ends it at once with 1", async () => {
  await withRequestInFlight(["--drain-timeout", "1h"], async (gateway, inFlight) => {
    gateway.signal("SIGTERM");
    await gateway.logged("draining");
    const ended = gateway.exit();
    await until("it has ended", () => {
      gateway.signal("SIGTERM");
      return Promise.race([ended.then(() => true), new Promise((resolve) => setTimeout(resolve, 50, false))]);
    });
    assert.equal(await ended, 1);
    assert.match(gateway.stderr, /SIGTERM again: stopping at once/);
    await assert.rejects(inFlight);
  });
});

test("`cutover drain` is an orderly end from afar", async () => {
  await withRequestInFlight([], async (gateway, inFlight, answer) => {
    const { code } = await cutover(["drain", "--admin", gateway.adminUrl], { CUTOVER_ADMIN_TOKEN: TOKEN });
    assert.equal(code, 0);
    await gateway.logged("draining");
    answer();
    assert.equal((await inFlight).status, 200);
    assert.equal(await gateway.exit(), 0);
  });
});
