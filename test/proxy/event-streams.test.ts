import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { test } from "node:test";
import { SLICE } from "../../src/board/layout.ts";
import { ask } from "../support/ask.ts";
import { json, startStreamingBackend } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { startPlane, type TestPlane, textOf } from "./plane.ts";

const EVENTS = { "content-type": "text/event-stream; charset=utf-8" };
const KIB = 1024;

/** A backend that opens a stream of events for each request, with its first words, and leaves it to the test. */
async function startEvents(first = "") {
  const streams: ServerResponse[] = [];
  const ended: ServerResponse[] = [];
  const backend = await startStreamingBackend((req, res) => {
    req.resume();
    res.writeHead(200, EVENTS);
    res.flushHeaders();
    if (first !== "") res.write(first);
    res.on("close", () => ended.push(res));
    streams.push(res);
  });
  return { url: backend.url, streams, ended, [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose]() };
}

type Events = Awaited<ReturnType<typeof startEvents>>;

/** A client of an endless stream, which counts what it gets. */
async function listen(plane: TestPlane) {
  const asked = request(plane.url).end();
  asked.on("error", () => {}); // it is destroyed in the end
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const heard = { text: "", ended: false, leave: () => asked.destroy() };
  answer.setEncoding("utf8").on("data", (text: string) => {
    heard.text += text;
  });
  answer.on("end", () => {
    heard.ended = true;
  });
  answer.on("error", () => {}); // it is destroyed in the end
  return heard;
}

async function both(old: Events, fresh: Events): Promise<[ServerResponse, ServerResponse]> {
  await until("both streams are open", () => old.streams.length > 0 && fresh.streams.length > 0);
  return [old.streams.at(-1) as ServerResponse, fresh.streams.at(-1) as ServerResponse];
}

test("endless streams of events are compared by what came in the shadow's time, and the client's goes on", async () => {
  await using old = await startEvents("data: 1\n\ndata: 2\n\n");
  await using fresh = await startEvents("data: 1\n\n");
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url, shadow: { timeoutMs: 2_000 } });
  const client = await listen(plane);
  const [toClient] = await both(old, fresh);
  await until("the pair is there", () => plane.pairs.length === 1);
  const [pair] = plane.pairs;
  assert.deepEqual([pair?.old.cut, pair?.new.cut], [true, true]);
  assert.deepEqual(
    [pair && textOf(pair.old), pair && textOf(pair.new)],
    ["data: 1\n\ndata: 2\n\n", "data: 1\n\n"],
  );
  assert.deepEqual(plane.shadows(), { sent: 1 }, "neither a timeout nor a failure");
  assert.deepEqual(plane.uncompared(), {});
  await until("the shadow's stream is ended", () => fresh.ended.length === 1);
  assert.equal(old.ended.length, 0);
  toClient.write("data: 3\n\n");
  await until("the client still listens", () => client.text.endsWith("data: 3\n\n"));
  toClient.end();
  await until("the client's stream ends as old ends it", () => client.ended);
  assert.equal(plane.count(SLICE.errors) + plane.count(SLICE.errors + 1), 0);
});

test("of a stream that pours, 64 KiB are compared at once", async () => {
  await using old = await startEvents();
  await using fresh = await startEvents();
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url, shadow: { timeoutMs: 60_000 } });
  const client = await listen(plane);
  const [toClient, toShadow] = await both(old, fresh);
  const event = `data: ${"x".repeat(1000)}\n\n`;
  toClient.write(event.repeat(100));
  toShadow.write(event.repeat(99));
  toShadow.write(event.replaceAll("x", "y"));
  await until("they are equal as far as they are compared", () => plane.count(SLICE.comparisons) === 1);
  await until("the shadow's stream is ended", () => fresh.ended.length === 1);
  assert.equal(old.ended.length, 0);
  toClient.write("data: last\n\n");
  await until("the client gets all of it", () => client.text.length === event.length * 100 + 12);
  client.leave();
});

test("streams that end are compared whole", async () => {
  await using old = await startEvents();
  await using fresh = await startEvents();
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url });
  const client = await listen(plane);
  const [toClient, toShadow] = await both(old, fresh);
  toClient.end("data: 1\n\n");
  toShadow.end("data: 2\n\n");
  await until("the pair is there", () => plane.pairs.length === 1);
  assert.deepEqual([plane.pairs[0]?.old.cut, plane.pairs[0]?.new.cut], [false, false]);
  await until("the client's stream is ended", () => client.ended);
});

test("a stream on one side alone: each side is cut by what it is itself", async () => {
  await using old = await startEvents("data: 1\n\n");
  await using fresh = await startStreamingBackend((req, res) => json({ a: 1 })(req, res, Buffer.alloc(0)));
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url, shadow: { timeoutMs: 2_000 } });
  const client = await listen(plane);
  await until("the pair is there", () => plane.pairs.length === 1);
  assert.deepEqual([plane.pairs[0]?.old.cut, plane.pairs[0]?.new.cut], [true, false]);
  client.leave();

  await plane.reload({ oldUrl: fresh.url, newUrl: old.url });
  await ask(plane.url);
  await until("the pair is there", () => plane.pairs.length === 2);
  assert.deepEqual([plane.pairs[1]?.old.cut, plane.pairs[1]?.new.cut], [false, true]);
});

test("of streams that say nothing in their time, nothing is said", async () => {
  await using old = await startEvents();
  await using fresh = await startEvents();
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url, shadow: { timeoutMs: 200 } });
  const client = await listen(plane);
  await until("the pair is lost", () => plane.count(SLICE.comparisons + 1) === 1);
  assert.deepEqual(plane.uncompared(), { streaming: 1 });
  assert.deepEqual(plane.shadows(), { sent: 1 });
  client.leave();
});

test("a client that leaves a stream has heard what can be compared", async () => {
  await using old = await startEvents("data: 1\n\n");
  await using fresh = await startEvents("data: 1\n\n");
  await using plane = await startPlane({ oldUrl: old.url, newUrl: fresh.url, shadow: { timeoutMs: 2_000 } });
  const client = await listen(plane);
  await both(old, fresh);
  await until("the client has heard it", () => client.text !== "");
  client.leave();
  await until("it is compared", () => plane.count(SLICE.comparisons) === 1);
});

test("endless streams cost bounded memory, and never make shadows rest", async () => {
  await using old = await startEvents();
  await using fresh = await startEvents();
  await using plane = await startPlane({
    oldUrl: old.url,
    newUrl: fresh.url,
    shadow: { timeoutMs: 3_000, concurrency: 200 },
  });
  const clients = await Promise.all(Array.from({ length: 80 }, () => listen(plane)));
  await until("all are open", () => old.streams.length === 80 && fresh.streams.length === 80);
  const chunk = "d".repeat(4 * KIB);
  const pour = setInterval(() => {
    for (const stream of old.streams) stream.write(chunk);
  }, 5);
  for (const stream of fresh.streams) stream.write(chunk.repeat(16));
  try {
    // Those that said nothing in their time are settled too.
    const settled = () => plane.count(SLICE.comparisons) + plane.count(SLICE.comparisons + 1);
    await until("all are settled", () => settled() + plane.pairs.length === 80);
    const settledBytes = process.memoryUsage().arrayBuffers;
    await until("much more has come", () => clients.every(({ text }) => text.length > 500 * KIB), {
      withinMs: 30_000,
    });
    const grownBytes = process.memoryUsage().arrayBuffers - settledBytes;
    assert.ok(grownBytes < 40 * KIB * KIB, `${grownBytes / KIB / KIB} MiB more`);
    assert.deepEqual(plane.shadows(), { sent: 80 });
  } finally {
    clearInterval(pour);
    for (const { leave } of clients) leave();
  }
});
