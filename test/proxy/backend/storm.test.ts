import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { ProxyError } from "../../../src/proxy/classify.ts";
import { type Asked, answer, OK, type PeerConnection, poolTo, type Step, startPeer } from "./asking.ts";
import { TestBody } from "./test-body.ts";

/** What the peer does with one request, told by its target: /n/how. */
const PEER: Readonly<Record<string, (connection: PeerConnection, target: string) => void>> = {
  answers: ({ socket }, target) => socket.write(answer(target)),
  later: ({ socket }, target) => void setTimeout(() => socket.write(answer(target)), 2),
  inPieces: ({ socket }, target) => void inPieces(socket, answer(target)),
  inChunks: ({ socket }, target) =>
    socket.write(
      `${OK}Transfer-Encoding: chunked\r\n\r\n${target.length.toString(16)}\r\n${target}\r\n0\r\n\r\n`,
    ),
  untilClosed: ({ socket }, target) => socket.end(`${OK}\r\n${target}`),
  closing: ({ socket }, target) => socket.end(answer(target, "Connection: close\r\n")),
  closingBehind: ({ socket }, target) => socket.end(answer(target)),
  resettingBehind: ({ socket }, target) => socket.write(answer(target), () => socket.resetAndDestroy()),
  twice: ({ socket }, target) => socket.write(answer(target) + answer("poison")),
  breaking: ({ socket }, target) => socket.end(`${OK}Content-Length: 99\r\n\r\n${target}`),
  resetting: ({ socket }) => socket.resetAndDestroy(),
  ending: ({ socket }) => socket.end(),
  lying: ({ socket }) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"),
  silent: () => {},
  hinting: ({ socket }, target) => socket.write(answer(target, "Keep-Alive: timeout=1\r\n")),
};

/** These leave a connection behind that is stale: whoever is sent on it fails through no fault of its own. */
const STALE = ["closingBehind", "resettingBehind"];
/** These answer as they were asked. */
const WELL = ["answers", "later", "inPieces", "inChunks", "untilClosed", "closing", "twice", "hinting"];

async function inPieces(socket: PeerConnection["socket"], text: string): Promise<void> {
  for (const byte of text) {
    if (socket.destroyed) return;
    socket.write(byte);
    await turn();
  }
}

/** What goes with the request. */
const BODY: Readonly<Record<string, () => TestBody | Buffer | null>> = {
  none: () => null,
  whole: () => Buffer.alloc(20_000, "x"),
  slow: () => {
    const body = new TestBody();
    void slowly(body);
    return body;
  },
  breaks: () => {
    const body = new TestBody();
    body.write("x");
    setTimeout(() => body.break(new ProxyError("client_gone", "it broke")), 2);
    return body;
  },
};

async function slowly(body: TestBody): Promise<void> {
  for (let n = 0; n < 4 && !body.isLeft; n++) {
    body.write("x".repeat(1_000));
    await turn();
  }
  body.end();
}

const plan = fc.record({
  what: fc.constantFrom("none", ...Object.keys(BODY)),
  how: fc.constantFrom(...Object.keys(PEER)),
  abortAt: fc.constantFrom<(Step | "begin" | "soon" | null)[]>(
    null,
    null,
    null,
    "begin",
    "soon",
    "sent",
    "uploading",
    "uploaded",
    "head",
    "data",
  ),
  waits: fc.nat(2),
});

test("whatever befalls calls and connections, each call ends once, with its own answer, and the pool goes on", async () => {
  await using peer = await startPeer((connection, piece) => {
    for (const [, target = "", how = ""] of piece.matchAll(
      /(?:GET|POST) (\/[0-9]+\/(\w+)) HTTP\/1\.1\r\n/g,
    )) {
      PEER[how]?.(connection, target);
    }
  });
  const plansAndLimit = fc.asyncProperty(
    fc.array(plan, { minLength: 10, maxLength: 60 }),
    fc.integer({ min: 1, max: 4 }),
    async (plans, maxConnections) => {
      using to = poolTo(peer.url, { maxConnections });
      const calls: Promise<void>[] = [];
      const isStale = plans.some(({ how }) => STALE.includes(how));
      for (const [n, { what, how, abortAt, waits }] of plans.entries()) {
        const target = `/${n}/${how}`;
        const hooks =
          abortAt === null || abortAt === "begin" || abortAt === "soon" ? {} : { [abortAt]: giveUp };
        const body = BODY[what]?.() ?? null;
        const asked = to.ask({ target, body, method: body === null ? "GET" : "POST" }, hooks);
        if (abortAt === "begin") asked.abort();
        if (abortAt === "soon") setTimeout(() => asked.abort(), 3).unref();
        // In the place of the deadlines that a leg sets.
        const deadline = setTimeout(() => asked.abort("too slow"), how === "silent" ? 20 : 30_000);
        const mayFail = isStale || abortAt !== null || what === "breaks" || !WELL.includes(how);
        calls.push(
          asked.over.then(() => {
            clearTimeout(deadline);
            check(asked, target, mayFail);
          }),
        );
        for (let i = 0; i < waits; i++) await turn();
      }
      await Promise.all(calls);
      // Each connection may be stale still, once.
      const results: string[] = [];
      for (let tries = 0; tries <= maxConnections && !results.includes("200 /0/answers"); tries++) {
        results.push((await to.ask({ target: "/0/answers" }).over).result);
      }
      assert.equal(results.at(-1), "200 /0/answers");
      await to.pool.close();
    },
  );
  await fc.assert(plansAndLimit, { numRuns: 40 });
});

function giveUp(asked: Asked): void {
  asked.abort();
}

function check({ steps, body, error }: Asked, target: string, mayFail: boolean): void {
  const last = steps.at(-1);
  assert.equal(steps.filter((step) => step === "end" || step === "failed").length, 1, target);
  assert.ok(last === "end" || last === "failed", target);
  if (last === "end") assert.equal(body, target);
  else assert.ok(target.startsWith(body), target);
  if (!mayFail) assert.equal(error, null, target);
  else if (!target.endsWith("/silent")) assert.doesNotMatch(String(error), /too slow/, target);
}
