import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import type { Admin } from "../../src/admin/server.ts";
import type { AuditEntry } from "../../src/model/reports.ts";
import { ask, fakeDesk, startFor, TOKEN, until } from "./fixtures.ts";

interface Stream {
  readonly response: IncomingMessage;
  text(): string;
  /** Ids of the events so far. */
  ids(): number[];
}

async function listen(context: TestContext, admin: Admin, lastEventId?: number): Promise<Stream> {
  const headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` };
  if (lastEventId !== undefined) headers["last-event-id"] = String(lastEventId);
  const request = httpRequest({
    host: "127.0.0.1",
    port: admin.port,
    path: "/api/v1/events",
    headers,
    agent: false,
  });
  context.after(() => request.destroy());
  request.on("error", () => undefined);
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  response.on("error", () => undefined); // a dropped stream
  response.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const ids = (): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
  return { response, text: () => text, ids };
}

test("each action arrives as an event with its id and JSON", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  desk.emit("before");
  const stream = await listen(context, admin);
  assert.match(stream.response.headers["content-type"] ?? "", /^text\/event-stream/);
  await until(() => desk.listeners() === 1, "the stream subscribes");
  const entry = desk.emit("rollback");
  await until(() => stream.ids().length === 1, "the event arrives");
  const event = stream
    .text()
    .split("\n\n")
    .find((part) => part.startsWith("id:"));
  const [id, name, data, ...more] = event?.split("\n") ?? [];
  assert.deepEqual([id, name, more], ["id: 2", "event: action", []]);
  assert.deepEqual(JSON.parse(data?.slice("data: ".length) ?? ""), entry);
});

test("a reader that comes back gets everything it missed, once and in order", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  for (let index = 0; index < 10; index += 1) desk.emit(`step ${index}`);
  const stream = await listen(context, admin, 2);
  desk.emit("live");
  await until(() => stream.ids().includes(11), "the live event arrives");
  assert.deepEqual(stream.ids(), [3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("an entry that is written while a reader catches up is neither lost nor doubled", async (context) => {
  const desk = fakeDesk();
  for (let index = 0; index < 3; index += 1) desk.emit(`step ${index}`);
  let first = true;
  const auditAfter = async (id: number): Promise<readonly AuditEntry[]> => {
    const page = desk.trail.filter((entry) => entry.id > id);
    if (first) desk.emit("during"); // told to the listeners, not on this page
    first = false;
    return page;
  };
  const admin = await startFor(context, { ...desk, auditAfter });
  const stream = await listen(context, admin, 1);
  desk.emit("after");
  await until(() => stream.ids().includes(5), "the last event arrives");
  assert.deepEqual(stream.ids(), [2, 3, 4, 5]);
});

test("a reader with an id from before the store was reset still hears what is new", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const stream = await listen(context, admin, 4711);
  await until(() => desk.listeners() === 1, "the stream subscribes");
  desk.emit("reset");
  await until(() => stream.ids().length === 1, "the event arrives");
  assert.deepEqual(stream.ids(), [1]);
});

test("a silent stream is kept open by comments, and a reader that leaves is forgotten", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk, { events: { heartbeatMs: 10 } });
  const stream = await listen(context, admin);
  await until(() => /^: still here$/m.test(stream.text()), "a heartbeat");
  stream.response.destroy();
  await until(() => desk.listeners() === 0, "the listener is gone");
});

test("streams are bounded in number", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk, { events: { maxListeners: 2 } });
  const first = await listen(context, admin);
  await listen(context, admin);
  const refused = await ask(admin, "/api/v1/events", { token: TOKEN });
  assert.equal(refused.status, 503);
  assert.ok(refused.headers["retry-after"] !== undefined);
  first.response.destroy();
  await until(() => desk.listeners() === 1, "the listener is gone");
  assert.equal((await listen(context, admin)).response.statusCode, 200);
});

test("a reader that does not read is dropped and holds nobody up", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk, { events: { maxUnreadBytes: 10_000 } });
  const socket = connect(admin.port, "127.0.0.1");
  context.after(() => socket.destroy());
  socket.on("error", () => undefined);
  socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
  socket.pause();
  await until(() => desk.listeners() === 1, "the stream subscribes");
  const action = "x".repeat(1_000_000); // far beyond what the kernel's buffers take
  await until(() => {
    desk.emit(action);
    return desk.listeners() === 0;
  }, "the reader is dropped");
});

test("a Last-Event-ID that is no id is refused", async (context) => {
  const admin = await startFor(context, fakeDesk());
  const answer = await ask(admin, "/api/v1/events", { token: TOKEN, headers: { "last-event-id": "x" } });
  assert.equal(answer.status, 400);
});

test("a store that fails while a reader catches up cuts the stream and is reported", async (context) => {
  const errors: unknown[] = [];
  const failure = new Error("disk gone");
  const desk = fakeDesk({ auditAfter: () => Promise.reject(failure) });
  const admin = await startFor(context, desk, { onError: (error) => errors.push(error) });
  const stream = await listen(context, admin, 1);
  await until(() => stream.response.closed, "the stream is cut");
  assert.deepEqual(errors, [failure]);
  assert.equal(desk.listeners(), 0);
});

test("close ends the streams", async (context) => {
  const admin = await startFor(context, fakeDesk());
  const stream = await listen(context, admin);
  await admin.close();
  await until(() => stream.response.closed, "the stream has ended");
});
