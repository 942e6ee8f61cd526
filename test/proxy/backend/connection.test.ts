import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { Connection } from "../../../src/proxy/backend/connection.ts";
import { failureOf } from "../../../src/proxy/classify.ts";
import { Deadlines } from "../../../src/proxy/deadlines.ts";
import { until } from "../../support/until.ts";
import { answer, ECHO, NOBODY, OK, poolTo, type Script, startPeer } from "./asking.ts";

const plays =
  (text: string): Script =>
  ({ socket }) =>
    socket.write(text);

test("an answer and the end of the connection behind it are a whole answer", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url, { maxConnections: 1 });
  for (const behind of ["end", "reset"] as const) {
    peer.script = ({ socket }) => {
      socket.write(answer("whole"), () => (behind === "end" ? socket.end() : socket.resetAndDestroy()));
    };
    const asked = await to.ask().over;
    assert.equal(asked.result, "200 whole", behind);
    peer.script = ECHO;
    const next = await until("the next is served", async () => {
      const { result } = await to.ask({ target: "/next" }).over;
      return result === "200 /next" ? result : null;
    });
    assert.equal(next, "200 /next");
  }
});

test("a body that ends with the connection is whole at its end, and broken by a reset", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url);
  peer.script = ({ socket }) => socket.end(`${OK}\r\nhello`);
  const whole = await to.ask().over;
  assert.deepEqual([whole.result, whole.steps.at(-1)], ["200 hello", "end"]);
  peer.script = ({ socket }) => socket.write(`${OK}\r\nhello`);
  const broken = to.ask();
  await until("a part is there", () => broken.body === "hello");
  peer.connections.at(-1)?.socket.resetAndDestroy();
  assert.equal(failureOf((await broken.over).error), "connection_terminated");
});

test("an end within an answer is told apart from an end before it", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url);
  for (const [text, failure] of [
    ["", "connection_terminated"],
    ["H", "http_response_incomplete"],
    [`${OK}X: y\r\n`, "http_response_incomplete"],
    ["HTTP/1.1 103 Early Hints\r\n\r\n", "http_response_incomplete"],
    [`${OK}Content-Length: 9\r\n\r\nhello`, "http_response_incomplete"],
    [`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, "http_response_incomplete"],
  ] as const) {
    peer.script = ({ socket }) => socket.end(text);
    assert.equal(failureOf((await to.ask().over).error), failure, text);
  }
});

test("an answer that is none fails its call, and cuts the connection", async () => {
  await using peer = await startPeer(plays("HTTP/2.0 200 OK\r\n\r\n"));
  using to = poolTo(peer.url);
  assert.equal(failureOf((await to.ask().over).error), "http_protocol_error");
  await until("the connection is cut", () => peer.connections[0]?.socket.readableEnded);
});

for (const method of ["HEAD", "GET with a body"]) {
  test(`a connection is not used again after ${method}: some backends answer it in two ways`, async () => {
    await using peer = await startPeer(plays(`${OK}Content-Length: 0\r\n\r\n`));
    using to = poolTo(peer.url);
    const request = method === "HEAD" ? { method } : { body: Buffer.from("x") };
    for (let n = 1; n <= 2; n++) {
      assert.equal((await to.ask(request).over).result, "200 ");
      assert.match(peer.connections.at(-1)?.text ?? "", /\r\nconnection: close\r\n/);
      assert.equal(peer.connections.length, n);
    }
  });
}

test("an idle connection is kept for 4 s, or 2 s less than the backend says, but never a minute", async () => {
  await using peer = await startPeer();
  for (const [hint, idleMs] of [
    ["", 4_000],
    ["Keep-Alive: timeout=20\r\n", 18_000],
    ["Keep-Alive: timeout=600\r\n", 55_000],
  ] as const) {
    using to = poolTo(peer.url);
    peer.script = plays(answer("ok", hint));
    await to.ask().over;
    const connection = peer.connections.at(-1) ?? assert.fail();
    to.passMs(idleMs - 1_000);
    await to.ask().over;
    assert.equal(peer.connections.at(-1), connection, hint);
    to.passMs(idleMs);
    await until("it is ended", () => connection.socket.readableEnded);
  }
});

test("a backend that keeps connections for two seconds or less is asked on a new one", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url);
  for (const [n, seconds] of [0, 1, 2].entries()) {
    peer.script = plays(answer("ok", `Keep-Alive: timeout=${seconds}\r\n`));
    await to.ask().over;
    assert.equal(peer.connections.length, n + 1);
  }
});

test("an answer's body that stops for too long fails; what comes in time goes on", async () => {
  await using peer = await startPeer(plays(`${OK}Content-Length: 9\r\n\r\nhel`));
  using to = poolTo(peer.url, {}, { stallMs: 60_000 });
  const asked = to.ask();
  await until("a part is there", () => asked.body === "hel");
  to.passMs(50_000);
  peer.connections[0]?.socket.write("lo");
  await until("more is there", () => asked.body === "hello");
  to.passMs(50_000);
  peer.connections[0]?.socket.write("!");
  await until("more is there", () => asked.body === "hello!");
  to.passMs(60_000);
  assert.equal(failureOf((await asked.over).error), "connection_read_timeout");
});

test("while its reader is slow an answer waits at the backend, is no silence of it, and comes whole in the end", async () => {
  const bytes = 32 * 1024 * 1024;
  await using peer = await startPeer(({ socket }) => {
    socket.write(`${OK}Content-Length: ${bytes}\r\n\r\n`);
    socket.write(Buffer.alloc(bytes, "x"));
  });
  using to = poolTo(peer.url, {}, { stallMs: 60_000 });
  let received = 0;
  const asked = to.ask(
    {},
    {
      data: (call) => {
        received += call.body.length;
        if (received === call.body.length) call.pause();
        call.body = "";
      },
    },
  );
  await until("it is paused", () => received > 0);
  to.passMs(600_000);
  await new Promise((resolve) => setTimeout(resolve, 60)); // two ticks of the deadlines
  to.passMs(30_000);
  assert.ok(received < 1024 * 1024, `${received} bytes came though nobody took them`);
  assert.ok((peer.connections[0]?.socket.writableLength ?? 0) > bytes / 2);
  assert.equal(asked.error, null);
  asked.resume();
  assert.equal((await asked.over).error, null);
  assert.equal(received, bytes);
  to.passMs(3_000);
  peer.script = ECHO;
  assert.equal((await to.ask({ target: "/next" }).over).result, "200 /next");
  assert.equal(peer.connections.length, 1);
});

test("a reader that is slow with the very last part leaves a connection that reads again", async () => {
  await using peer = await startPeer();
  using to = poolTo(peer.url, { maxConnections: 1 });
  for (const target of ["/one", "/two"]) {
    const asked = await to.ask({ target }, { data: (call) => call.pause() }).over;
    assert.equal(asked.result, `200 ${target}`);
    asked.resume();
    asked.pause();
    asked.abort();
  }
  assert.equal(peer.connections.length, 1);
});

test("a call given up while it is paused ends its connection", async () => {
  await using peer = await startPeer(plays(`${OK}Content-Length: 9\r\n\r\nhel`));
  using to = poolTo(peer.url, { maxConnections: 1 });
  const asked = to.ask({}, { data: (call) => call.pause() });
  await until("a part is there", () => asked.body === "hel");
  asked.abort();
  assert.deepEqual(asked.steps.slice(-2), ["data", "failed"]);
  peer.script = ECHO;
  assert.equal((await to.ask({ target: "/next" }).over).result, "200 /next");
});

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

test("a switch hands over the socket with what came behind it, and counts as no connection of the pool's", async () => {
  await using peer = await startPeer(plays(`${SWITCH}first `));
  using to = poolTo(peer.url, { maxConnections: 1 });
  const asked = await to.ask({ upgrade: "websocket" }).over;
  assert.deepEqual(asked.steps, ["sent", "uploaded", "switch"]);
  assert.match(peer.connections[0]?.text ?? "", /\r\nconnection: upgrade\r\nupgrade: websocket\r\n/);
  const socket = asked.socket ?? assert.fail();
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.resume();
  peer.script = () => {};
  peer.connections[0]?.socket.write("second");
  await until("all of it is there", () => text === "first second");
  peer.script = ECHO;
  assert.equal((await to.ask({ target: "/next" }).over).result, "200 /next");
  await to.pool.close();
  assert.equal(socket.destroyed, false);
  // A reset that nobody listens for is no uncaught error.
  peer.connections[0]?.socket.resetAndDestroy();
  await until("it is closed", () => socket.destroyed);
});

test("a switch after an upload on its connection: what cannot be written ends the socket", async () => {
  await using peer = await startPeer(({ socket }, piece) => {
    if (piece.startsWith("POST ")) socket.write(answer("thanks"));
    else if (piece.startsWith("GET ")) socket.write(SWITCH);
  });
  using to = poolTo(peer.url);
  assert.equal((await to.ask({ method: "POST", body: Buffer.from("x") }).over).result, "200 thanks");
  const socket = (await to.ask({ upgrade: "websocket" }).over).socket ?? assert.fail();
  assert.equal(peer.connections.length, 1);
  peer.connections[0]?.socket.resetAndDestroy();
  // Nobody reads from it: the write alone tells.
  socket.write("x");
  await until("it is closed", () => socket.destroyed);
});

test("the end of the connection right behind a switch comes with the socket", async () => {
  await using peer = await startPeer(({ socket }) => socket.end(`${SWITCH}all`));
  using to = poolTo(peer.url);
  const socket = (await to.ask({ upgrade: "websocket" }).over).socket ?? assert.fail();
  let text = "";
  for await (const chunk of socket) text += (chunk as Buffer).toString("latin1");
  assert.equal(text, "all");
});

test("a refused upgrade is an ordinary answer, and the connection ends with it", async () => {
  await using peer = await startPeer(plays(answer("no")));
  using to = poolTo(peer.url);
  const asked = await to.ask({ upgrade: "websocket" }).over;
  assert.equal(asked.result, "200 no");
  await until("the connection is cut", () => peer.connections[0]?.socket.readableEnded);
});

test("a connection keeps no process alive, by whichever of a name's addresses it was made", async () => {
  await using peer = await startPeer();
  const port = Number(new URL(peer.url).port);
  const socket = connect({
    host: "two.test",
    port,
    autoSelectFamily: true,
    lookup: (_host, _options, done) =>
      done(null, [
        { address: "::1", family: 6 },
        { address: "127.0.0.1", family: 4 },
      ]),
  });
  const deadlines = new Deadlines(() => performance.now());
  const idle = Promise.withResolvers<void>();
  const owner = {
    onConnected: () => {},
    onIdle: () => idle.resolve(),
    onStale: () => {},
    onGone: () => idle.reject(new Error("gone")),
  };
  const times = { connectMs: 5_000, stallMs: 5_000 };
  const connection = new Connection({ socket, ready: "connect" }, owner, deadlines, times);
  const held = setTimeout(() => {}, 10_000);
  await idle.promise;
  clearTimeout(held);
  const before = process.getActiveResourcesInfo().length;
  socket.ref();
  assert.equal(process.getActiveResourcesInfo().length, before + 1);
  connection.destroy();
  deadlines.close();
});

test("an address of IPv6 is written in brackets, and called without", async (t) => {
  const peer = await startPeer(ECHO, "::1").catch(() => null);
  if (peer === null) {
    t.skip("no IPv6 here");
    return;
  }
  await using held = peer;
  using to = poolTo(held.url);
  assert.equal((await to.ask({ target: "/six" }).over).result, "200 /six");
});

test("a name that resolves to nothing, or to addresses that refuse, fails by its own name", async () => {
  using nowhere = poolTo("http://nowhere.invalid:80");
  assert.equal(failureOf((await nowhere.ask().over).error), "dns_error");
  using refused = poolTo(NOBODY.replace("127.0.0.1", "localhost"));
  assert.equal(failureOf((await refused.ask().over).error), "connection_refused");
});
