/** Steady requests of many users through the gateway, and what came of each. */

import { Agent, type IncomingMessage, request } from "node:http";

/** What a client sees of one answer. */
interface Outcome {
  readonly user: number;
  readonly method: string;
  readonly side: string;
  readonly reason: string;
  /** Null: a whole, right answer. Otherwise what was wrong with it. */
  readonly failure: string | null;
  /** The number of the stretch in which the request was sent. */
  readonly stretch: number;
  /** performance.now() when the request was sent, and when the answer was whole. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
}

export interface Tally {
  answers: number;
  failed: number;
  bySide: Record<string, number>;
  byReason: Record<string, number>;
}

export interface Traffic {
  /** Of all time. */
  readonly total: Readonly<Tally>;
  /** The first failures, in words. */
  readonly failures: readonly string[];
  /** Of the requests that were *sent* since the latest `newStretch`. */
  stretch(): Readonly<Tally>;
  newStretch(): void;
  /** When the first answer with this reason came (performance.now()), or null. */
  firstAnswerAtMs(reason: string): number | null;
  /** Answers that sent a user back to old whom the canary had drawn to new: while the share grows, none. */
  movedBack(): number;
  /** Sends no more; resolves when every answer has come. */
  stop(): Promise<void>;
}

const REQUESTS_PER_SECOND = 180;
const TICK_MS = 20;
/** What a late timer may catch up with at once. */
const MAX_BURST = 20;
const USERS = 5_000;
const TIMEOUT_MS = 5_000;
const MAX_BODY_BYTES = 64 * 1024;
const FAILURES_KEPT = 5;

function emptyTally(): Tally {
  return { answers: 0, failed: 0, bySide: {}, byReason: {} };
}

/** Adds one outcome. */
function count(tally: Tally, outcome: Outcome): void {
  tally.answers += 1;
  if (outcome.failure !== null) tally.failed += 1;
  tally.bySide[outcome.side] = (tally.bySide[outcome.side] ?? 0) + 1;
  tally.byReason[outcome.reason] = (tally.byReason[outcome.reason] ?? 0) + 1;
}

/** Starts at once, and goes on until `stop`. `url` is the gateway's, without a slash at its end. */
export function startTraffic(url: string): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const total = emptyTally();
  const failures: string[] = [];
  const firstByReason = new Map<string, number>();
  const drawnToNewAtMs = new Map<number, number>();
  const pending = new Set<Promise<void>>();
  let stretch = { number: 0, tally: emptyTally() };
  let movedBack = 0;

  const record = (outcome: Outcome) => {
    count(total, outcome);
    if (outcome.stretch === stretch.number) count(stretch.tally, outcome);
    if (outcome.failure !== null && failures.length < FAILURES_KEPT) failures.push(outcome.failure);
    if (!firstByReason.has(outcome.reason)) firstByReason.set(outcome.reason, outcome.endedAtMs);
    if (outcome.reason === "canary-share" && !drawnToNewAtMs.has(outcome.user)) {
      drawnToNewAtMs.set(outcome.user, outcome.endedAtMs);
    }
    if (isMoveBack(outcome, drawnToNewAtMs.get(outcome.user))) movedBack += 1;
  };
  const send = () => {
    const one = sendOne(url, agent, stretch.number).then(record);
    pending.add(one);
    void one.finally(() => pending.delete(one));
  };

  const startedAtMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAtMs) / 1_000) * REQUESTS_PER_SECOND) - sent;
    sent += due;
    for (let i = 0; i < Math.min(due, MAX_BURST); i++) send();
  }, TICK_MS);

  return {
    total,
    failures,
    stretch: () => stretch.tally,
    newStretch() {
      stretch = { number: stretch.number + 1, tally: emptyTally() };
    },
    firstAnswerAtMs: (reason) => firstByReason.get(reason) ?? null,
    movedBack: () => movedBack,
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
      agent.destroy();
    },
  };
}

/** The threads of the gateway take new rules up one after the other: so long, one of them may still act by the old. */
const RELOAD_GRACE_MS = 1_000;

function isMoveBack(outcome: Outcome, drawnToNewAtMs: number | undefined): boolean {
  if (drawnToNewAtMs === undefined || outcome.sentAtMs < drawnToNewAtMs + RELOAD_GRACE_MS) return false;
  // Writes stay on old by rule.
  return outcome.reason === "default-old" && outcome.method !== "POST";
}

/** Mostly reads, a few probes of the head alone, a few writes. */
function pickMethod(): "GET" | "HEAD" | "POST" {
  const draw = Math.random();
  if (draw < 0.96) return "GET";
  return draw < 0.98 ? "HEAD" : "POST";
}

/** Never rejects: whatever went wrong is the outcome. */
async function sendOne(url: string, agent: Agent, stretch: number): Promise<Outcome> {
  const user = 1 + Math.floor(Math.random() * USERS);
  const method = pickMethod();
  const target = `${url}/profiles/${user}${method === "POST" ? "/visits" : ""}`;
  const base = { user, method, stretch, sentAtMs: performance.now() };
  try {
    const { response, body } = await ask(target, method, user, agent);
    const failure = judge(method, user, response, body);
    const side = String(response.headers["x-cutover-side"] ?? "none");
    const reason = String(response.headers["x-cutover-reason"] ?? "none");
    return { ...base, side, reason, failure, endedAtMs: performance.now() };
  } catch (error) {
    const failure = `${method} ${target}: ${error instanceof Error ? error.message : String(error)}`;
    return { ...base, side: "none", reason: "none", failure, endedAtMs: performance.now() };
  }
}

function ask(
  target: string,
  method: string,
  user: number,
  agent: Agent,
): Promise<{ readonly response: IncomingMessage; readonly body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ response: IncomingMessage; body: string }>();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const outgoing = request(
    target,
    { method, agent, signal, headers: { "x-user-id": String(user) } },
    (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
        if (body.length > MAX_BODY_BYTES) response.destroy(new Error("the answer is too long"));
      });
      response.on("end", () => resolve({ response, body }));
      response.on("error", reject);
    },
  );
  outgoing.on("error", reject);
  outgoing.on("close", () => reject(new Error("the connection closed early")));
  outgoing.end();
  return promise;
}

/** What is wrong with an answer, from where the client sits; null: nothing. */
export function judge(
  method: string,
  user: number,
  response: { readonly statusCode?: number | undefined },
  body: string,
): string | null {
  const expected = method === "POST" ? 204 : 200;
  if (response.statusCode !== expected)
    return `${method} of user ${user} was answered ${response.statusCode}, not ${expected}`;
  if (method !== "GET") return null;
  try {
    const profile: unknown = JSON.parse(body);
    const right =
      typeof profile === "object" && profile !== null && "id" in profile && profile.id === String(user);
    return right ? null : `user ${user} was answered somebody else's profile`;
  } catch {
    return `user ${user} was answered a broken profile`;
  }
}
