/** Mutated requests against a gateway whose backend reads strictly. */

import { RawClient } from "../client.ts";
import { type Message, readStream, type Stream, valuesIn } from "../reading.ts";
import type { Recorder } from "../recorder.ts";
import { REQUESTS } from "./corpus.ts";
import { dice } from "./dice.ts";
import { mutated, segments } from "./mutate.ts";
import type { Run } from "./run.ts";

/** Cases between two looks at what reached the backend. */
const BATCH = 100;

interface Sent {
  readonly caseNumber: number;
  readonly input: string;
  readonly stream: Stream;
  /** Requests of it that may still reach the backend: each once. */
  readonly awaited: Message[];
}

/**
 * Sends mutated requests until the run is over. Faults go to `run`: no answer in time, an answer that is none, a
 * request at the backend that the client did not send or that no strict parser accepts.
 */
export async function fuzzRequests(run: Run, url: string, recorder: Recorder): Promise<void> {
  let previous = new Map<string, Sent>();
  for (let first = run.firstCase; run.goesOn(first); first += BATCH) {
    const batch = new Map<string, Sent>();
    await run.inParallel(BATCH, async (index) => {
      const address = addressOf(first + index);
      const sent = prepare(run.seed, first + index);
      batch.set(address, sent);
      run.cases++;
      await converse(run, url, address, sent);
    });
    // What is still on its way when a connection has ended arrives while the next batch runs.
    compare(run, recorder, new Map([...previous, ...batch]));
    previous = batch;
  }
}

/** An address of this machine for each case: x-forwarded-for then says which one a request came from. */
function addressOf(caseNumber: number): string {
  const high = 10 + (Math.floor(caseNumber / 62_500) % 200);
  return `127.${high}.${Math.floor(caseNumber / 250) % 250}.${1 + (caseNumber % 250)}`;
}

function prepare(seed: number, caseNumber: number): Sent {
  const random = dice(seed ^ Math.imul(caseNumber + 1, 0x9e3779b1));
  let input = random.pick(REQUESTS);
  while (random.once(3)) input += random.pick(REQUESTS);
  if (!random.once(20)) input = mutated(input, random, REQUESTS);
  const stream = readStream(input, "tolerant");
  return { caseNumber, input, stream, awaited: [...stream.messages] };
}

async function converse(run: Run, url: string, address: string, sent: Sent): Promise<void> {
  const { caseNumber, input, stream } = sent;
  const methods = stream.messages.map(({ method }) => method);
  const client = new RawClient(url, address);
  try {
    await client.send(...segments(input, dice(run.seed + caseNumber)));
    if (stream.messages.length > 0) await client.until({ methods, untilAnswers: stream.messages.length });
    // The rest is refused, or waits for more: that it waits must not outlast the client.
    if (!client.closed && stream.rest.kind === "malformed") await client.until({ methods, quietMs: 50 });
    client.socket.end();
    const { answers } = await client.until({ methods });
    if (answers.rest.kind === "malformed")
      run.fault(caseNumber, `an answer that is none: ${answers.rest.why}`, input);
    if (answers.answers.length > methods.length + 1)
      run.fault(caseNumber, "more answers than requests", input);
    for (const { status } of answers.answers) {
      run.count(status);
      if (status >= 500 && status !== 501 && status !== 505)
        run.fault(caseNumber, `answered ${status}`, input);
    }
  } catch (error) {
    run.fault(caseNumber, String(error), input);
  } finally {
    client.destroy();
  }
}

function compare(run: Run, recorder: Recorder, cases: ReadonlyMap<string, Sent>): void {
  const outs = recorder.requests.splice(0);
  const brokens = recorder.broken.splice(0);
  for (const violation of recorder.violations.splice(0)) run.fault(-1, "malformed at the backend", violation);
  for (const out of outs) {
    const sent = sentBy(run, cases, out);
    if (sent === undefined) continue;
    run.forwarded++;
    const at = sent.awaited.findIndex((message) => isSame(message, out));
    if (at === -1) run.fault(sent.caseNumber, `the backend saw ${JSON.stringify(out)}`, sent.input);
    else sent.awaited.splice(at, 1);
  }
  for (const broken of brokens) {
    const sent = sentBy(run, cases, broken);
    if (sent === undefined) continue;
    const { messages, rest } = sent.stream;
    const heads = rest.kind !== "whole" && rest.message !== null ? [...messages, rest.message] : messages;
    if (!heads.some((head) => sameHead(head, broken) && head.body.startsWith(broken.body))) {
      run.fault(sent.caseNumber, `the backend saw the begin of ${JSON.stringify(broken)}`, sent.input);
    }
  }
}

function sentBy(run: Run, cases: ReadonlyMap<string, Sent>, out: Message): Sent | undefined {
  const addresses = valuesIn(out.fields, "x-forwarded-for");
  const sent = cases.get(addresses.join());
  if (addresses.join() === "127.0.0.1") return undefined; // the health request
  if (sent === undefined) {
    run.fault(-1, `nobody sent this from ${addresses.join()}`, JSON.stringify(out));
    return undefined;
  }
  for (const [name, value] of [
    ["x-cutover-side", "old"],
    ["x-cutover-force", ""],
    ["x-forwarded-proto", "http"],
  ] as const) {
    const values = valuesIn(out.fields, name).join();
    if (values !== value) run.fault(sent.caseNumber, `${name} is ${JSON.stringify(values)}`, sent.input);
  }
  return sent;
}

function isSame(message: Message, out: Message): boolean {
  return sameHead(message, out) && message.body === out.body;
}

function sameHead(message: Message, out: Message): boolean {
  return message.method === out.method && originForm(message) === out.target;
}

function originForm({ method, target }: Message): string {
  const path = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)?.[1];
  if (path === undefined) return target;
  if (path === "" && method === "OPTIONS") return "*";
  return path.startsWith("/") ? path : `/${path}`;
}
