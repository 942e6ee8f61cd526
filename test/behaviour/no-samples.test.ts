import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { MismatchCluster, MismatchSample } from "../../src/model/reports.ts";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const WORDS = ["quicksilver", "mockingbird"] as const;

/** One mismatch, until it is counted and had time to be stored. */
async function differ(gateway: TestGateway): Promise<MismatchCluster> {
  const before = (await gateway.route("r")).comparisons.mismatch;
  await ask(gateway.proxyUrl);
  await until("it is counted", async () => (await gateway.route("r")).comparisons.mismatch > before);
  const { body } = await gateway.admin("GET", "/api/v1/mismatches");
  const [cluster] = body as MismatchCluster[];
  assert.ok(cluster);
  return cluster;
}

function filesHold(gateway: TestGateway, text: string): boolean {
  const folder = join(gateway.folder, "state");
  return readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(text));
}

test("with `samples: off` or --no-samples nothing of the answers is kept, and differences are counted by place", async (t) => {
  await using old = await startBackend(json({ word: WORDS[0] }));
  await using fresh = await startBackend(json({ word: WORDS[1] }));
  const ways = [
    { rules: rulesFor(old.url, fresh.url, "shadow: 100%\ncompare: { samples: off }") },
    { rules: rulesFor(old.url, fresh.url, "shadow: 100%"), flags: ["--no-samples"] },
    { rules: rulesFor(old.url, fresh.url, "shadow: 100%"), env: { CUTOVER_SAMPLES: "off" } },
  ];
  for (const way of ways) {
    await t.test(JSON.stringify(way.flags ?? way.env ?? "samples: off"), async () => {
      await using gateway = await TestGateway.start(way);
      const cluster = await differ(gateway);
      assert.deepEqual([cluster.place, cluster.count, cluster.samples], ["$.word", 1, []]);
      assert.deepEqual(cluster.example, { old: null, new: null });
      const answer = await gateway.admin("GET", `/api/v1/mismatches/${cluster.id}`);
      assert.equal(answer.status, 404);
      await gateway.stop();
      for (const word of WORDS) assert.equal(filesHold(gateway, word), false, word);
      assert.ok(!JSON.stringify(gateway.lines).includes(WORDS[0]));
    });
  }
});

test("samples that were stored before are removed when the rules want none", async () => {
  await using old = await startBackend(json({ word: WORDS[0] }));
  await using fresh = await startBackend(json({ word: WORDS[1] }));
  const rules = (compare: string) => rulesFor(old.url, fresh.url, `shadow: 100%\n${compare}`);
  await using gateway = await TestGateway.start({ rules: rules("") });
  await differ(gateway);
  const stored = async () => (await gateway.admin("GET", "/api/v1/samples")).body as MismatchSample[];
  await until("it is stored", async () => (await stored()).length > 0);
  assert.ok(filesHold(gateway, WORDS[0]));
  await gateway.reloadWith(rules("compare: { samples: off }"));
  await until("it is gone", async () => (await stored()).length === 0);
  assert.equal(filesHold(gateway, WORDS[0]), false);
  await until("it is said", () => /samples stored for r are removed \(1\)/.test(gateway.stderr));
});
