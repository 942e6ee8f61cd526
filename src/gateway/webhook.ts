/** The webhook, reading the audit trail of the control room. */

import type { Announcer } from "../control/announcer.ts";
import type { Store } from "../control/store-types.ts";
import type { WebhookOptions } from "../control/webhook.ts";
import { say } from "./say.ts";

/** Delivers until `built` is taken down; what is on its way then is delivered after the next start. Never rejects. */
export async function startWebhook(
  options: WebhookOptions,
  store: Store,
  announcer: Announcer,
  built: AsyncDisposableStack,
): Promise<void> {
  const { Webhook } = await import("../control/webhook.ts"); // with its client, where there is one
  const webhook = new Webhook(options, {
    entriesAfter: (id) => store.auditAfter(id),
    newestId: async () => (await store.audit({ route: null, limit: 1 }))[0]?.id ?? 0,
    meta: (key) => store.meta(key),
    setMeta: (key, value) => store.setMeta(key, value),
    onEntry: (listener) => announcer.onEntry(listener),
    warn: (text) => say(text),
    nowMs: () => performance.now(),
  });
  await webhook.begin().catch((error: unknown) => announcer.storeFailed(error)); // `run` tries again
  const running = webhook.run();
  built.defer(async () => {
    await webhook.stop();
    await running;
  });
}
