import assert from "node:assert/strict";
import { test } from "node:test";
import { json, reset, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const REQUESTS = 400;
const TOO_LARGE_BYTES = 100 * 1024 * 1024;

test("shadows that are all lost are soon tried only now and then, and come back when new does", async (t) => {
  await using old = await startBackend(json({ from: "old" }));
  await using fresh = await startBackend(reset);
  await using gateway = await TestGateway.start({
    rules: rulesFor(old.url, fresh.url, "shadow: 100%"),
    flags: ["--threads", "1"],
  });
  const ask = async (): Promise<void> => {
    const answer = await fetch(gateway.proxyUrl);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { from: "old" });
  };
  const shadows = (result: string): Promise<number> => gateway.metric("cutover_shadow_total", { result });
  const sum = async (): Promise<number> => gateway.metric("cutover_shadow_total");

  await t.test("a new that drops every connection is left alone", async () => {
    for (let sent = 0; sent < REQUESTS; sent++) await ask();
    await until("every shadow is counted", async () => (await sum()) === REQUESTS);
    const lost = await shadows("failed");
    assert.ok(lost >= 50 && lost < REQUESTS / 2, `${lost} of ${REQUESTS} shadows were lost`);
    assert.equal(await shadows("shed"), REQUESTS - lost);
  });

  await t.test("shadows are sent again soon after new is back", async () => {
    fresh.answer(json({ from: "old" }));
    await until("a shadow is answered", async () => {
      await ask();
      return (await shadows("sent")) > 0;
    });
  });

  await t.test("an answer that says it is too large is not read", async () => {
    let written = 0;
    fresh.answer((_req, res) => {
      res.writeHead(200, { "content-length": TOO_LARGE_BYTES });
      const more = (): void => {
        while (!res.destroyed && written < TOO_LARGE_BYTES) {
          written += 65_536;
          if (!res.write(Buffer.alloc(65_536))) break;
        }
      };
      res.on("drain", more);
      more();
    });
    await ask();
    await until("the shadow is counted", async () => (await shadows("too_large")) === 1);
    assert.ok(written < TOO_LARGE_BYTES / 2, `${written} bytes were written`);
  });
});
