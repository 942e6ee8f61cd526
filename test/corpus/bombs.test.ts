/** Nothing that a backend sends makes comparison throw, take long, grow without bound, or call unequal equal. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { compileCompare } from "../../src/compare/compare.ts";
import { examinePair } from "../../src/compare/examine.ts";
import type { Answer, Pair } from "../../src/model/pair.ts";
import { answer, pairOf } from "../compare/pairs.ts";
import type { Bomb } from "./bombs/bomb.ts";
import { codingBombs } from "./bombs/coding.ts";
import { deepBombs } from "./bombs/deep.ts";
import { floodBombs } from "./bombs/flood.ts";
import { slyBombs } from "./bombs/sly.ts";
import { wideBombs } from "./bombs/wide.ts";

/** Processor time of this thread, so that a busy machine fails nothing. */
const MAX_CPU_MS = 10_000;
const MAX_GROWTH_MIB = 900;

function pairOfBomb(bomb: Bomb): Pair {
  const side = (index: 0 | 1, body: string | Uint8Array): Answer => {
    const encoding = bomb.encodings?.[index];
    return answer(body, {
      type: bomb.type,
      ...(encoding == null ? {} : { encoding }),
      ...(bomb.headers === undefined ? {} : { headers: bomb.headers[index] }),
    });
  };
  return pairOf(side(0, bomb.old), side(1, bomb.new), bomb.compare ?? {});
}

function defuse(bomb: Bomb): void {
  const pair = pairOfBomb(bomb);
  const rssBefore = process.memoryUsage.rss();
  const before = process.threadCpuUsage();
  const { comparison } = examinePair(pair, compileCompare(pair.compare), () => true);
  const { user, system } = process.threadCpuUsage(before);
  const growthMiB = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
  const found = comparison.kind === "uncompared" ? comparison.why : comparison.kind;
  assert.notEqual(found, "match", "they differ to a client");
  if (bomb.expect !== undefined) assert.equal(found, bomb.expect);
  if (comparison.kind === "mismatch") assertBounded(comparison.differences);
  const cpuMs = (user + system) / 1000;
  assert.ok(cpuMs < MAX_CPU_MS, `took ${cpuMs.toFixed(0)} ms`);
  assert.ok(growthMiB < MAX_GROWTH_MIB, `grew by ${growthMiB.toFixed(0)} MiB`);
}

function assertBounded(
  differences: readonly { place: string; template: string; old: string | null }[],
): void {
  assert.ok(differences.length > 0 && differences.length <= 100, `${differences.length} differences`);
  for (const { place, template, old } of differences) {
    assert.ok(place.length <= 1000 && template.length <= 300 && (old?.length ?? 0) <= 1000);
  }
}

const GROUPS: Readonly<Record<string, () => readonly Bomb[]>> = {
  "deep nesting is uncompared, and quickly so": deepBombs,
  "many items, members and digits are compared within bounds": wideBombs,
  "what is easily mistaken for each other is a mismatch": slyBombs,
  "codings that multiply, lie or break are no match": codingBombs,
  "floods of tags, lines, events and fields are no match": floodBombs,
};

for (const [title, makeBombs] of Object.entries(GROUPS)) {
  test(title, async (group) => {
    for (const bomb of makeBombs()) await group.test(bomb.name, () => defuse(bomb));
  });
}
