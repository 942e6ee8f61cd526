import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "../../src/admin/auth.ts";
import { AdminListenError, startAdmin } from "../../src/admin/server.ts";
import { ask, fakeDesk, post, raw, startFor, TOKEN } from "./fixtures.ts";

const GUARDED_READS = [
  "/api/v1/mismatches",
  "/api/v1/mismatches/7",
  "/api/v1/samples",
  "/api/v1/retro",
  "/api/v1/audit",
  "/api/v1/events",
];
const OPEN_READS = ["/", "/api/v1/status", "/api/v1/routes/profiles"];
const ACTIONS = [
  "/api/v1/routes/profiles/rollback",
  "/api/v1/routes/profiles/reset",
  "/api/v1/routes/profiles/promote",
  "/api/v1/rollback",
  "/api/v1/reload",
  "/api/v1/drain",
  "/api/v1/store/reset",
  "/api/v1/explain",
];

test("every action and everything that shows user data needs the token", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  for (const path of GUARDED_READS) {
    const answer = await ask(admin, path);
    assert.equal(answer.status, 401, path);
    assert.match(answer.headers["www-authenticate"] ?? "", /^Bearer /);
    assert.equal(answer.headers["content-type"], "application/problem+json");
  }
  const headers = { "content-type": "application/json" };
  for (const path of ACTIONS) {
    const answer = await ask(admin, path, { method: "POST", headers, body: '{"reason":"x"}' });
    assert.equal(answer.status, 401, path);
  }
  assert.deepEqual(desk.calls, []);
});

test("on loopback, reads without user data need no token", async (context) => {
  const admin = await startFor(context, fakeDesk());
  for (const path of [...OPEN_READS, "/healthz", "/readyz", "/metrics"]) {
    assert.equal((await ask(admin, path)).status, 200, path);
  }
});

test("beyond loopback the token guards all but the probes and metrics", async (context) => {
  const admin = await startFor(context, fakeDesk(), { host: "0.0.0.0" });
  for (const path of [...OPEN_READS, ...GUARDED_READS, "/no/such/path"]) {
    assert.equal((await ask(admin, path)).status, 401, path);
  }
  const headers = { host: "gateway.internal:9090" };
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    assert.equal((await ask(admin, path, { headers })).status, 200, path);
  }
  assert.equal((await ask(admin, "/api/v1/status", { headers, token: TOKEN })).status, 200);
  assert.equal((await ask(admin, "/no/such/path", { headers, token: TOKEN })).status, 404);
});

test("a wrong, doubled or cut token is refused, whatever its case or length", async (context) => {
  const admin = await startFor(context, fakeDesk());
  for (const token of [TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase(), "x"]) {
    const answer = await ask(admin, "/api/v1/audit", { token });
    assert.equal(answer.status, 401);
    assert.match(answer.headers["www-authenticate"] ?? "", /invalid_token/);
  }
  const line = `Authorization: Bearer ${TOKEN}\r\n`;
  const head = "GET /api/v1/audit HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  assert.match(await raw(admin, `${head}${line}${line}\r\n`), /^HTTP\/1\.1 401 /);
  assert.match(await raw(admin, `${head}${line.replace("Bearer", "bearer")}\r\n`), /^HTTP\/1\.1 200 /);
});

test("many wrong tokens are told to wait, and the right one still gets in", async (context) => {
  const admin = await startFor(context, fakeDesk());
  const statuses: number[] = [];
  for (let index = 0; index < 22; index += 1) {
    statuses.push((await ask(admin, "/api/v1/audit", { token: "guess" })).status);
  }
  assert.deepEqual(new Set(statuses.slice(0, 20)), new Set([401]));
  assert.deepEqual(statuses.slice(20), [429, 429]);
  assert.ok(Number((await ask(admin, "/api/v1/audit", { token: "guess" })).headers["retry-after"]) >= 1);
  assert.equal((await ask(admin, "/api/v1/audit", { token: TOKEN })).status, 200);
});

test("on loopback a name that was rebound to this machine is refused, but for the two probes", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  for (const host of [
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "10.0.0.1",
  ]) {
    const headers = { host };
    assert.equal((await ask(admin, "/api/v1/status", { headers, token: TOKEN })).status, 421, host);
    assert.equal((await ask(admin, "/metrics", { headers })).status, 421, host);
    assert.equal((await post(admin, "/api/v1/drain", {}, { headers })).status, 421, host);
    assert.equal((await ask(admin, "/healthz", { headers })).status, 200, host);
    assert.equal((await ask(admin, "/readyz", { headers })).status, 200, host);
  }
  assert.deepEqual(desk.calls, []);
  for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:9090", "127.9.9.9", "[::1]:80", "[::1]"]) {
    assert.equal((await ask(admin, "/api/v1/status", { headers: { host } })).status, 200, host);
  }
});

test("a missing or doubled Host is refused", async (context) => {
  const admin = await startFor(context, fakeDesk());
  assert.match(await raw(admin, "GET /api/v1/status HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 421 /);
  const doubled = "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n";
  assert.match(await raw(admin, doubled), /^HTTP\/1\.1 4(00|21) /);
});

test("only addresses of this machine are loopback", () => {
  for (const host of ["127.0.0.1", "127.255.0.3", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"]) {
    assert.equal(isLoopback(host), true, host);
  }
  for (const host of ["0.0.0.0", "::", "128.0.0.1", "127.0.0.1.", "127.1", "local.host", ""]) {
    assert.equal(isLoopback(host), false, host);
  }
});

test("an admin address in use is named, with what to do", async (context) => {
  const admin = await startFor(context, fakeDesk());
  await assert.rejects(
    startAdmin({ host: "127.0.0.1", port: admin.port, desk: fakeDesk(), token: TOKEN }),
    (error) =>
      error instanceof AdminListenError && /is in use: choose another with --admin/.test(error.message),
  );
  await assert.rejects(
    startAdmin({ host: "127.0.0.1", port: 0, desk: fakeDesk(), token: "" }),
    /token is empty/,
  );
});
