/** What comparison costs a data thread: for equal bytes, and in the longest of its steps. */

import { DEFAULT_COMPARE } from "../../src/model/default-compare.ts";
import { AnswerCopy } from "../../src/proxy/answer-copy.ts";
import { Chores } from "../../src/proxy/chores.ts";
import { ClientCopy } from "../../src/proxy/client-copy.ts";
import { offerComparison } from "../../src/proxy/offer.ts";
import { ByteComparison, Joining, type Pieces, STEP_BYTES } from "../../src/proxy/same-bytes.ts";
import { Shelf } from "../../src/proxy/shelf.ts";
import { piecesOf } from "./compare-path.ts";
import { fixed, median, print, quantile } from "./stats.ts";

const HEADERS = ["content-type", "application/json", "content-length", "890", "date", "Thu, 01 Jan 2026"];
const BODY_KIB = [1, 10, 100];
const BATCH = 200;
const SHELF_BYTES = 64 * 2 ** 20;

const DEADLINES = { set: () => ({ clear: () => {} }) };
const TOOLS = { deadlines: DEADLINES, nowMs: () => 0 };
const SERVED = { outcome: { failure: null }, fellBack: false };

/** A data thread's desk as far as comparison looks at it where the answers are equal, and what it counts there. */
function standIns() {
  const nothing = (): void => {};
  const desk = { enter: nothing, leave: nothing, chores: new Chores(), nowMs: () => 0, tools: TOOLS };
  const counted = { matches: 0 };
  const recorder = {
    comparison: () => counted.matches++,
    uncompared: (why: string) => {
      throw new Error(`equal bytes were uncompared: ${why}`);
    },
  };
  const route = { shadow: { timeoutMs: 10_000 } };
  return {
    counted,
    exchange: { desk, snapshot: {}, facts: { method: "GET" } },
    room: { recorder, compiled: { route } },
  };
}

type ShadowedRequest = ReturnType<typeof standIns> & { readonly shelf: Shelf };
type OfferParameter<At extends number> = Parameters<typeof offerComparison>[At];
type CopyParameter<At extends number> = ConstructorParameters<typeof ClientCopy>[At];

/** All that comparison does for one shadowed request: keeps the client's answer and new's, then compares them. */
function compareOne({ exchange, room, shelf }: ShadowedRequest, body: Pieces): void {
  const lease = shelf.lease();
  const ours = new ClientCopy(2 ** 20, 10_000, lease, TOOLS as unknown as CopyParameter<3>);
  ours.head(200, HEADERS);
  for (const chunk of body.chunks) ours.data(chunk);
  const theirs = new AnswerCopy(2 ** 20, lease);
  theirs.head(200, HEADERS, -1);
  for (const chunk of body.chunks) theirs.data(chunk);
  const answer = theirs.collected(false, 0);
  const result = Promise.resolve({ kind: "answered", answer, again: null, body: null });
  offerComparison(
    exchange as unknown as OfferParameter<0>,
    room as unknown as OfferParameter<1>,
    { compare: DEFAULT_COMPARE, lease } as unknown as OfferParameter<2>,
    { side: "new", result } as unknown as OfferParameter<3>,
    ours,
  );
  ours.ended(SERVED as unknown as Parameters<ClientCopy["ended"]>[0], false);
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
    const request = { ...standIns(), shelf: new Shelf(SHELF_BYTES) };
    const whole: number[] = [];
    const bytes: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const none = await usEach(calls, () => {});
      const all = await usEach(calls, () => compareOne(request, here));
      const memcmp = await usEach(calls, () => new ByteComparison(here, apart).step(STEP_BYTES));
      if (round < 0) continue; // warm up
      whole.push(all - none);
      bytes.push(memcmp - none);
    }
    if (request.counted.matches !== (rounds + 1) * calls) throw new Error("not every pair was a match");
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
