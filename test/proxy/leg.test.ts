import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "../../src/model/ruleset.ts";
import { BackendClient } from "../../src/proxy/backend-client.ts";
import { ProxyError } from "../../src/proxy/classify.ts";
import { Deadlines } from "../../src/proxy/deadlines.ts";
import { Leg } from "../../src/proxy/leg.ts";
import type { LegOutcome, LegRequest, Sink } from "../../src/proxy/leg-shapes.ts";
import { until } from "../support/until.ts";
import { answer, ECHO, NOBODY, OK, type Peer, startPeer } from "./backend/asking.ts";
import { TestBody } from "./backend/test-body.ts";

const BACKEND: Backend = {
  name: "modern",
  urls: [],
  timeouts: { connectMs: 60_000, headersMs: 60_000, stallMs: 60_000, requestMs: null },
  maxConnections: 1,
  maxWaiting: 100,
  health: null,
  host: { kind: "keep" },
  tls: null,
};

interface Legs extends AsyncDisposable {
  readonly client: BackendClient;
  readonly deadlines: Deadlines;
  send(request?: Partial<LegRequest>, sink?: Partial<Sink>): Leg;
}

function legsTo(...urls: string[]): Legs {
  return legsBy(() => performance.now(), ...urls);
}

function legsBy(nowMs: () => number, ...urls: string[]): Legs {
  const deadlines = new Deadlines(nowMs);
  const client = new BackendClient({ ...BACKEND, urls }, new SharedArrayBuffer(4 * urls.length), deadlines);
  const nothing = {
    method: "GET",
    target: "/",
    headers: [],
    clientHost: "a.test",
    body: null,
    upgrade: null,
  };
  const wanting: Sink = { head: () => true, data: () => true, end: () => {}, cut: () => {} };
  return {
    client,
    deadlines,
    send: (request = {}, sink = {}) =>
      new Leg(
        client,
        { ...nothing, headTimeoutMs: 60_000, spanId: "0".repeat(16), ...request },
        { ...wanting, ...sink },
        { deadlines, nowMs },
      ),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      deadlines.close();
    },
  };
}

/** Requests that each of the URLs is thought to have. */
function outstanding({ client }: Legs): number {
  return client.take(performance.now()).outstanding;
}

async function hasCome(peer: Peer, count = 1): Promise<void> {
  await until(
    "the request is there",
    () => peer.connections.filter(({ text }) => text !== "").length === count,
  );
}

test("a body that breaks while its request waits for a connection does not make the URL look unreachable", async () => {
  await using first = await startPeer(() => {});
  await using second = await startPeer(() => {});
  await using legs = legsTo(first.url, second.url);
  const busy = [legs.send(), legs.send()];
  await hasCome(first);
  await hasCome(second);
  for (const failure of ["client_gone", "http_request_error"] as const) {
    const body = new TestBody();
    const leg = legs.send({ method: "POST", body });
    assert.equal(leg.origin, first.url);
    body.break(new ProxyError(failure, "the client's fault"));
    const outcome = await leg.outcome;
    assert.deepEqual([outcome.failure, outcome.isSent], [failure, false]);
    assert.equal(legs.client.take(performance.now()).origin, first.url);
  }
  for (const leg of busy) leg.abort(new ProxyError("client_gone", "enough"));
});

test("a backend has its time from when it has the whole body, however late that is", async () => {
  await using peer = await startPeer(() => {});
  let nowMs = 0;
  await using legs = legsBy(() => nowMs, peer.url);
  const body = new TestBody();
  const headers = ["content-length", "6"];
  const leg = legs.send({ method: "POST", headers, body, headTimeoutMs: 1_000 });
  const { promise: timeIsOver, resolve } = Promise.withResolvers<void>();
  legs.deadlines.set(1_000, resolve); // behind the leg's own
  body.write("abc");
  await hasCome(peer);
  nowMs = 990;
  body.end("def");
  nowMs = 1_500;
  await timeIsOver;
  peer.connections[0]?.socket.write(answer("late"));
  const outcome = await leg.outcome;
  assert.deepEqual([outcome.status, outcome.failure, outcome.headMs], [200, null, 510]);
});

test("a URL that refuses connections is asked last for a while", async () => {
  await using peer = await startPeer();
  await using legs = legsTo(NOBODY, peer.url);
  const outcome = await legs.send().outcome;
  assert.deepEqual([outcome.failure, outcome.isSent], ["connection_refused", false]);
  assert.equal(legs.client.take(performance.now()).origin, peer.url);
});

test("whatever becomes of a leg, it is counted once as begun and once as over", async () => {
  await using peer = await startPeer();
  await using legs = legsTo(peer.url);
  const gone = new ProxyError("client_gone", "the client left");
  const hello = answer("hello", "Connection: close\r\n");
  const leaving = (leg: () => Leg, next: boolean) => (): boolean => {
    leg().abort(gone);
    return next;
  };
  const cases: readonly (readonly [string, (leg: () => Leg) => Partial<Sink>, LegOutcome["failure"]])[] = [
    [hello, () => ({}), null],
    [hello, () => ({ head: () => false }), null],
    [hello, (leg) => ({ head: leaving(leg, true) }), "client_gone"],
    [hello, (leg) => ({ data: leaving(leg, true) }), "client_gone"],
    [hello, (leg) => ({ end: () => leg().abort(gone) }), null],
    [hello, (leg) => ({ head: leaving(leg, false) }), "client_gone"],
    [
      hello,
      () => ({
        head: () => {
          throw new Error("cannot be written");
        },
      }),
      "http_protocol_error",
    ],
    [`HTTP/1.1 103 X\r\n\r\n${answer("")}`, (leg) => ({ interim: () => leg().abort(gone) }), "client_gone"],
    ["odd", () => ({}), "http_protocol_error"],
    [`${OK}Content-Length: 9\r\n\r\nhello`, () => ({}), "http_response_incomplete"],
    ["", () => ({}), "connection_terminated"],
  ];
  for (const [text, sinkFor, failure] of cases) {
    peer.script = ({ socket }) => socket.end(text);
    const leg: Leg = legs.send(
      {},
      sinkFor(() => leg),
    );
    assert.equal((await leg.outcome).failure, failure, text);
    leg.abort(gone);
    await until("nothing is outstanding", () => outstanding(legs) === 0);
  }
  peer.script = ECHO;
  assert.equal((await legs.send().outcome).failure, null);
});

test("an answer that nobody wants is read a little, to keep the connection, and cut where it is long", async () => {
  await using peer = await startPeer();
  await using legs = legsTo(peer.url);
  for (const [bytes, connections] of [
    [60_000, 1],
    [100_000, 1],
    [10, 2],
  ]) {
    peer.script = ({ socket }) => socket.write(answer("x".repeat(bytes as number)));
    const outcome = await legs.send({}, { head: () => false }).outcome;
    assert.deepEqual([outcome.status, outcome.failure, outcome.wanted], [200, null, false]);
    await until("nothing is outstanding", () => outstanding(legs) === 0);
    assert.equal(peer.connections.length, connections);
  }
});

test("an answer that nobody wants and that does not end is cut before long", async () => {
  await using peer = await startPeer(({ socket }) => socket.write(`${OK}Content-Length: 9\r\n\r\nhello`));
  await using legs = legsTo(peer.url);
  const outcome = await legs.send({}, { head: () => false }).outcome;
  assert.deepEqual([outcome.status, outcome.failure], [200, null]);
  assert.equal(outstanding(legs), 1);
  await until("nothing is outstanding", () => outstanding(legs) === 0);
  peer.script = ECHO;
  assert.equal((await legs.send().outcome).failure, null);
});

test("a leg that waits for a connection ends at once where its client leaves, and where its time is up", async () => {
  await using peer = await startPeer(() => {});
  await using legs = legsTo(peer.url);
  const busy = legs.send();
  await hasCome(peer);
  const left = legs.send();
  left.abort(new ProxyError("client_gone", "the client left"));
  assert.deepEqual(await left.outcome.then(({ failure, isSent }) => [failure, isSent]), [
    "client_gone",
    false,
  ]);
  const late = await legs.send({ headTimeoutMs: 50 }).outcome;
  assert.deepEqual([late.failure, late.isSent], ["http_response_timeout", false]);
  assert.equal(outstanding(legs), 1);
  assert.equal(peer.connections.length, 1);
  assert.equal(peer.connections[0]?.text.split("GET ").length, 2);
  busy.abort(new ProxyError("client_gone", "enough"));
  assert.equal(outstanding(legs), 0);
});
