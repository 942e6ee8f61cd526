import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { signature, Webhook, type WebhookTools } from "../../src/control/webhook.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import { json, type Script, startBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";

function entry(id: number, action: string): AuditEntry {
  return {
    id,
    at: "2026-01-05T10:00:00.000Z",
    route: "profiles",
    action,
    by: "operator",
    reason: "a drill",
    from: "serving",
    to: "rolled-back",
    evidence: null,
  };
}

/** A trail in memory, as the store keeps it. */
function trail() {
  const entries: AuditEntry[] = [];
  const meta = new Map<string, string>();
  const listeners = new Set<() => void>();
  const warnings: string[] = [];
  let nowMs = 0;
  const tools: WebhookTools = {
    // Two a page, as the store has a bound too.
    entriesAfter: async (id) => entries.filter((one) => one.id > id).slice(0, 2),
    newestId: async () => entries.at(-1)?.id ?? 0,
    meta: async (key) => meta.get(key),
    setMeta: async (key, value) => void meta.set(key, value),
    onEntry: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    warn: (text) => warnings.push(text),
    nowMs: () => nowMs,
    firstRetryMs: 1,
  };
  const add = (...actions: string[]): void => {
    for (const action of actions) entries.push(entry(entries.length + 1, action));
    for (const listener of listeners) listener();
  };
  return {
    tools,
    warnings,
    add,
    meta,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

async function runWith(tools: WebhookTools, url: string, work: () => Promise<void>): Promise<void> {
  const webhook = new Webhook({ url, secret: "s3cret" }, tools);
  const running = webhook.run();
  try {
    await work();
  } finally {
    await webhook.stop();
    await running;
  }
}

describe("the webhook", () => {
  test("promotions and rollbacks are told in order, signed, and nothing else is", async () => {
    await using backend = await startBackend(json({}));
    const { tools, add, meta } = trail();
    add("rollback"); // before it was ever configured
    await runWith(tools, `${backend.url}/hook`, async () => {
      await until("begun", () => meta.has("webhook.delivered"));
      add("promote", "reload", "rollback");
      await until("two deliveries", () => backend.seen.length === 2);
    });
    assert.deepEqual(
      backend.seen.map(({ headers }) => [headers["x-cutover-event"], headers["x-cutover-delivery"]]),
      [
        ["promote", "2"],
        ["rollback", "4"],
      ],
    );
    const told = backend.seen[1];
    assert.ok(told !== undefined);
    assert.equal(told.headers["x-cutover-signature"], signature("s3cret", 1767607200, told.body));
    assert.deepEqual(JSON.parse(told.body), { event: "rollback", ...entry(4, "rollback") });
  });

  test("what is not taken is sent again, and said once", async () => {
    let failures = 3;
    const failing: Script = (_req, res) => {
      res.writeHead(failures-- > 0 ? 503 : 204).end();
    };
    await using backend = await startBackend(failing);
    const { tools, add, warnings, meta } = trail();
    await runWith(tools, backend.url, async () => {
      await until("begun", () => meta.has("webhook.delivered"));
      add("rollback");
      await until("taken", () => meta.get("webhook.delivered") === "1");
    });
    assert.equal(backend.seen.length, 4);
    assert.equal(new Set(backend.seen.map(({ body }) => body)).size, 1);
    assert.deepEqual(warnings, [
      "webhook: rollback of profiles (1) was not taken: it answered 503; tried again for a day",
    ]);
  });

  test("who refuses is not asked for a day: what comes after is told", async () => {
    const refusing: Script = (req, res) => {
      res.writeHead(req.headers["x-cutover-delivery"] === "1" ? 400 : 200).end();
    };
    await using backend = await startBackend(refusing);
    const { tools, add, warnings, meta } = trail();
    meta.set("webhook.delivered", "0");
    await runWith(tools, backend.url, async () => {
      add("pause", "rollback");
      await until("both past", () => meta.get("webhook.delivered") === "2");
    });
    assert.equal(backend.seen.length, 5);
    assert.match(warnings[0] ?? "", /it answered 400; tried again up to 3 times$/);
    assert.match(warnings.at(-1) ?? "", /it answered 400; given up after 4 attempts/);
  });

  test("a restart goes on where delivery had come to", async () => {
    await using backend = await startBackend(json({}));
    const { tools, add, meta } = trail();
    meta.set("webhook.delivered", "1");
    add("rollback", "reset");
    await runWith(tools, backend.url, () => until("told", () => backend.seen.length === 1).then(() => {}));
    assert.equal(backend.seen[0]?.headers["x-cutover-event"], "reset");
  });

  test("after a day without success the next one is told", async () => {
    const refusing: Script = (req, res) => {
      res.writeHead(req.headers["x-cutover-delivery"] === "1" ? 500 : 200).end();
    };
    await using backend = await startBackend(refusing);
    const { tools, add, warnings, meta, pass } = trail();
    meta.set("webhook.delivered", "0");
    await runWith(tools, backend.url, async () => {
      add("rollback", "reset");
      await until("tried", () => backend.seen.length > 2);
      pass(25 * 3_600_000);
      await until("both past", () => meta.get("webhook.delivered") === "2");
    });
    assert.match(warnings.at(-1) ?? "", /given up after \d+ attempts/);
  });

  test("stopping ends an attempt that hangs", async () => {
    await using backend = await startBackend(() => {});
    const { tools, add, meta } = trail();
    meta.set("webhook.delivered", "0");
    await runWith(tools, backend.url, async () => {
      add("rollback");
      await until("asked", () => backend.seen.length === 1);
    });
    assert.equal(meta.get("webhook.delivered"), "0");
  });
});
