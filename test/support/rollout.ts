/** Routes with a rollout behind a real gateway, for behaviour tests. */

import type { RouteStatus } from "../../src/model/reports.ts";
import { json, startBackend, type TestBackend } from "./backend.ts";
import { rulesFor, TestGateway, type TestGatewayOptions } from "./gateway.ts";
import { obedient } from "./obedient.ts";
import { until } from "./until.ts";

export interface Staged extends AsyncDisposable {
  readonly old: TestBackend;
  readonly fresh: TestBackend;
  readonly gateway: TestGateway;
  /** The rules of the one route `r` with these further lines. */
  rules(fields: string): string;
}

/** Two sound backends (new does what the header `x-new` says), and a gateway whose route `r` has these fields. */
export async function startStaged(
  fields: string,
  options: Partial<TestGatewayOptions> = {},
): Promise<Staged> {
  await using stack = new AsyncDisposableStack();
  const old = stack.use(await startBackend(json({ well: true })));
  const fresh = stack.use(await startBackend(obedient("x-new")));
  const rules = (text: string) => rulesFor(old.url, fresh.url, text);
  const gateway = stack.use(await TestGateway.start({ rules: rules(fields), ...options }));
  const built = stack.move();
  return { old, fresh, gateway, rules, [Symbol.asyncDispose]: () => built.disposeAsync() };
}

/** Waits until the status of `r` is so. */
export function reaches(
  gateway: TestGateway,
  what: string,
  is: (route: RouteStatus) => boolean,
): Promise<RouteStatus> {
  return until(what, async () => {
    const route = await gateway.route("r");
    return is(route) ? route : undefined;
  });
}

/** A running rollout of these steps, each the inside of a YAML flow mapping. */
export function running(...steps: readonly string[]): string {
  return ["rollout:", "  start: running", "  steps:", ...steps.map((step) => `    - { ${step} }`)].join("\n");
}

/** Further lines of a rollout. */
export function withGates(rollout: string, gates: Readonly<Record<string, string>>): string {
  const lines = Object.entries(gates).map(([name, gate]) => `    ${name}: { ${gate} }`);
  return [rollout, "  gates:", ...lines].join("\n");
}
