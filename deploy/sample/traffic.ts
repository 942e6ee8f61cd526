/** Some 20 requests a second for deploy/compose.yaml, so that there is something to see: `node traffic.ts URL`. */

import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 50;
const TIMEOUT_MS = 10_000;
const PROFILES = 3_000;

/** Asks until `signal`; the gateway may be gone for a while. Resolves to how many answers came. */
export async function askOn(url: string, signal: AbortSignal): Promise<number> {
  let answers = 0;
  while (!signal.aborted) {
    const id = 1 + Math.floor(Math.random() * PROFILES);
    try {
      const answer = await fetch(new URL(`/profiles/${id}`, url), {
        headers: { "x-user-id": String(id) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await answer.arrayBuffer();
      answers += 1;
    } catch (error) {
      if (!signal.aborted) console.error(`no answer: ${(error as Error).message}`);
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  return answers;
}

if (import.meta.main) {
  const [url] = process.argv.slice(2);
  if (url === undefined || !URL.canParse(url)) {
    console.error("write: node traffic.ts URL");
    process.exit(2);
  }
  const end = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => end.abort());
  await askOn(url, end.signal);
}
