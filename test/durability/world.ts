/**
 * One state folder that lives through many kills: its backends, the clients that never stop asking, and what was
 * seen and acknowledged so far.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucketOf } from "../../src/model/bucket.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import { type Asked, ask } from "../support/ask.ts";
import { json, startBackend, type TestBackend } from "../support/backend.ts";
import { rulesWith, TestGateway } from "../support/gateway.ts";
import { obedient } from "../support/obedient.ts";
import { steadyPort } from "../support/ports.ts";
import type { Place } from "./trail.ts";

export interface RouteUnderTest {
  readonly name: string;
  readonly fields: string;
  readonly steps: number;
  readonly bakesMs: readonly number[];
}

const step = (canary: number, rest: string): string => `{ canary: ${canary}%, ${rest} }`;

function route(
  name: string,
  head: string,
  steps: readonly string[],
  bakesMs: readonly number[],
): RouteUnderTest {
  const lines = steps.map((text) => `\n    - ${text}`).join("");
  const fields = `key: [header:x-user]\n${head}\n  steps:${lines}`;
  return { name, fields, steps: steps.length, bakesMs };
}

const HOUR_MS = 3_600_000;
const VISITOR =
  "guard: off\nrollout: { start: running, steps: [{ shadow: 100%, bake: 1h }, { canary: 100% }] }";

/** One that goes by itself, one that people move, and one that bakes all the time. */
export const ROUTES: readonly RouteUnderTest[] = [
  route(
    "auto",
    "guard: off\nrollout:\n  start: running",
    [
      "{ shadow: 100%, bake: 300ms }",
      step(10, "bake: 300ms"),
      step(40, "shadow: 10%, bake: 1200ms"),
      step(100, "bake: 300ms"),
    ],
    [300, 300, 1_200, 300],
  ),
  route(
    "hand",
    "guard: { errors: off }\nrollout:\n  start: paused",
    [5, 10, 25, 50, 75, 100].map((canary) => step(canary, "bake: 0s, approve: true")),
    [0, 0, 0, 0, 0, 0],
  ),
  route(
    "slow",
    "guard: off\nrollout:\n  start: running",
    [20, 60, 100].map((canary) => step(canary, "bake: 1h")),
    [HOUR_MS, HOUR_MS, HOUR_MS],
  ),
];

/** Where every rollout is before its first line in the trail. */
export const START: Place = { phase: "paused", begun: false, step: 0, canary: 0 };

/** A request as it went. Times are the wall clock's, which all of this machine's processes share. */
export interface Trip {
  readonly route: string;
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly side: string | null;
  readonly reason: string | null;
  readonly status: number;
}

export interface Served {
  readonly route: string;
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Keys by buckets all over the range, the same for every route; 0.5 is the middle. */
export const KEYS: readonly string[] = Array.from({ length: 16 }, (_, index) => `k${index}`);
export const PINNED_KEYS: readonly string[] = ["p0", "p1", "p2"];

export function bucket(name: string, key: string): number {
  return bucketOf(name, key) / 1_000_000;
}

const PRELOAD = new URL("../support/store-fault.ts", import.meta.url).href;
/** Between an answer and a client's next request. */
const PAUSE_MS = 20;
const CLIENTS = 2;

export interface Launch {
  /** See test/support/store-fault.ts. */
  readonly kill?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class World implements AsyncDisposable {
  readonly folder: string;
  readonly old: TestBackend;
  readonly fresh: TestBackend;
  readonly #port: number;
  /** The trail as far as anybody was told of it, by id. */
  readonly seen = new Map<number, AuditEntry>();
  /** What new served (no shadows), as its backend saw it. */
  served: Served[] = [];
  trips: Trip[] = [];
  #asking: Promise<unknown> = Promise.resolve();
  #isOver = false;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });
  #hasVisitor = false;

  private constructor(folder: string, old: TestBackend, fresh: TestBackend, port: number) {
    this.folder = folder;
    this.old = old;
    this.fresh = fresh;
    this.#port = port;
  }

  static async create(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "cutover-kill-"));
    const old = await startBackend(json({ well: true }));
    const fresh = await startBackend(json({ well: true }));
    const world = new World(folder, old, fresh, await steadyPort());
    const answer = obedient("x-new");
    fresh.answer((req, res, body) => {
      const { "x-cutover-shadow": shadow, "x-sent": sent, "x-user": key } = req.headers;
      const name = (req.url ?? "").split("/")[1] ?? "";
      if (shadow === undefined && sent !== undefined) {
        world.served.push({ route: name, key: String(key), startMs: Number(sent), endMs: Date.now() });
      }
      fresh.seen.length = 0; // for hundreds of rounds
      answer(req, res, body);
    });
    old.answer((req, res, body) => {
      old.seen.length = 0;
      json({ well: true })(req, res, body);
    });
    world.#asking = Promise.all(Array.from({ length: CLIENTS }, (_, index) => world.#client(index)));
    return world;
  }

  get rules(): string {
    const fields = ROUTES.map(({ name, fields }) => [name, fields] as const);
    if (this.#hasVisitor) fields.push(["visitor", VISITOR]);
    return rulesWith(this.old.url, this.fresh.url, Object.fromEntries(fields));
  }

  /** Starts a gateway on the folder; undefined where its plan killed it before it listened. */
  async launch({ kill, env = {} }: Launch = {}): Promise<TestGateway | undefined> {
    try {
      return await TestGateway.start({
        rules: this.rules,
        folder: this.folder,
        flags: ["--listen", `127.0.0.1:${this.#port}`, "--threads", "1", "--access-log", "off"],
        env: {
          NODE_OPTIONS: `--import=${PRELOAD}`,
          NODE_COMPILE_CACHE: join(this.folder, "compiled"), // most of a start is reading the sources
          ...(kill === undefined ? {} : { CUTOVER_TEST_KILL: kill }),
          ...env,
        },
      });
    } catch (error) {
      if (kill !== undefined && /ended with null[\s\S]*killed (before|after)/.test(String(error)))
        return undefined;
      throw error;
    }
  }

  /** After so long, takes a route with a rollout into the rules, or out of them: what is kept of it comes and goes. */
  async editRules(gateway: TestGateway, afterMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    this.#hasVisitor = !this.#hasVisitor;
    await writeFile(gateway.rulesFile, this.rules);
    gateway.signal("SIGHUP");
  }

  ask(name: string, key: string, headers: Readonly<Record<string, string>> = {}): Promise<Asked> {
    return ask(`http://127.0.0.1:${this.#port}`, {
      agent: this.#agent,
      path: `/${name}/x`,
      headers: { "x-user": key, "x-sent": String(Date.now()), ...headers },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#agent.destroy();
    await this.#asking;
    await this.old.close();
    await this.fresh.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Asks all the time, also while nobody listens: the first request after a start counts as well. */
  async #client(index: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = index; !this.#isOver; turn += 1) {
      const { name } = ROUTES[turn % ROUTES.length] as RouteUnderTest;
      const key = KEYS[(turn * 7 + index) % KEYS.length] as string;
      const startMs = Date.now();
      try {
        const { side, reason, status } = await ask(`http://127.0.0.1:${this.#port}`, {
          agent,
          path: `/${name}/x`,
          headers: { "x-user": key, "x-sent": String(startMs) },
        });
        this.trips.push({ route: name, key, startMs, endMs: Date.now(), side, reason, status });
      } catch {
        // Nobody listens, or it was killed: that is what this is about.
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    agent.destroy();
  }
}
