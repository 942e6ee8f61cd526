/** What backend and load can do without a proxy between them: figures near these say more of the rig than of a proxy. */

import { load } from "../support/load.ts";
import { fixed, quantile } from "../support/stats.ts";
import { SMALL_PATH } from "./backends.ts";
import { CONNECTIONS, PACED_PER_SECOND, type Stage } from "./contestant.ts";
import { urlOf } from "./peer.ts";
import { flatOut } from "./wrk.ts";

const DURATION_MS = 1_000;

/** One sentence for the report. */
export async function floorFact({ wrk, backends }: Stage): Promise<string> {
  const url = urlOf(backends.oldPort);
  const { requests, tookMs } = await flatOut(
    wrk,
    url,
    { method: "GET", paths: [SMALL_PATH], bodyBytes: 0 },
    CONNECTIONS,
    1,
  );
  const { latencies } = await load({
    url,
    path: SMALL_PATH,
    connections: CONNECTIONS,
    durationMs: DURATION_MS,
    perSecond: PACED_PER_SECOND,
  });
  const perSecond = Math.round((requests / tookMs) * 1000).toLocaleString("en");
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => fixed(quantile(latencies, share), 2));
  return (
    `The backend without a proxy: ${perSecond} requests a second; p50 ${p50} ms, p99 ${p99}, p99.9 ${p999} at the fixed ` +
    "rate. Figures near these say more of the rig than of a proxy."
  );
}
