/**
 * What the backends get from every proxy of the rig: protocol, connections, fields added and taken away. Whoever
 * opens a connection for each request, or speaks HTTP/1.0, does other work than the rest.
 *
 *   node bench/wire.ts        npm run bench -- --only wire
 */

import { join } from "node:path";
import { Contestant, planned, type Stage } from "./peers/contestant.ts";
import type { Peer, Shape } from "./peers/peer.ts";
import { gather, PEER_NAMES } from "./peers/peers.ts";
import { CACHE, CHECKOUT, runFolder } from "./peers/places.ts";
import { SCENARIOS, type Scenario } from "./peers/scenarios.ts";
import { type Seen, startWitness, type Witness } from "./peers/witness.ts";
import { load } from "./support/load.ts";
import { isMain } from "./support/script.ts";
import { print } from "./support/stats.ts";

const CONNECTIONS = 8;
const DURATION_MS = 400;
const SHAPES: readonly Shape[] = ["plain", "shadow"];
/** As bench/support/load.ts sends them. */
const SENT = ["host", "user-agent", "accept", "x-user"];

async function rowsOf(peer: Peer, scenario: Scenario, folder: string): Promise<readonly string[][]> {
  await using old = await startWitness();
  await using fresh = await startWitness();
  const stage: Stage = {
    backends: {
      oldPort: old.port,
      newPort: fresh.port,
      counts: () => Promise.reject(new Error("witnesses count for themselves")),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    cores: { proxy: null, rest: null, pair: null, remark: "" },
    wrk: { program: "", folder, cores: null },
    folder: join(folder, scenario.name),
  };
  const plan = await planned(peer, peer.name, scenario, stage);
  if ("lacks" in plan) return [];
  await using contestant = await Contestant.start(plan.entry, plan.folder, plan.port, scenario, stage);
  const path = scenario.requests.paths[0] ?? "/";
  const { failures } = await load({
    url: contestant.url,
    path,
    connections: CONNECTIONS,
    durationMs: DURATION_MS,
    perSecond: null,
  });
  const witnesses: readonly (readonly [string, Witness])[] = [
    ["old", old],
    ["new", fresh],
  ];
  return witnesses
    .filter(([, { seen }]) => seen.length > 0)
    .map(([side, { seen, connections }]) => [
      `${peer.name}, ${scenario.shape}`,
      side,
      [...new Set(seen.map(({ version }) => version))].join(" "),
      String(seen.length),
      String(connections),
      ...fieldsOf(seen.at(-1)),
      String(failures),
    ]);
}

function fieldsOf(seen: Seen | undefined): readonly string[] {
  const names = [...(seen?.fields.keys() ?? [])];
  const lower = names.map((name) => name.toLowerCase());
  const added = names.filter((name) => !SENT.includes(name.toLowerCase()));
  const gone = SENT.filter((name) => !lower.includes(name));
  return [added.join("\n"), gone.join("\n")];
}

/** `quick` makes no difference: it takes a few seconds. */
export async function benchWire(_quick: boolean): Promise<void> {
  using folder = runFolder();
  const tell = (what: string): void => void process.stderr.write(`${what}\n`);
  const { peers, missing } = await gather(PEER_NAMES, CHECKOUT, [], CACHE, tell);
  for (const { name, why } of missing) tell(`${name} is left out: ${why}`);
  const rows: string[][] = [];
  for (const shape of SHAPES) {
    const scenario = SCENARIOS.find((one) => one.shape === shape);
    if (scenario === undefined) continue;
    for (const peer of peers) {
      if (peer.kind === "least" && shape !== "plain") continue;
      try {
        rows.push(...(await rowsOf(peer, scenario, folder.path)));
      } catch (error) {
        tell(`${peer.name} failed: ${(error as Error).message}`);
      }
    }
  }
  console.log(`wire: what the backends got while ${CONNECTIONS} clients asked for ${DURATION_MS} ms`);
  print(["", "side", "protocol", "requests", "connections", "fields added", "taken away", "failures"], rows);
}

if (isMain(import.meta.url)) await benchWire(false);
