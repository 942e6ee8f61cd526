/** Mutated answers of a backend, behind a gateway whose client reads strictly. */

import { type AddressInfo, createServer, type Socket } from "node:net";
import { readAnswers } from "../answer-reading.ts";
import { RawClient } from "../client.ts";
import { readRequest, valuesIn } from "../reading.ts";
import { ANSWERS, MARK } from "./corpus.ts";
import { type Dice, dice } from "./dice.ts";
import { mutated, segments } from "./mutate.ts";
import type { Run } from "./run.ts";

/** A backend that waits is closed after so long, so that what it left open does not stand still. */
const PATIENCE_MS = 120;

export interface Liar extends AsyncDisposable {
  readonly url: string;
  /**
   * Whether a mark may have come to another request than its own, and what the connections that carried it carried.
   * Bytes after an answer's end, in a segment of their own, may arrive when the connection carries the next request
   * already: they are that request's answer then, no reader of HTTP/1.1 can tell, and each answer after it on that
   * connection is one too late. Bytes that came with the answer are no excuse.
   */
  misplaced(mark: string): { readonly isExcused: boolean; readonly carried: string };
}

/** Of so many cases it is known which connections carried them. */
const REMEMBERED_CASES = 1_000;

/** A backend that answers `/liar/N` with what seed and N make of a well-formed answer. */
export async function startLiar(seed: number): Promise<Liar> {
  const sockets = new Set<Socket>();
  const carried = new Map<string, Connection[]>();
  const server = createServer((socket) => {
    const connection: Connection = { cases: [], mayBeLate: false };
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // the gateway may well cut it off
    let waiting = "";
    socket.on("data", (chunk) => {
      waiting += chunk.toString("latin1");
      const reading = readRequest(waiting, 0, "strict");
      if (reading.kind !== "whole") return;
      waiting = waiting.slice(reading.endAt);
      // New lies in another way than old: what is compared differs, and a fallback has something to fall back to.
      const isNew = valuesIn(reading.message.fields, "x-cutover-side").includes("new");
      const { method, target } = reading.message;
      const caseNumber = Number(/^\/liar\/([0-9]+)$/.exec(target)?.[1] ?? 0);
      const sideSeed = isNew ? newSeed(seed) : seed;
      const random = dice(sideSeed + caseNumber);
      const parts = segments(answerText(sideSeed, caseNumber), random);
      const mark = markOf(caseNumber);
      connection.cases.push(`${caseNumber} ${isNew ? "new" : "old"} ${method}`);
      connection.mayBeLate ||= hasLateBytes(parts, mark, method);
      carried.set(mark, [...(carried.get(mark) ?? []), connection]);
      carried.delete(markOf(caseNumber - REMEMBERED_CASES));
      lie(socket, parts, random);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => resolve());
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    misplaced: (mark) => {
      const connections = carried.get(mark) ?? [];
      return {
        isExcused: connections.some(({ mayBeLate }) => mayBeLate),
        carried: connections.map(({ cases }) => cases.join(", ")).join("; "),
      };
    },
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

/** Of the gateway to the liar. */
interface Connection {
  readonly cases: string[];
  mayBeLate: boolean;
}

function newSeed(seed: number): number {
  return seed ^ 0x5bd1e995;
}

/** The text of answer N, mutated but for one in ten. */
function answerText(seed: number, caseNumber: number): string {
  const random = dice(seed ^ Math.imul(caseNumber + 1, 0x85ebca6b));
  const template = random.pick(ANSWERS);
  const text = random.once(10) ? template : mutated(template, random, ANSWERS);
  return text.replaceAll(MARK, markOf(caseNumber));
}

/** 12 bytes, as the lengths in the corpus say. */
function markOf(caseNumber: number): string {
  return `mark-${String(caseNumber).padStart(7, "0")}`;
}

/** Whether something follows an answer's end, as strict or as lenient as it is read, in another segment. */
function hasLateBytes(parts: readonly string[], mark: string, method: string): boolean {
  if (parts.filter((part) => part.includes(mark)).length > 1) return true;
  return parts.some(
    (_, at) => at > 0 && readAnswers(parts.slice(0, at).join(""), [method], false).answers.length > 0,
  );
}

function lie(socket: Socket, parts: readonly string[], random: Dice): void {
  const write = (at: number): void => {
    const part = parts[at];
    if (socket.destroyed) return;
    if (part !== undefined) {
      socket.write(Buffer.from(part, "latin1"));
      setImmediate(write, at + 1);
    } else if (random.once(3)) socket.end();
    else if (random.once(10)) socket.resetAndDestroy();
    else {
      const timer = setTimeout(() => socket.end(), PATIENCE_MS);
      socket.once("data", () => clearTimeout(timer));
      socket.once("close", () => clearTimeout(timer));
    }
  };
  write(0);
}

/** Asks for mutated answers until the run is over, a few at a time, each client on a connection that it keeps. */
export async function fuzzAnswers(run: Run, url: string, liar: Liar): Promise<void> {
  let next = run.firstCase;
  await run.inParallel(4, async () => {
    let client = new RawClient(url);
    while (run.goesOn(next)) {
      const caseNumber = next++;
      run.cases++;
      const keeps = await ask(run, client, caseNumber, liar);
      if (keeps) continue;
      client.destroy();
      client = new RawClient(url);
    }
    client.destroy();
  });
}

/** True: the connection can be used again. */
async function ask(run: Run, client: RawClient, caseNumber: number, liar: Liar): Promise<boolean> {
  const random = dice(run.seed ^ caseNumber);
  const method = random.once(5) ? "HEAD" : "GET";
  const texts = [run.seed, newSeed(run.seed)].map((seed) => answerText(seed, caseNumber));
  const fault = (what: string): boolean => {
    run.fault(caseNumber, what, texts.join("\n--- new:\n"));
    return false;
  };
  try {
    if (client.bytes !== "") return fault(`bytes that nobody asked for: ${JSON.stringify(client.bytes)}`);
    await client.send(`${method} /liar/${caseNumber} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const { answers, closed, bytes } = await client.until({ methods: [method], untilAnswers: 1 });
    if (answers.rest.kind === "malformed") return fault(`an answer that is none: ${answers.rest.why}`);
    const foreign = (bytes.match(/mark-[0-9]{7}/g) ?? []).find((mark) => mark !== markOf(caseNumber));
    const isOwn = foreign === undefined || texts.some((text) => text.includes(foreign));
    if (!isOwn) {
      const { isExcused, carried } = liar.misplaced(foreign);
      if (!isExcused) return fault(`another request's answer: ${foreign}; its connections: ${carried}`);
    }
    if (answers.answers.length > 1 || (answers.answers.length === 1 && answers.endAt !== bytes.length)) {
      return fault(`more than one answer: ${JSON.stringify(bytes)}`);
    }
    const status = answers.answers[0]?.status;
    if (status === undefined) return closed ? false : fault("no answer");
    run.count(status);
    if (status === 500 && bytes.includes("proxy_internal_error")) return fault("a bug of the gateway");
    client.bytes = "";
    return !closed && !/\r\nconnection: close/i.test(bytes);
  } catch (error) {
    return fault(String(error));
  }
}
