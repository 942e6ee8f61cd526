/** What comparison costs a data thread: for equal bytes, and in the longest of its steps. */

import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { AnswerCopy } from "../../src/proxy/answer-copy.ts";
import { ClientCopy } from "../../src/proxy/client-copy.ts";
import type { Served } from "../../src/proxy/exchange.ts";
import { offerComparison } from "../../src/proxy/offer.ts";
import { ByteComparison, Joining, type Pieces, STEP_BYTES } from "../../src/proxy/same-bytes.ts";
import type { Shadow, ShadowResult } from "../../src/proxy/shadow.ts";
import type { ShadowPlan } from "../../src/proxy/shadow-plan.ts";
import { piecesOf } from "./compare-path.ts";
import { type IdleDesk, idleDesk } from "./idle-desk.ts";
import { fixed, median, print, quantile } from "./stats.ts";

const HEADERS = ["content-type", "application/json", "content-length", "890", "date", "Thu, 01 Jan 2026"];
const BODY_KIB = [1, 10, 100];
const BATCH = 200;
const MAX_BODY_BYTES = 2 ** 20;
const STREAM_MS = 10_000;

const SERVED: Served = {
  side: "old",
  reason: "default-old",
  outcome: { status: 200, failure: null, headMs: 1, waitedMs: 1, totalMs: 1, wanted: true, isSent: true },
  fellBack: false,
};

/** All that comparison does for one shadowed request: keeps the client's answer and new's, then compares them. */
function compareOne({ desk, room, exchange }: IdleDesk, body: Pieces): void {
  const lease = desk.shelf.lease();
  const ours = new ClientCopy(MAX_BODY_BYTES, STREAM_MS, lease, desk.tools);
  ours.head(200, HEADERS);
  for (const chunk of body.chunks) ours.data(chunk);
  const theirs = new AnswerCopy(MAX_BODY_BYTES, lease);
  theirs.head(200, HEADERS, -1);
  for (const chunk of body.chunks) theirs.data(chunk);
  const plan: ShadowPlan = {
    side: "new",
    client: room.shadowOld,
    maxBodyBytes: MAX_BODY_BYTES,
    compare: DEFAULT_COMPARE,
    lease,
  };
  const shadow: Shadow = { side: "new", result: Promise.resolve(resultOf(theirs)), askOldAgain: null };
  offerComparison(exchange, room, plan, shadow, ours);
  ours.ended(SERVED, false);
}

function resultOf(copy: AnswerCopy): ShadowResult {
  const answer = copy.collected(false, 0);
  return answer === null
    ? { kind: "lost", why: copy.lost ?? "failed" }
    : { kind: "answered", answer, again: null, body: null };
}

/** Microseconds for each of so many calls, all of their promises settled. */
async function usEach(calls: number, work: () => void): Promise<number> {
  const startMs = performance.now();
  for (let done = 0; done < calls; done += BATCH) {
    for (let at = 0; at < BATCH; at++) work();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return ((performance.now() - startMs) * 1000) / calls;
}

/** Equal bytes: both answers kept, compared where they are, counted as a match; nothing is sent anywhere. */
export async function benchEqualBytes(quick: boolean): Promise<void> {
  const rounds = quick ? 7 : 21;
  const calls = quick ? 2_000 : 10_000;
  const rows: string[][] = [];
  for (const kib of BODY_KIB) {
    const here = piecesOf(Buffer.alloc(kib * 1024, "equal bytes "));
    const apart = piecesOf(Buffer.alloc(kib * 1024, "equal bytes "));
    const idle = idleDesk();
    const whole: number[] = [];
    const bytes: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const none = await usEach(calls, () => {});
      const all = await usEach(calls, () => compareOne(idle, here));
      const memcmp = await usEach(calls, () => new ByteComparison(here, apart).step(STEP_BYTES));
      if (round < 0) continue; // warm up
      whole.push(all - none);
      bytes.push(memcmp - none);
    }
    if (idle.matches() !== (rounds + 1) * calls) throw new Error("not every pair was a match");
    rows.push([`${kib} KiB`, fixed(Math.min(...whole), 2), fixed(median(whole), 2), fixed(median(bytes), 2)]);
  }
  console.log(
    `equal bytes: µs that comparison adds to a shadowed request on its data thread, ${rounds} rounds`,
  );
  print(["each answer", "min", "median", "of it the bytes"], rows);
}

interface Steps {
  readonly name: string;
  readonly begin: () => () => boolean;
}

/** The longest that one step of comparison holds up a data thread, however large the answers are. */
export function benchSteps(quick: boolean): void {
  const body = Buffer.alloc(16 * 2 ** 20, "large ");
  const [old, fresh] = [piecesOf(body), piecesOf(body)];
  const steps: readonly Steps[] = [
    {
      name: "compare",
      begin: () => {
        const comparison = new ByteComparison(old, fresh);
        return () => comparison.step(STEP_BYTES) !== null;
      },
    },
    { name: "take memory", begin: () => () => new Joining(old).bytes.length > 0 },
    {
      name: "copy",
      begin: () => {
        const joining = new Joining(old);
        return () => joining.step(STEP_BYTES);
      },
    },
  ];
  const rows = steps.map(({ name, begin }) => {
    const tookMs: number[] = [];
    for (let round = 0; round < (quick ? 10 : 40); round++) {
      const step = begin();
      let startMs = performance.now();
      for (let isDone = false; !isDone; startMs = performance.now()) {
        isDone = step();
        tookMs.push(performance.now() - startMs);
      }
    }
    tookMs.sort((a, b) => a - b);
    const at = (share: number): string => fixed(quantile(tookMs, share), 3);
    return [name, String(tookMs.length), at(0.5), at(0.99), at(0.999), at(1)];
  });
  console.log("large answers (16 MiB): milliseconds of one step on a data thread");
  print(["step", "steps", "median", "p99", "p99.9", "longest"], rows);
}
