/** A gateway of which every metric has something to say: routes that shadow, differ, fall back, roll out, are latched. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { json, startBackend } from "../support/backend.ts";
import { TestGateway } from "../support/gateway.ts";
import { startLoad } from "../support/load.ts";

export interface Scene extends AsyncDisposable {
  readonly gateway: TestGateway;
}

/** Starts it and clients that go on asking, until it is disposed of. */
export async function openScene(): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  try {
    const old = stack.use(await startBackend(veteran));
    const fresh = stack.use(await startBackend(newcomer()));
    const collector = stack.use(await startBackend(json({})));
    const flags = ["--otlp", collector.url, "--trace-sample", "100%"];
    const gateway = stack.use(await TestGateway.start({ rules: rulesOf(old.url, fresh.url), flags }));
    for (const path of ["/canary", "/differs", "/fails", "/falls", "/lags", "/rollout"]) {
      const load = startLoad(gateway.proxyUrl, { path, clients: 1 });
      stack.defer(() => load.stop());
    }
    const kept = stack.move();
    return { gateway, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Old: fails where nobody helps. */
function veteran(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  json({ well: true }, req.url === "/fails" ? 503 : 200)(req, res, body);
}

/** New: differs where the path says so, fails where it says so, and lags every other time where it says that. */
function newcomer(): (req: IncomingMessage, res: ServerResponse, body: Buffer) => void {
  let asked = 0;
  return (req, res, body) => {
    if (req.url === "/falls") return json({ well: false }, 503)(req, res, body);
    if (req.url === "/lags") asked += 1;
    const isWell = req.url === "/lags" ? asked % 2 === 0 : req.url !== "/differs";
    json({ well: isWell })(req, res, body);
  };
}

function rulesOf(oldUrl: string, newUrl: string): string {
  return `version: 1
backends:
  legacy: { url: "${oldUrl}" }
  modern: { url: "${newUrl}" }
defaults: { old: legacy, new: modern }
routes:
  - name: canary
    match: { path: /canary }
    canary: 50%
    shadow: 100%
    guard: { latency: { ratio: 2 }, mismatches: { max: 1% } }
  - name: differs
    match: { path: /differs }
    shadow: 100%
  - name: fails
    match: { path: /fails }
  - name: falls
    match: { path: /falls }
    canary: 50%
    guard: off
  - name: lags
    match: { path: /lags }
    shadow: 100%
    compare: { confirm: 100ms }
  - name: rollout
    match: { path: /rollout }
    rollout:
      start: running
      steps:
        - { canary: 20%, shadow: 50%, bake: 1h }
        - { canary: 40%, bake: 1h, gate: handed-over }
        - { canary: 100%, bake: 1h }
      gates: { handed-over: { file: handed-over.txt, every: 1s } }
`;
}
