import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { test } from "node:test";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const notLinux = process.platform === "linux" ? false : "a thread has a niceness of its own on Linux alone";

interface Thread {
  readonly name: string;
  /** Above that of this process. */
  readonly niceness: number;
}

function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => ({
    name: readFileSync(`/proc/${pid}/task/${id}/comm`, "latin1").trim(),
    niceness: getPriority(Number(id)) - getPriority(),
  }));
}

test("the comparison thread stands behind those that serve, and no other thread does", {
  skip: notLinux,
}, async () => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  await using gateway = await TestGateway.start({ rules: rulesFor(old.url, fresh.url, "shadow: 100%") });
  assert.equal((await fetch(gateway.proxyUrl)).status, 200);
  await until("the pair is compared", async () => (await gateway.route("r")).comparisons.mismatch === 1);
  const threads = threadsOf(gateway.pid);
  const names = new Set(threads.map(({ name }) => name));
  for (const name of ["data-0", "store", "compare"]) assert.ok(names.has(name), `${name} in ${[...names]}`);
  const behind = threads.filter(({ niceness }) => niceness !== 0);
  assert.deepEqual(behind, [{ name: "compare", niceness: 5 }]);
});
