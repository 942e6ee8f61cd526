import assert from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { replaceFile, rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const byTenant = (gateway: TestGateway, tenant: string) =>
  ask(gateway.proxyUrl, { headers: { "x-tenant": tenant } });

/** Side and reason for a tenant. */
async function placeOf(gateway: TestGateway, tenant: string): Promise<string> {
  const { side, reason } = await byTenant(gateway, tenant);
  return `${side} ${reason}`;
}

/** For how long this process stood still in all: on a machine that stands still, the gateway does too. */
function ownDelay(): { ms(): number } & Disposable {
  const everyMs = 5;
  let totalMs = 0;
  let lastMs = performance.now();
  const look = (): void => {
    const nowMs = performance.now();
    totalMs += Math.max(0, nowMs - lastMs - 10 * everyMs);
    lastMs = nowMs;
  };
  const timer = setInterval(look, everyMs);
  return {
    ms: () => {
      look();
      return totalMs;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

test("whole keys are on the side that the rules name", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const moved = join(folder, "moved.txt");
  await writeFile(moved, "# the first wave\nacme\n\n  globex  # no comment within a line\n#whale\n");
  const split = "split: { new: [initech], newFile: moved.txt, old: [whale, acme-eu] }";
  await using gateway = await TestGateway.start({
    rules: rulesFor(
      old.url,
      fresh.url,
      `key: [header:x-tenant]\n${split}\ncanary: { share: 0%, always: [{ header: x-tenant, equals: whale }] }`,
    ),
    folder,
  });

  await t.test("those listed are on new, those pinned on old, all others on old", async () => {
    assert.equal(await placeOf(gateway, "initech"), "new split-new");
    assert.equal(await placeOf(gateway, "acme"), "new split-new");
    assert.equal(await placeOf(gateway, "whale"), "old pinned-old");
    assert.equal(await placeOf(gateway, "acme-eu"), "old pinned-old");
    assert.equal(await placeOf(gateway, "hooli"), "old default-old");
    assert.equal(await placeOf(gateway, "#whale"), "old default-old");
    assert.equal(await placeOf(gateway, "ACME"), "old default-old");
  });

  await t.test("a change of the file holds soon, and moves no other key", async () => {
    await gateway.reloaded(() => replaceFile(moved, "hooli\nwhale\n"));
    assert.equal(await placeOf(gateway, "hooli"), "new split-new");
    assert.equal(await placeOf(gateway, "acme"), "old default-old");
    assert.equal(await placeOf(gateway, "initech"), "new split-new");
    assert.equal(await placeOf(gateway, "whale"), "old pinned-old");
  });
});

test("a file of a million keys is right, and its loading holds up no request", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const folder = await mkdtemp(join(tmpdir(), "cutover-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const moved = join(folder, "moved.txt");
  await writeFile(moved, "none\n");
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, fresh.url, "key: [header:x-tenant]\nsplit: { newFile: moved.txt }"),
    folder,
  });
  const file = createWriteStream(`${moved}.next`);
  for (let n = 0; n < 1_000_000; n += 1000) {
    file.write(Array.from({ length: 1000 }, (_, index) => `tenant-${n + index}\n`).join(""));
  }
  await finished(file.end());
  const { version } = (await gateway.status()).rules;
  await rename(`${moved}.next`, moved);

  const latenciesMs: number[] = [];
  using own = ownDelay();
  const begunMs = performance.now();
  await until(
    "the keys are in force",
    async () => {
      const askedMs = performance.now();
      const delayMs = own.ms();
      const { side } = await byTenant(gateway, "tenant-999999");
      latenciesMs.push(performance.now() - askedMs - (own.ms() - delayMs));
      return side === "new";
    },
    { everyMs: 2 },
  );
  // Reading a million keys takes most of this time: on a data thread it would show as one long wait.
  const longMs = Math.max(400, (performance.now() - begunMs) / 3);
  const worstMs = Math.max(...latenciesMs);
  assert.ok(
    latenciesMs.length > 20 && worstMs < longMs,
    `${latenciesMs.length} requests, the slowest ${worstMs} ms, ${longMs} ms are long`,
  );

  // One thread has them: the other may not yet.
  await until("they are on every thread", async () => (await gateway.status()).rules.version !== version);
  for (let n = 0; n < 1_000_000; n += 52_631)
    assert.equal((await byTenant(gateway, `tenant-${n}`)).side, "new");
  for (const other of ["tenant-1000000", "tenant-00", "tenant-", "none", "x"]) {
    assert.equal((await byTenant(gateway, other)).side, "old", other);
  }
});
