/** A 4xx of new is asked of old too: bounded, after the client has its answer, and said of new's alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { SLICE } from "../../src/board/layout.ts";
import { canaryOf } from "../model/rules.ts";
import { guardOf } from "../model/traffic.ts";
import { ask, askMany, times } from "../support/ask.ts";
import { json, type Script, type Seen, stall, startBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { startPlane, type TestPlane } from "./plane.ts";

const WHOLE = { guard: guardOf(), canary: canaryOf({ sharePpm: 1_000_000 }) };
const isShadow = ({ headers }: Pick<Seen, "headers">): boolean => headers["x-cutover-shadow"] === "1";

/** New serves everything, answers 404 to it, and nothing is shadowed. */
function planeOf(oldUrl: string, newUrl: string, route: object = {}): Promise<TestPlane> {
  return startPlane({
    oldUrl,
    newUrl,
    compare: null,
    shadow: { sharePpm: 0 },
    route: { ...WHOLE, fallback: { when: "safe", afterMs: 5_000 }, ...route },
  });
}

const aloneIn = (plane: TestPlane): number =>
  plane.failures().filter(({ kind }) => kind === "client-error-alone").length;

test("of a flood old is asked a few, and chance says of the rest what was found of those", async () => {
  for (const status of [200, 404]) {
    await using old = await startBackend(json({}, status));
    await using fresh = await startBackend(json({}, 404));
    await using plane = await planeOf(old.url, fresh.url);
    const begunMs = performance.now();
    let alone = 0;
    await until("some of it was asked", async () => {
      await askMany(plane.url, times(200), 16);
      alone += aloneIn(plane);
      // What was found of the last ones is told a moment later.
      return old.seen.length >= 20 && (status === 404 || alone > 2 * old.seen.length);
    });
    const seconds = Math.ceil((performance.now() - begunMs) / 1000) + 1;
    assert.ok(old.seen.length <= 20 * seconds, `${old.seen.length} questions in ${seconds} s`);
    assert.ok(old.seen.every(isShadow));
    if (status === 404) assert.equal(alone, 0, "what old does not have either is nobody's fault");
    else assert.ok(alone > 2 * old.seen.length, `${alone} of ${plane.count(SLICE.clientErrors + 1)}`);
  }
});

test("no client waits for it: old that is stuck is asked eight, and says nothing of new", async () => {
  await using old = await startBackend(stall);
  await using fresh = await startBackend(json({}, 404));
  await using plane = await planeOf(old.url, fresh.url);
  const answers = await askMany(plane.url, times(60), 8);
  assert.ok(answers.every(({ status, side }) => status === 404 && side === "new"));
  await until("old has them", () => old.seen.length === 8);
  assert.equal(aloneIn(plane), 0);
  assert.equal(plane.count(SLICE.answers), 0, "and it is no answer of old's");
});

test("a long answer of old is not read to its end, and its status counts all the same", async () => {
  let closedEarly = false;
  const endless: Script = (_req, res) => {
    res.writeHead(200, { "content-type": "text/plain" });
    const timer = setInterval(() => res.write("x".repeat(32 * 1024)), 1);
    res.on("close", () => {
      clearInterval(timer);
      closedEarly = !res.writableFinished;
    });
  };
  await using old = await startBackend(endless);
  await using fresh = await startBackend(json({}, 404));
  await using plane = await planeOf(old.url, fresh.url);
  await ask(plane.url);
  let alone = 0;
  await until("it is told", () => {
    alone += aloneIn(plane);
    return alone === 1;
  });
  await until("old is let go of", () => closedEarly);
});

test("what old fails at, or new answers well, is asked or told of nobody", async () => {
  await using old = await startBackend(json({}, 503));
  await using fresh = await startBackend((req, res, body) =>
    json({}, req.url === "/gone" ? 410 : 204)(req, res, body),
  );
  await using plane = await planeOf(old.url, fresh.url);
  await ask(plane.url, { path: "/there" });
  await ask(plane.url, { path: "/gone" });
  await until("old was asked", () => old.seen.length === 1);
  await ask(plane.url, { path: "/there" });
  assert.deepEqual(
    old.seen.map(({ url }) => url),
    ["/gone"],
  );
  assert.equal(aloneIn(plane), 0);
});

test("the body of a safe request is sent again too", async () => {
  await using old = await startBackend(json({}));
  await using fresh = await startBackend(json({}, 404));
  await using plane = await planeOf(old.url, fresh.url);
  await ask(plane.url, { method: "GET", body: "which ones", headers: { "content-length": "10" } });
  await until("old was asked", () => old.seen.length === 1);
  assert.equal(String(old.seen[0]?.body), "which ones");
});
