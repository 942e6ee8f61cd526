import assert from "node:assert/strict";
import { test } from "node:test";
import type { PinChange } from "../../src/model/pins.ts";
import type { Route, Side } from "../../src/model/ruleset.ts";
import { Pins } from "../../src/proxy/pins.ts";
import { canaryOf } from "../model/rules.ts";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { startPlane } from "./plane.ts";

const ROUTE: Partial<Route> = {
  key: [{ kind: "header", name: "x-user" }],
  canary: canaryOf({ sharePpm: 1_000_000 }),
};
const THREADS = 3;
/** Connections enough for the kernel to give some to every thread. */
const CONNECTIONS = 40;

const pinned = (key: string, side: Side | null, route = "r"): PinChange => ({ route, key, side });

/** What a key's requests are told, over all threads. */
async function told(url: string, key: string): Promise<string> {
  const answers = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => ask(url, { headers: { "x-user": key } })),
  );
  return [...new Set(answers.map(({ side, reason }) => `${side} ${reason}`))].join(", ");
}

test("pins on the data threads", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(json({ from: "new" }));
  const pins: PinChange[] = [pinned("whale", "old"), pinned("acme", "old", "another-route")];
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    route: ROUTE,
    shadow: { sharePpm: 0 },
    threads: THREADS,
    pins,
  });
  const pin = (change: PinChange): Promise<void> => {
    pins.push(change);
    return plane.data.pin([change]);
  };

  await t.test(
    "those that stood at the start act on every thread, and on their own route alone",
    async () => {
      assert.equal(await told(plane.url, "whale"), "old pinned-old");
      assert.equal(await told(plane.url, "acme"), "new canary-share");
    },
  );

  await t.test("once `pin` has resolved, the next request on any thread goes by it", async () => {
    await pin(pinned("acme", "old"));
    assert.equal(await told(plane.url, "acme"), "old pinned-old");
    await pin(pinned("acme", "new"));
    assert.equal(await told(plane.url, "acme"), "new pinned-new");
    await pin(pinned("acme", null));
    assert.equal(await told(plane.url, "acme"), "new canary-share");
  });

  await t.test("many at the same time are each answered, and the last one of a key holds", async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => pin(pinned("acme", i % 2 === 0 ? "new" : "old"))));
    assert.equal(await told(plane.url, "acme"), "old pinned-old");
  });

  await t.test("they live through a reload, also one that takes the route away for a while", async () => {
    await plane.reload({ route: { ...ROUTE, canary: canaryOf() } });
    await pin(pinned("new-friend", "new"));
    assert.equal(await told(plane.url, "new-friend"), "new pinned-new");
    await plane.reload({ route: { ...ROUTE, name: "other" } });
    assert.equal(await told(plane.url, "acme"), "new canary-share");
    await plane.reload({ route: ROUTE });
    assert.equal(await told(plane.url, "acme"), "old pinned-old");
    assert.equal(await told(plane.url, "new-friend"), "new pinned-new");
  });

  await t.test("they hold through a latch, and a pin to new not against a closed route", async () => {
    plane.tile.latch();
    assert.equal(await told(plane.url, "new-friend"), "new pinned-new");
    assert.equal(await told(plane.url, "anybody"), "old rolled-back");
    plane.tile.close();
    assert.equal(await told(plane.url, "new-friend"), "old rolled-back");
  });
});

test("a route's pins are one map that follows every change", () => {
  const pins = new Pins([pinned("a", "old")]);
  const ofRoute = pins.of("r");
  pins.take([pinned("b", "new"), pinned("a", null)]);
  assert.deepEqual([...ofRoute], [["b", "new"]]);
  assert.equal(pins.of("r"), ofRoute);
  assert.equal(pins.of("other").size, 0);
});
