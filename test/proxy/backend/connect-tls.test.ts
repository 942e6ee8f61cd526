import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { test } from "node:test";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import type { Tls } from "../../../src/model/ruleset.ts";
import { failureOf } from "../../../src/proxy/classify.ts";
import { until } from "../../support/until.ts";
import { answer, OK, poolTo } from "./asking.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");
const SERVER = { key: fixture("server.key"), cert: fixture("server.pem") };
const TRUSTED: Tls = { ca: fixture("ca.pem"), serverName: "app.internal", cert: null, key: null };

interface TlsPeer extends AsyncDisposable {
  readonly url: string;
  readonly sockets: TLSSocket[];
}

async function listen(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => resolve());
  await promise;
  return (server.address() as AddressInfo).port;
}

async function startTlsPeer(options: TlsOptions = {}, text = answer("ok")): Promise<TlsPeer> {
  const sockets: TLSSocket[] = [];
  const server = createServer({ ...SERVER, ...options }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {}); // connections break in some of the tests
    socket.on("data", () => socket.write(text));
  });
  server.on("tlsClientError", () => {});
  const port = await listen(server);
  return {
    url: `https://127.0.0.1:${port}`,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}

test("a backend over TLS is asked by its own name, and a second connection resumes the session", async () => {
  await using peer = await startTlsPeer();
  using to = poolTo(peer.url, { tls: TRUSTED });
  assert.equal((await to.ask().over).result, "200 ok");
  assert.equal((await to.ask().over).result, "200 ok");
  assert.equal(peer.sockets.length, 1);
  const both = await Promise.all([to.ask().over, to.ask().over]);
  assert.deepEqual(
    both.map(({ result }) => result),
    ["200 ok", "200 ok"],
  );
  assert.deepEqual(
    peer.sockets.map((socket) => [socket.isSessionReused(), (socket as { servername?: string }).servername]),
    [
      [false, "app.internal"],
      [true, "app.internal"],
    ],
  );
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a certificate of another name is refused each time, also where a session could be resumed (${version})`, async () => {
    await using peer = await startTlsPeer({ minVersion: version, maxVersion: version });
    using to = poolTo(peer.url, { tls: { ...TRUSTED, serverName: "other.internal" } });
    for (let n = 0; n < 4; n++) {
      const { error, steps } = await to.ask().over;
      assert.equal(failureOf(error), "tls_certificate_error");
      assert.deepEqual(steps, ["failed"]);
    }
  });
}

test("a certificate of nobody who is trusted is refused", async () => {
  await using peer = await startTlsPeer();
  using to = poolTo(peer.url, { tls: { ...TRUSTED, ca: null } });
  for (let n = 0; n < 2; n++) assert.equal(failureOf((await to.ask().over).error), "tls_certificate_error");
});

test("a backend that wants a certificate gets the one of the rules, and refuses to go without", async () => {
  await using peer = await startTlsPeer({ requestCert: true, ca: fixture("ca.pem") });
  using to = poolTo(peer.url, {
    tls: { ...TRUSTED, cert: fixture("client.pem"), key: fixture("client.key") },
  });
  assert.equal((await to.ask().over).result, "200 ok");
  using without = poolTo(peer.url, { tls: TRUSTED });
  const { error } = await without.ask().over;
  assert.ok(
    ["tls_protocol_error", "tls_certificate_error", "connection_terminated"].includes(failureOf(error)),
  );
});

test("a handshake that hangs is a connection that took too long; one with no TLS behind it fails at once", async () => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => mode === "answers" && socket.end(answer("plain")));
  });
  let mode: "hangs" | "answers" = "hangs";
  const port = await listen(server);
  using to = poolTo(`https://127.0.0.1:${port}`, { tls: TRUSTED, maxConnections: 1 }, { connectMs: 2_000 });
  const asked = to.ask();
  await until("it is tried", async () => {
    to.passMs(500);
    return asked.error;
  });
  assert.equal(failureOf(asked.error), "connection_timeout");
  mode = "answers";
  assert.equal(failureOf((await to.ask().over).error), "tls_protocol_error");
  server.close();
});

test("a backend that ends each connection as soon as it stands fails its calls, and is not called for ever", async () => {
  for (const greeting of ["", "220 mail.example ESMTP\r\n"]) {
    let made = 0;
    const server = createServer({ ...SERVER, maxVersion: "TLSv1.2" }, (socket) => {
      made++;
      socket.on("error", () => {});
      socket.end(greeting);
    });
    const port = await listen(server);
    using to = poolTo(`https://127.0.0.1:${port}`, { tls: TRUSTED, maxConnections: 1 });
    const asked = await Promise.all([to.ask().over, to.ask().over, to.ask().over]);
    for (const { error } of asked) assert.notEqual(error, null);
    assert.ok(made <= 6, `${made} connections were made`);
    server.close();
  }
});

test("a large answer and a body until the connection's end come whole over TLS", async () => {
  const body = "x".repeat(300_000);
  await using large = await startTlsPeer({}, answer(body));
  using to = poolTo(large.url, { tls: TRUSTED });
  for (let n = 0; n < 3; n++) assert.equal((await to.ask().over).body.length, body.length);
  assert.equal(large.sockets.length, 1);
  await using endless = await startTlsPeer({}, `${OK}\r\nhello`);
  using toEndless = poolTo(endless.url, { tls: TRUSTED });
  const asked = toEndless.ask();
  await until("the body is there", () => asked.body === "hello");
  endless.sockets[0]?.end();
  assert.equal((await asked.over).result, "200 hello");
});

test("uploads over TLS leave a connection that is used again", async () => {
  await using peer = await startTlsPeer();
  using to = poolTo(peer.url, { tls: TRUSTED, maxConnections: 1 });
  for (const bytes of [0, 10, 20_000]) {
    const { result } = await to.ask({ method: "POST", body: Buffer.alloc(bytes) }).over;
    assert.equal(result, "200 ok");
  }
  assert.ok(peer.sockets.length <= 2);
});
