import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { MismatchSample, RouteStatus } from "../../src/model/reports.ts";
import { ask } from "../support/ask.ts";
import { json, type Script, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const coded = (encoding: string, body: Buffer): Script => {
  return (_req, res) => {
    res.writeHead(200, { "content-type": "application/json", "content-encoding": encoding });
    res.end(body);
  };
};

test("what old and new answer to one request is compared", async (t) => {
  await using old = await startBackend(json({ a: 1 }));
  await using fresh = await startBackend(json({ a: 1 }));
  const rules = (compare: string) =>
    rulesFor(old.url, fresh.url, `shadow: { share: 100%, maxBody: 64KiB }\n${compare}`);
  await using gateway = await TestGateway.start({ rules: rules("") });
  type Result = keyof RouteStatus["comparisons"];
  const compared = async (): Promise<RouteStatus["comparisons"]> => (await gateway.route("r")).comparisons;
  /** One request, and the one result that it adds. */
  const gives = async (
    result: Result,
    oldAnswer: Script,
    newAnswer: Script,
    method = "GET",
  ): Promise<void> => {
    old.answer(oldAnswer);
    fresh.answer(newAnswer);
    const before = await compared();
    await ask(gateway.proxyUrl, { method, path: "/items/7?q=1" });
    const total = (counts: RouteStatus["comparisons"]) =>
      Object.values(counts).reduce((sum, n) => sum + n, 0);
    const after = await until("it is compared", async () => {
      const now = await compared();
      return total(now) > total(before) ? now : undefined;
    });
    assert.deepEqual(after, { ...before, [result]: before[result] + 1 });
  };
  const stored = async (): Promise<MismatchSample[]> =>
    (await gateway.admin("GET", "/api/v1/samples?route=r")).body as MismatchSample[];

  await t.test("equal bytes match", () => gives("match", json({ a: 1 }), json({ a: 1 })));
  await t.test("the order of keys is no difference", () =>
    gives("match", json({ a: 1, b: { c: [1, 2], d: null } }), json({ b: { d: null, c: [1, 2] }, a: 1 })),
  );
  await t.test("the encoding is no difference", () => {
    const body = Buffer.from(JSON.stringify({ text: "x".repeat(1000) }));
    return gives("match", coded("gzip", gzipSync(body)), coded("br", brotliCompressSync(body)));
  });
  await t.test("answers to HEAD match by status and fields", () =>
    gives("match", json({ a: 1 }), json({ a: 2 }), "HEAD"),
  );
  await t.test("fields that were not chosen are no difference", () =>
    gives("match", json({ a: 1 }, 200, { etag: "1" }), json({ a: 1 }, 200, { etag: "2" })),
  );

  await t.test("a difference is found, and kept with its place", async () => {
    await gives("mismatch", json({ a: 1, b: { c: 2 } }), json({ a: 1, b: { c: 3 } }));
    const [sample] = await until("it is stored", async () => {
      const samples = await stored();
      return samples.length > 0 ? samples : undefined;
    });
    assert.ok(sample);
    assert.deepEqual([sample.method, sample.target, sample.route], ["GET", "/items/7?q=1", "r"]);
    assert.deepEqual(sample.differences, [
      { place: "$.b.c", template: "$.b.c", kind: "value", old: "2", new: "3", relation: null },
    ]);
    assert.deepEqual([sample.old.status, sample.new.status], [200, 200]);
    const inFull = (await gateway.admin("GET", `/api/v1/mismatches/${sample.id}`)).body as MismatchSample;
    assert.deepEqual(inFull.differences, sample.differences);
    assert.equal(JSON.parse(inFull.new.body ?? "").b.c, 3);
    assert.equal(await gateway.metric("cutover_comparisons_total", { route: "r", result: "mismatch" }), 1);
  });
  await t.test("another status is a difference", async () => {
    await gives("mismatch", json({ a: 1 }), json({ a: 1 }, 201));
    const places = async () =>
      (await stored()).flatMap(({ differences }) => differences.map(({ place }) => place));
    await until("it is stored", async () => (await places()).includes("status"));
  });
  await t.test("another content type is a difference", () =>
    gives("mismatch", json({ a: 1 }), json({ a: 1 }, 200, { "content-type": "text/plain" })),
  );

  const large = json({ text: "x".repeat(100_000) });
  await t.test("beyond maxBody nothing is said, and nothing is cut", async () => {
    await gives("uncompared", large, json({ a: 1 }));
    await gives("uncompared", json({ a: 1 }), large);
    assert.equal((await ask(gateway.proxyUrl)).status, 200);
  });

  await t.test("an ignored path is no difference", async () => {
    // The one before may still be under way.
    await until("all are compared", async () => (await compared()).uncompared === 3);
    await gateway.reloadWith(rules('compare: { ignore: ["$.at", "$..etag"] }'));
    await gives("match", json({ at: 1, x: [{ etag: 1 }] }), json({ at: 2, x: [{ etag: 2 }] }));
    await gives("mismatch", json({ at: 1, y: 1 }), json({ at: 2, y: 2 }));
  });

  await t.test("compare off: shadows are sent, and nothing is compared", async () => {
    await gateway.reloadWith(rules("compare: off"));
    const before = await compared();
    const { sent } = (await gateway.route("r")).shadows;
    await ask(gateway.proxyUrl);
    await until("the shadow is counted", async () => (await gateway.route("r")).shadows.sent > sent);
    assert.deepEqual(await compared(), before);
  });
});
