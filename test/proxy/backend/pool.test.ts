import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { until } from "../../support/until.ts";
import {
  type Asked,
  answer,
  ECHO,
  NOBODY,
  OK,
  type Peer,
  poolTo,
  type Step,
  startPeer,
  type TestPool,
} from "./asking.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");

test("an idle connection is asked again, the one used last first", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url);
  for (const target of ["/one", "/two", "/three"]) {
    assert.equal((await to.ask({ target }).over).result, `200 ${target}`);
  }
  assert.equal(peer.connections.length, 1);
});

test("there are never more connections than allowed, and who waits is served in order", async () => {
  const answered: string[] = [];
  await using peer = await startPeer((connection, piece) => {
    answered.push(/ (\/\S*) /.exec(piece)?.[1] ?? "");
    setImmediate(() => ECHO(connection, piece));
  });
  using to = poolTo(peer.url, { maxConnections: 2 });
  const targets = Array.from({ length: 20 }, (_, n) => `/${n}`);
  const asked = await Promise.all(targets.map((target) => to.ask({ target }).over));
  assert.deepEqual(
    asked.map(({ result }) => result),
    targets.map((target) => `200 ${target}`),
  );
  assert.equal(peer.connections.length, 2);
  // Two connections may overtake each other, by one.
  for (const [at, target] of answered.entries()) assert.ok(Math.abs(Number(target.slice(1)) - at) <= 1);
});

test("a call that is given up while it waits never reaches the backend", async () => {
  await using peer = await startPeer(() => {});
  using to = poolTo(peer.url, { maxConnections: 1 });
  const first = to.ask({ target: "/first" });
  await until("the first is there", () => peer.connections[0]?.text);
  const second = to.ask({ target: "/second" });
  const third = to.ask({ target: "/third" });
  second.abort("nobody waits");
  assert.deepEqual(second.steps, ["failed"]);
  assert.equal(second.result, "failed: nobody waits");
  second.abort();
  peer.script = ECHO;
  peer.connections[0]?.socket.write(answer("late"));
  assert.equal((await first.over).result, "200 late");
  assert.equal((await third.over).result, "200 /third");
  assert.deepEqual(second.steps, ["failed"]);
  assert.doesNotMatch(peer.connections[0]?.text ?? "", /second/);
});

test("where no connection can be made each call fails for itself, and the pool tries again for the next", async () => {
  using to = poolTo(NOBODY, { maxConnections: 2 });
  for (let round = 0; round < 3; round++) {
    const asked = await Promise.all(Array.from({ length: 5 }, () => to.ask().over));
    for (const { error, steps } of asked) {
      assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
      assert.deepEqual(steps, ["failed"]);
    }
  }
});

test("a connection that cannot even be tried fails its call, every time, and throws nothing", async () => {
  const tls = { ca: null, serverName: null, cert: fixture("client.pem"), key: fixture("server.key") };
  using to = poolTo("https://127.0.0.1:1", { tls, maxConnections: 2 });
  for (let round = 0; round < 6; round++) {
    const { error, steps } = await to.ask().over;
    assert.match(String(error), /key values mismatch/i);
    assert.deepEqual(steps, ["failed"]);
  }
});

for (const step of ["sent", "uploaded", "interim", "head", "data"] satisfies Step[]) {
  test(`a call given up in the middle of "${step}" hears of nothing but its end, and the next is served`, async () => {
    const text = `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${answer("hello")}`;
    await using peer = await startPeer(({ socket }) => socket.write(text));
    using to = poolTo(peer.url, { maxConnections: 1 });
    const asked = await to.ask({}, { [step]: (call: Asked) => call.abort("enough") }).over;
    assert.equal(asked.result, "failed: enough");
    assert.deepEqual(asked.steps.slice(asked.steps.indexOf(step)), [step, "failed"]);
    assert.equal((await to.ask().over).result, "200 hello");
    assert.equal(
      peer.connections.length,
      step === "sent" || step === "uploaded" ? peer.connections.length : 2,
    );
  });
}

test("a call begun in the middle of another's end is served like any other", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url, { maxConnections: 1 });
  const { promise, resolve } = Promise.withResolvers<Asked>();
  to.ask({ target: "/first" }, { end: () => void to.ask({ target: "/second" }).over.then(resolve) });
  assert.equal((await promise).result, "200 /second");
  assert.equal(peer.connections.length, 1);
});

test("a call begun in the middle of another's failure is served like any other", async () => {
  await using peer = await startPeer(({ socket }) => socket.destroy());
  using to = poolTo(peer.url, { maxConnections: 1 });
  const { promise, resolve } = Promise.withResolvers<Asked>();
  const again = (): void => {
    peer.script = ECHO;
    void to.ask({ target: "/second" }).over.then(resolve);
  };
  to.ask({ target: "/first" }, { failed: again });
  assert.equal((await promise).result, "200 /second");
});

test("what comes unasked on an idle connection ends it, and is nobody's answer", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url, { maxConnections: 1 });
  assert.equal((await to.ask({ target: "/one" }).over).result, "200 /one");
  const [{ socket } = assert.fail()] = peer.connections;
  socket.write(answer("poison"));
  await until("the connection is closed", () => socket.destroyed || socket.readableEnded);
  assert.equal((await to.ask({ target: "/two" }).over).result, "200 /two");
  assert.equal(peer.connections.length, 2);
});

test("a connection that the backend ends while it is idle is replaced", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url, { maxConnections: 1 });
  for (const end of ["end", "destroy", "resetAndDestroy"] as const) {
    assert.equal((await to.ask({ target: "/one" }).over).result, "200 /one");
    const { socket } = peer.connections.at(-1) ?? assert.fail();
    socket[end]();
    await once(socket, "close");
    assert.equal((await to.ask({ target: "/two" }).over).result, "200 /two");
  }
});

/** Leaves two kept connections. */
async function withTwoIdle(to: TestPool, peer: Peer): Promise<void> {
  await Promise.all([to.ask().over, to.ask().over]);
  assert.equal(peer.connections.length, 2);
}

test("after a kept connection that proved stale, the others are not tried: they have been idle for longer", async () => {
  await using peer = await startPeer((connection, piece) => {
    if (connection.text === piece) ECHO(connection, piece);
    else connection.socket.resetAndDestroy();
  });
  using to = poolTo(peer.url);
  await withTwoIdle(to, peer);
  assert.notEqual((await to.ask().over).error, null);
  assert.equal((await to.ask({ target: "/again" }).over).result, "200 /again");
  assert.equal(peer.connections.length, 3);
});

test("requests that cost their connection each time cost the others theirs once a second", async () => {
  await using peer = await startPeer((connection, piece) => {
    if (piece.startsWith("GET /ends ")) connection.socket.resetAndDestroy();
    else ECHO(connection, piece);
  });
  using to = poolTo(peer.url);
  /** Whether the one that was idle beside it went too. */
  const endsOneOfTwo = async (): Promise<boolean> => {
    await Promise.all([to.ask().over, to.ask().over]);
    const before = peer.connections.length;
    assert.notEqual((await to.ask({ target: "/ends" }).over).error, null);
    await to.ask().over;
    return peer.connections.length > before;
  };
  assert.equal(await endsOneOfTwo(), true);
  assert.equal(await endsOneOfTwo(), false);
  assert.equal(await endsOneOfTwo(), false);
  to.passMs(1_000);
  await until("a second is over", endsOneOfTwo);
});

test("a connection that ends within an answer says nothing of the others", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url);
  await withTwoIdle(to, peer);
  peer.script = ({ socket }) => socket.end(`${OK}Content-Length: 9\r\n\r\nhello`);
  assert.notEqual((await to.ask().over).error, null);
  peer.script = ECHO;
  assert.equal((await to.ask({ target: "/next" }).over).result, "200 /next");
  assert.equal(peer.connections.length, 2);
});

test("close resolves at once where nothing is under way, again too, and ends what stands by", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url);
  await Promise.all([to.ask().over, to.ask().over, to.ask().over]);
  await Promise.all([to.pool.close(), to.pool.close()]);
  await to.pool.close();
  await until("all connections are closed", () =>
    peer.connections.every(({ socket }) => socket.readableEnded),
  );
});

test("close waits for the calls under way, those that wait for a connection too", async () => {
  await using peer = await startPeer(() => {});
  using to = poolTo(peer.url, { maxConnections: 1 });
  const first = to.ask({ target: "/first" });
  const second = to.ask({ target: "/second" });
  let isClosed = false;
  const closed = to.pool.close().then(() => (isClosed = true));
  await until("the first is there", () => peer.connections[0]?.text);
  peer.script = ECHO;
  assert.equal(isClosed, false);
  peer.connections[0]?.socket.write(answer("late"));
  assert.equal((await first.over).result, "200 late");
  assert.equal(isClosed, false);
  assert.equal((await second.over).result, "200 /second");
  await closed;
});

test("while it closes, a connection that nobody waits for stands by no longer", async () => {
  await using peer = await startPeer(({ socket }, piece) => {
    if (piece.startsWith("GET /endless ")) socket.write(`${OK}\r\n`);
    else socket.write(answer("x", "Keep-Alive: timeout=50\r\n"));
  });
  using to = poolTo(peer.url);
  const endless = to.ask({ target: "/endless" });
  await to.ask().over;
  const closed = to.pool.close();
  await until("one is closed", () => peer.connections.some(({ socket }) => socket.readableEnded));
  assert.deepEqual(endless.steps, ["sent", "uploaded", "head"]);
  endless.abort();
  await closed;
});

test("close resolves where a connection is still being made for a call that was given up", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url);
  to.ask().abort();
  await to.pool.close();
  // Whoever asks all the same is served: the rules may still hold it.
  assert.equal((await to.ask({ target: "/late" }).over).result, "200 /late");
});
