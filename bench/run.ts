/**
 * The gateway beside other proxies, and by name every other measurement. Needs Linux (processor time and memory are
 * read from /proc); nginx, wrk and the peers are installed into bench/.cache where they are missing.
 *
 *   npm run bench                          all scenarios; writes bench/RESULTS.md
 *   npm run bench -- --quick               a few of them, in under two minutes
 *   npm run bench -- --only plain,shadow --peers envoy,bare --rounds 5 [--against CHECKOUT]
 *   npm run bench -- --only rollback,isolation
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchCompare } from "./compare.ts";
import { benchDashboards } from "./dashboards.ts";
import { benchIsolation } from "./isolation.ts";
import { benchPeers } from "./peers/bench.ts";
import { PEER_NAMES } from "./peers/peers.ts";
import { SCENARIOS } from "./peers/scenarios.ts";
import { benchReload } from "./reload.ts";
import { benchRollback } from "./rollback.ts";
import { benchWire } from "./wire.ts";

const RESULTS = fileURLToPath(new URL("./RESULTS.md", import.meta.url));
const MAX_ROUNDS = 100;
const THREADS = "threads";

/** Measurements with a rig of their own. */
const SCRIPTS: Readonly<Record<string, (quick: boolean) => Promise<void>>> = {
  rollback: benchRollback,
  reload: benchReload,
  isolation: benchIsolation,
  compare: benchCompare,
  dashboards: benchDashboards,
  wire: benchWire,
};

const SCENARIO_NAMES = [...SCENARIOS.map(({ name }) => name), THREADS];

function names(given: string | undefined, flag: string, known: readonly string[]): readonly string[] | null {
  if (given === undefined) return null;
  const asked = given.split(",").filter((name) => name !== "");
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${flag} ${unknown}: write some of ${known.join(", ")}`);
  return asked;
}

function roundsOf(given: string | undefined): number | null {
  if (given === undefined) return null;
  const rounds = Number(given);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= MAX_ROUNDS) return rounds;
  throw new Error(`--rounds ${given}: write a number from 1 to ${MAX_ROUNDS}`);
}

async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string" },
      against: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
    },
  });
  const only = names(values.only, "--only", [...SCENARIO_NAMES, ...Object.keys(SCRIPTS)]);
  const peers = names(values.peers, "--peers", PEER_NAMES);
  const rounds = roundsOf(values.rounds);
  const isPart = only !== null || peers !== null || values.against.length > 0;
  const isAsked = (name: string, byItself: boolean): boolean => only?.includes(name) ?? byItself;
  const scenarios = SCENARIOS.filter(({ name, quick }) => isAsked(name, !values.quick || quick !== null));
  const threads = isAsked(THREADS, true);
  if (scenarios.length > 0 || threads) {
    await benchPeers({
      scenarios,
      threads,
      // The gateway is what everybody is compared with.
      peers: peers === null ? PEER_NAMES : ["gateway", ...peers.filter((name) => name !== "gateway")],
      quick: values.quick,
      against: values.against,
      rounds,
      // A run of a part does not replace the whole picture, unless it is told where to write.
      out: values.out ?? (isPart ? null : RESULTS),
      command: ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])].join(
        " ",
      ),
    });
  }
  for (const [name, script] of Object.entries(SCRIPTS)) {
    if (only?.includes(name)) await script(values.quick);
  }
}

try {
  await bench();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
