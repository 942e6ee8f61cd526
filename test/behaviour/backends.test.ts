import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { ask, askMany, times } from "../support/ask.ts";
import { json, type Script, stall, startBackend } from "../support/backend.ts";
import { TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const fixture = (name: string): URL => new URL(`../fixtures/tls/${name}`, import.meta.url);

/** One route for everything, on one backend with these fields. */
const rulesOn = (backend: string): string => `
version: 1
backends:
  legacy: ${backend}
routes:
  - { name: r, match: { path: "/**" }, old: legacy }
`;

test("a backend with several endpoints: the one with the fewest requests outstanding is asked", async () => {
  await using first = await startBackend(stall);
  await using second = await startBackend(json({ from: "second" }));
  await using gateway = await TestGateway.start({
    rules: rulesOn(`{ urls: ["${first.url}", "${second.url}"] }`),
    flags: ["--threads", "1"],
  });
  const held = ask(gateway.proxyUrl);
  await until("the first holds a request", () => first.seen.length === 1);
  for (let n = 0; n < 10; n++) assert.equal((await ask(gateway.proxyUrl)).body, '{"from":"second"}');
  assert.equal(first.seen.length, 1);
  await first.close();
  assert.equal((await held).status, 502);
});

test("an endpoint that fails its health check is avoided, until it is well again", async () => {
  const healthAnd =
    (status: number): Script =>
    (req, res, body) =>
      json({ path: req.url }, req.url === "/healthz" ? status : 200)(req, res, body);
  await using first = await startBackend(healthAnd(503));
  await using second = await startBackend(healthAnd(200));
  await using gateway = await TestGateway.start({
    rules: rulesOn(`{ urls: ["${first.url}", "${second.url}"], health: { path: /healthz, interval: 50ms } }`),
  });
  const isHealthy = async (index: number): Promise<boolean | null | undefined> =>
    (await gateway.status()).backends.find(({ name }) => name === "legacy")?.endpoints[index]?.healthy;
  const asked = ({ seen }: typeof first): number => seen.filter(({ url }) => url !== "/healthz").length;

  await until("the first is unhealthy", async () => (await isHealthy(0)) === false);
  assert.equal(await isHealthy(1), true);
  await askMany(gateway.proxyUrl, times(20));
  assert.deepEqual([asked(first), asked(second)], [0, 20]);

  first.answer(healthAnd(200));
  await until("the first is healthy", async () => (await isHealthy(0)) === true);
  await askMany(gateway.proxyUrl, times(20));
  assert.ok(asked(first) > 0);

  // A check that errs must not take the whole backend away.
  first.answer(healthAnd(503));
  second.answer(healthAnd(503));
  await until("both are unhealthy", async () => !(await isHealthy(0)) && !(await isHealthy(1)));
  assert.equal((await ask(gateway.proxyUrl)).status, 200);
});

test("a backend over TLS is trusted by its private CA and its name, and by nothing less", async (t) => {
  const server = createServer({
    cert: readFileSync(fixture("server.pem")),
    key: readFileSync(fixture("server.key")),
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on("request", (req, res) => {
    const socket = req.socket as TLSSocket;
    const client = socket.getPeerCertificate().subject?.CN ?? null;
    res.end(JSON.stringify({ servername: socket.servername, client }));
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const path = (name: string): string => fixture(name).pathname;
  const rules = (tls: string): string => rulesOn(`{ url: "${url}"${tls} }`);
  const trusted = `ca: "${path("ca.pem")}", serverName: app.internal`;
  await using gateway = await TestGateway.start({ rules: rules(`, tls: { ${trusted} }`) });

  await t.test("its CA and its name", async () => {
    const { status, body } = await ask(gateway.proxyUrl);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), { servername: "app.internal", client: null });
  });
  await t.test("it can ask for the gateway's own certificate", async () => {
    const own = `cert: "${path("client.pem")}", key: "${path("client.key")}"`;
    await gateway.reloadWith(rules(`, tls: { ${trusted}, ${own} }`));
    assert.equal(JSON.parse((await ask(gateway.proxyUrl)).body).client, "client");
  });
  await t.test("another name, or a CA that nobody vouches for, is refused, and held against it", async () => {
    for (const tls of ["", `, tls: { ca: "${path("ca.pem")}" }`, ", tls: { serverName: app.internal }"]) {
      await gateway.reloadWith(rules(tls));
      const answer = await fetch(gateway.proxyUrl);
      await answer.text();
      assert.equal(answer.status, 502, tls);
      assert.equal(answer.headers.get("proxy-status"), "cutover; error=tls_certificate_error", tls);
    }
    await until("each is counted", async () => (await gateway.route("r")).errors.old === 3);
  });
});
