import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MAX_TICK_MS } from "../../src/model/rollout.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const support = (name: string): string => new URL(`../support/${name}.ts`, import.meta.url).href;

const HOUR_MS = 3_600_000;
const ROLLOUT = `guard: off
rollout:
  start: running
  steps:
    - { canary: 10%, bake: 5m }
    - { canary: 100%, bake: 5m }`;

test("neither a clock that is set nor a machine that slept bakes a step", async (t) => {
  await using old = await startBackend(json({}));
  await using fresh = await startBackend(json({}));
  const folder = await mkdtemp(join(tmpdir(), "cutover-clock-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = join(folder, "clock");
  const start = (preload: string): Promise<TestGateway> =>
    TestGateway.start({
      rules: rulesWith(old.url, fresh.url, { r: ROLLOUT }),
      folder,
      flags: ["--threads", "1"],
      env: { NODE_OPTIONS: `--import=${support(preload)}`, CUTOVER_TEST_CLOCK: clock },
    });
  const baked = async (gateway: TestGateway): Promise<number> =>
    (await gateway.route("r")).bake?.doneSeconds ?? Number.NaN;
  /** So many seconds of baking by the gateway's own account. */
  const bakeOn = async (gateway: TestGateway, seconds: number): Promise<void> => {
    const before = await baked(gateway);
    await until("it bakes on", async () => (await baked(gateway)) >= before + seconds);
  };

  await t.test("the wall clock, set by hours in either direction", async () => {
    const startedMs = performance.now();
    await using gateway = await start("wall-clock");
    for (const aheadMs of [6 * HOUR_MS, -6 * HOUR_MS, 0]) {
      await writeFile(clock, String(aheadMs));
      gateway.signal("SIGUSR2");
      await bakeOn(gateway, 1);
      const { step, canary } = await gateway.route("r");
      assert.deepEqual([step, canary], [0, 0.1]);
      const wentBySeconds = (performance.now() - startedMs) / 1_000;
      assert.ok((await baked(gateway)) <= wentBySeconds + 1, "no more than what has gone by");
    }
    await gateway.act("r", "pause", "noted at the time that the clock says");
    await gateway.kill();
  });

  await t.test("a stop over hours counts for nothing, nor does a jump of the monotonic clock", async () => {
    await using gateway = await start("clock");
    const before = await baked(gateway);
    await gateway.act("r", "resume", "on");
    for (let i = 0; i < 6; i++) gateway.signal("SIGUSR2");
    await bakeOn(gateway, 1);
    const { step, canary } = await gateway.route("r");
    assert.deepEqual([step, canary], [0, 0.1]);
    const ticks = 3;
    assert.ok((await baked(gateway)) - before <= (ticks * MAX_TICK_MS) / 1_000);
  });
});
