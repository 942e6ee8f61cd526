import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, ProxyError } from "../../../src/proxy/classify.ts";
import { standstill, until } from "../../support/until.ts";
import { answer, poolTo, type Script, startPeer } from "./asking.ts";
import { TestBody } from "./test-body.ts";

const SILENT: Script = () => {};

/** Answers once the end of a body in chunks has come. */
const AFTER_CHUNKS: Script = ({ socket, text }) => {
  if (text.endsWith("0\r\n\r\n")) socket.write(answer("thanks"));
};

const post = (body: TestBody | Buffer, headers: string[] = []) => ({ method: "POST", body, headers });

/** What has come behind the head. */
function bodyOf(text: string): string {
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

test("a body without a length goes in chunks, as its parts come", async () => {
  await using peer = await startPeer(AFTER_CHUNKS);
  using to = poolTo(peer.url);
  const body = new TestBody();
  const asked = to.ask(post(body));
  body.write("hello");
  await until("the first part is there", () => peer.connections[0]?.text.endsWith("hello\r\n"));
  body.end("w\xf6rld");
  assert.equal((await asked.over).result, "200 thanks");
  const text = peer.connections[0]?.text ?? "";
  assert.match(text, /\r\ntransfer-encoding: chunked\r\n/);
  assert.equal(bodyOf(text), "5\r\nhello\r\n5\r\nw\xf6rld\r\n0\r\n\r\n");
  assert.deepEqual(asked.steps, ["sent", "uploading", "uploading", "uploaded", "head", "data", "end"]);
});

for (const [how, headers, end] of [
  ["with a length", ["content-length", "5"], "hello"],
  ["in chunks", [], "5\r\nhello\r\n0\r\n\r\n"],
] as const) {
  test(`a body ${how} that is there whole goes out in one piece with its head`, async () => {
    const pieces: string[] = [];
    await using peer = await startPeer(({ socket }, piece) => {
      pieces.push(piece);
      socket.write(answer("ok"));
    });
    using to = poolTo(peer.url);
    const body = new TestBody();
    body.end("hello");
    const asked = await to.ask(post(body, [...headers])).over;
    assert.equal(asked.result, "200 ok");
    assert.deepEqual(pieces.map(bodyOf), [end]);
    assert.equal(asked.steps.filter((step) => step === "uploaded").length, 1);
  });
}

test("an empty body without a length is one empty chunk", async () => {
  await using peer = await startPeer(AFTER_CHUNKS);
  using to = poolTo(peer.url);
  const body = new TestBody();
  body.end();
  assert.equal((await to.ask(post(body)).over).result, "200 thanks");
  assert.equal(bodyOf(peer.connections[0]?.text ?? ""), "0\r\n\r\n");
});

test("a head does not wait for a body that is slow to begin", async () => {
  await using peer = await startPeer(SILENT);
  using to = poolTo(peer.url);
  const body = new TestBody();
  const asked = to.ask(post(body, ["content-length", "5"]));
  await until("the head is there", () => peer.connections[0]?.text.endsWith("\r\n\r\n"));
  body.end("hello");
  await until("the body is there", () => bodyOf(peer.connections[0]?.text ?? "") === "hello");
  peer.connections[0]?.socket.write(answer("ok"));
  assert.equal((await asked.over).result, "200 ok");
});

test("a body with a length goes as it is, whole ones in every size", async () => {
  await using peer = await startPeer(({ socket, text }) => {
    const bytes = Number(/content-length: ([0-9]+)/.exec(text.slice(text.lastIndexOf("POST ")))?.[1]);
    if (bodyOf(text.slice(text.lastIndexOf("POST "))).length === bytes) socket.write(answer("ok"));
  });
  using to = poolTo(peer.url);
  for (const bytes of [0, 1, 16 * 1024, 16 * 1024 + 1, 256 * 1024]) {
    const asked = await to.ask(post(Buffer.alloc(bytes, "x"))).over;
    assert.equal(asked.result, "200 ok");
    const text = peer.connections[0]?.text ?? "";
    const body = bodyOf(text.slice(text.lastIndexOf("POST ")));
    assert.ok(body === "x".repeat(bytes), `${bytes}`);
  }
  assert.equal(peer.connections.length, 1);
});

for (const [what, sent] of [
  ["shorter", "hell"],
  ["longer", "hello!"],
] as const) {
  test(`a body ${what} than its length is its sender's fault, and cuts the connection`, async () => {
    await using peer = await startPeer(SILENT);
    using to = poolTo(peer.url);
    const body = new TestBody();
    body.end(sent);
    const { error } = await to.ask(post(body, ["content-length", "5"])).over;
    assert.ok(error instanceof ProxyError);
    assert.equal(error.failure, "http_request_error");
    await until("the connection is cut", () => peer.connections.every(({ socket }) => socket.readableEnded));
    assert.ok(!peer.connections[0]?.text.includes("hello"));
  });
}

test("a body that breaks off never looks whole to the backend", async () => {
  await using peer = await startPeer(SILENT);
  using to = poolTo(peer.url);
  for (const failure of ["http_request_error", "client_gone"] as const) {
    const body = new TestBody();
    const asked = to.ask(post(body));
    body.write("hello");
    await until("the first part is there", () => peer.connections.at(-1)?.text.endsWith("hello\r\n"));
    body.break(new ProxyError(failure, "it broke"));
    const { error } = await asked.over;
    assert.ok(error instanceof ProxyError);
    assert.equal(error.failure, failure);
    const connection = peer.connections.at(-1) ?? assert.fail();
    await until(
      "the connection is cut",
      () => connection.socket.readableEnded || connection.socket.destroyed,
    );
    assert.ok(connection.text.endsWith("hello\r\n"));
  }
});

test("a body that is gone before its request has a connection fails it, and nothing is sent", async () => {
  await using peer = await startPeer(SILENT);
  using to = poolTo(peer.url, { maxConnections: 1 });
  const first = to.ask();
  const breaking = new TestBody();
  const broken = new TestBody();
  broken.break(new ProxyError("client_gone", "it broke"));
  const calls = [to.ask(post(breaking)), to.ask(post(broken))];
  breaking.break(new ProxyError("client_gone", "it broke"));
  for (const { over } of calls) {
    const { error, steps } = await over;
    assert.ok(error instanceof ProxyError);
    assert.equal(error.failure, "client_gone");
    assert.deepEqual(steps, ["failed"]);
  }
  first.abort();
});

test("an answer before the end of its request is passed on whole, the upload ends, and the connection too", async () => {
  await using peer = await startPeer(({ socket, text }) => {
    if (text.includes("hello")) socket.write(answer("too large"));
  });
  using to = poolTo(peer.url, { maxConnections: 1 });
  for (let n = 1; n <= 2; n++) {
    const body = new TestBody();
    body.write("hello");
    assert.equal((await to.ask(post(body)).over).result, "200 too large");
    assert.equal(body.isLeft, true);
    assert.equal(peer.connections.length, n);
    await until("the connection is cut", () => peer.connections.at(-1)?.socket.readableEnded);
    assert.ok(!peer.connections.at(-1)?.text.endsWith("0\r\n\r\n"));
  }
});

test("an answer that begins before its request has ended lets both go on", async () => {
  await using peer = await startPeer(({ socket, text }, piece) => {
    if (piece.includes("POST ")) socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    if (text.endsWith("0\r\n\r\n")) socket.write("0\r\n\r\n");
  });
  using to = poolTo(peer.url, { maxConnections: 1 });
  for (let n = 0; n < 2; n++) {
    const body = new TestBody();
    const asked = to.ask(post(body));
    body.write("ping");
    await until("it comes back", () => asked.body.includes("ping"));
    body.write("pong");
    await until("it comes back", () => asked.body.includes("pong"));
    body.end();
    assert.equal((await asked.over).error, null);
  }
  assert.equal(peer.connections.length, 1);
});

test("a backend that ends the connection within an upload fails it; with an answer in front, the answer counts", async () => {
  await using peer = await startPeer(({ socket, text }) => {
    if (text.includes("hello")) socket.end(text.includes("/answer") ? answer("no thanks") : "");
  });
  using to = poolTo(peer.url);
  for (const [target, result] of [
    ["/", "failed: the backend ended the connection"],
    ["/answer", "200 no thanks"],
  ]) {
    const body = new TestBody();
    body.write("hello");
    const asked = await to.ask({ ...post(body), target: target as string }).over;
    assert.equal(asked.result, result);
    assert.equal(body.isLeft, true);
  }
});

test("an answer is passed on though the backend resets the connection behind it while the upload goes on", async () => {
  let body = new TestBody();
  await using peer = await startPeer(({ socket, text }) => {
    if (!text.includes("hello")) return;
    socket.write(answer("no thanks"));
    socket.resetAndDestroy();
    // It is written before the answer is read, and fails.
    body.write("more");
  });
  using to = poolTo(peer.url, { maxConnections: 1 });
  for (const headers of [[], ["content-length", "999"]]) {
    body = new TestBody();
    body.write("hello");
    const asked = await to.ask(post(body, headers)).over;
    assert.equal(asked.result, "200 no thanks");
    assert.equal(body.isLeft, true);
  }
  assert.equal(peer.connections.length, 2);
});

test("a write that fails with no answer in front of it fails the call at once", async () => {
  let body = new TestBody();
  await using peer = await startPeer(({ socket, text }) => {
    if (!text.includes("hello")) return;
    socket.resetAndDestroy();
    body.write("more");
  });
  using to = poolTo(peer.url, { maxConnections: 1 });
  for (let n = 1; n <= 2; n++) {
    body = new TestBody();
    body.write("hello");
    const asked = await to.ask(post(body)).over;
    assert.equal(failureOf(asked.error), "connection_terminated");
    assert.equal(body.isLeft, true);
    assert.equal(peer.connections.length, n);
  }
});

test("a backend that does not read holds the upload back, and reads all of it in the end", async () => {
  const bytes = 32 * 1024 * 1024;
  let received = 0;
  await using peer = await startPeer();
  peer.script = ({ socket, text }, piece) => {
    if (received === 0) {
      socket.pause();
      received -= text.indexOf("\r\n\r\n") + 4;
    }
    received += piece.length;
    if (received === bytes) socket.write(answer("all of it"));
  };
  using to = poolTo(peer.url);
  const body = new TestBody();
  let written = 0;
  const write = (): void => {
    while (written < bytes) {
      written += 64 * 1024;
      if (!body.write(Buffer.alloc(64 * 1024))) {
        body.onAsked = write;
        return;
      }
    }
    body.end();
  };
  const asked = to.ask(post(body, ["content-length", String(bytes)]));
  write();
  await until("the backend has stopped reading", () => received > 0);
  await standstill("the upload stands still", () => written);
  assert.ok(written < bytes / 2, `${written} of ${bytes} bytes were taken though nobody reads`);
  peer.connections[0]?.socket.resume();
  assert.equal((await asked.over).result, "200 all of it");
});

test("a connection is not used again while a part of the request before has not left", async () => {
  await using peer = await startPeer(({ socket, text }, piece) => {
    if (text.startsWith("GET /first")) socket.write(answer("ok"));
    if (!piece.startsWith("POST ")) return;
    // An answer without reading on, as from a backend that has no use for the rest.
    socket.pause();
    socket.write(answer("too large"));
  });
  using to = poolTo(peer.url, { maxConnections: 1 });
  const whole = await to.ask(post(Buffer.alloc(32 * 1024 * 1024))).over;
  assert.equal(whole.result, "200 too large");
  assert.equal((await to.ask({ target: "/first" }).over).result, "200 ok");
  assert.equal(peer.connections.length, 2);
});

test("after many uploads nothing listens to the connection that did not before", async () => {
  await using peer = await startPeer(({ socket }, piece) => {
    if (piece.endsWith("0\r\n\r\n")) socket.write(answer("thanks"));
  });
  using to = poolTo(peer.url, { maxConnections: 1 });
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  for (let n = 0; n < 30; n++) {
    const body = new TestBody();
    body.end("hello");
    assert.equal((await to.ask(post(body)).over).result, "200 thanks");
  }
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
  assert.equal(peer.connections.length, 1);
});
