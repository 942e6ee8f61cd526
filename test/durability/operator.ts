/** People and faults at one route: acts without end until the gateway is gone, and notes what it was told. */

import type { RouteStatus } from "../../src/model/reports.ts";
import type { TestGateway } from "../support/gateway.ts";
import type { Draws } from "./draws.ts";
import { bucket, KEYS, PINNED_KEYS, type World } from "./world.ts";

export interface Call {
  readonly route: string;
  readonly action: string;
  /** Its own, so that its line is found in the trail. */
  readonly reason: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** "lost": killed before it answered; nobody knows whether it happened. */
  readonly answer: "done" | "refused" | "lost";
  readonly message: string;
}

export interface Manners {
  /** The longest wait between two calls; half of it on average. */
  readonly pauseMs: number;
  /** How often one that bakes is not left alone, 0 to 1. */
  readonly meddles: number;
}

type Order = Pick<Call, "action" | "body">;

/** Answers that say that nothing had to happen, or that it is not on disk yet. */
const WITHOUT_LINE = /already|nothing to|has left step|has not kept it yet/;
const FAILURES_OF_NEW = 6;

/** Whether the trail must have exactly one line of this call, whatever happens to the gateway. */
export function mustStand({ answer, message }: Call): boolean {
  return answer === "done" && !WITHOUT_LINE.test(message);
}

export class Operator {
  readonly #world: World;
  readonly #route: string;
  readonly #draws: Draws;
  readonly #manners: Manners;
  readonly calls: Call[] = [];
  #count = 0;
  #again: Call | undefined;

  constructor(world: World, route: string, draws: Draws, manners: Manners) {
    this.#world = world;
    this.#route = route;
    this.#draws = draws;
    this.#manners = manners;
  }

  /** `sending` is called when a request is on its way; pauses are `slowness` times as long. Resolves once the gateway is gone. */
  async work(gateway: TestGateway, slowness: number, sending: () => void): Promise<void> {
    try {
      for (;;) {
        await new Promise((resolve) =>
          setTimeout(resolve, this.#draws.number() * this.#manners.pauseMs * slowness),
        );
        const status = await gateway.route(this.#route);
        if (status.state === "baking" && !this.#draws.chance(this.#manners.meddles)) continue;
        if (this.#again === undefined && this.#draws.chance(0.08)) await this.#breakNew(status);
        await this.#send(gateway, this.#next(status), sending);
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** What nobody has answered is asked again as it was, as a pipeline would. */
  #next(status: RouteStatus): Order & { readonly reason: string } {
    const again = this.#again;
    this.#again = undefined;
    if (again !== undefined) return again;
    this.#count += 1;
    const order = this.#draws.chance(0.15) ? this.#pin() : this.#order(status);
    return { ...order, reason: `${order.action} ${this.#route} ${this.#count}` };
  }

  #order({ state, step, canary }: RouteStatus): Order {
    const { one, chance } = this.#draws;
    const plain = (action: string): Order => ({ action, body: {} });
    if (state === "rolled-back") return plain(chance(0.8) ? "reset" : "rollback");
    if (state === "completed") return plain(one(["rollback", "rollback", "promote", "pause"]));
    // One that has not begun is at step 0 as well: "leave step 0" could be done twice there.
    if (state === "paused" && (canary === 0 || chance(0.6))) return plain("resume");
    const dice = this.#draws.number();
    if (dice < 0.5) return { action: "promote", body: { step } };
    if (dice < 0.55) return { action: "promote", body: { to: one(["5%", "30%", "100%"]) } };
    if (dice < 0.75) return plain("pause");
    return plain(dice < 0.85 ? "rollback" : one(["resume", "reset"]));
  }

  #pin(): Order {
    const key = this.#draws.one(PINNED_KEYS);
    if (this.#draws.chance(0.4)) return { action: "unpin", body: { key } };
    return { action: "pins", body: { key, side: this.#draws.one(["old", "new"]) } };
  }

  async #send(
    gateway: TestGateway,
    order: Order & { readonly reason: string },
    sending: () => void,
  ): Promise<void> {
    const { action, reason, body } = order;
    const note = (answer: Call["answer"], message: string): Call => {
      const call = { route: this.#route, action, reason, body, answer, message };
      this.calls.push(call);
      return call;
    };
    const answered = gateway.admin("POST", `/api/v1/routes/${this.#route}/${action}`, { ...body, reason });
    sending();
    try {
      const { status, body: said } = await answered;
      const text = JSON.stringify(said);
      if (status === 200) note("done", text);
      else if (status === 409) note("refused", text);
      else throw new Error(`${action} was answered with ${status}: ${text}`);
    } catch (error) {
      if (isGone(error)) this.#again = note("lost", "");
      throw error;
    }
  }

  /** New fails where old answers well, until the guard has seen enough. */
  async #breakNew({ canary }: RouteStatus): Promise<void> {
    const key = KEYS.find((each) => bucket(this.#route, each) < canary);
    if (key === undefined) return;
    for (let i = 0; i < FAILURES_OF_NEW; i++) {
      await this.#world.ask(this.#route, key, { "x-new": "503" });
    }
  }
}

/** The connection broke, or there was nobody to connect to: in the words of fetch, or with a socket's code. */
function isGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TypeError) return /^(fetch failed|terminated)$/.test(error.message);
  return "code" in error && /^(ECONN|EPIPE)/.test(String(error.code));
}
