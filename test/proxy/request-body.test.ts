import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import type { BodyTaker } from "../../src/proxy/backend/call.ts";
import { failureOf } from "../../src/proxy/classify.ts";
import { Deadlines } from "../../src/proxy/deadlines.ts";
import { RequestBody } from "../../src/proxy/request-body.ts";
import { standstill, until } from "../support/until.ts";

const MIB = 1024 * 1024;
const STALL_MS = 1_000;

class Taker implements BodyTaker {
  bytes = 0;
  /** Whole, or what it broke with. */
  ending: "whole" | Error | null = null;
  /** Wants no more after each part. */
  isSlow = false;

  onBody(chunk: Buffer): boolean {
    assert.equal(this.ending, null);
    this.bytes += chunk.length;
    return !this.isSlow;
  }

  onBodyEnd(): void {
    assert.equal(this.ending, null);
    this.ending = "whole";
  }

  onBodyBroken(error: Error): void {
    assert.equal(this.ending, null);
    this.ending = error;
  }
}

interface Upload extends AsyncDisposable {
  readonly client: Socket;
  readonly req: IncomingMessage;
  readonly body: RequestBody;
  /** So much time passes, and what is due has been called. */
  readonly passMs: (ms: number) => Promise<void>;
}

/** A request that has come as far as it was sent. */
async function upload(
  lines: string,
  sent = "",
  options = { copyBytes: 0, maxBytes: 64 * MIB },
): Promise<Upload> {
  let aheadMs = 0;
  const deadlines = new Deadlines(() => performance.now() + aheadMs);
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n${sent}`);
  const [req] = (await once(server, "request")) as [IncomingMessage];
  const body = new RequestBody(
    req,
    options.copyBytes,
    { ...options, stallMs: STALL_MS, declaredBytes: Number(req.headers["content-length"] ?? 0) },
    deadlines,
  );
  return {
    client,
    req,
    body,
    passMs: async (ms) => {
      const passed = new Promise<void>((resolve) => deadlines.set(STALL_MS, resolve));
      aheadMs += ms;
      await passed;
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      deadlines.close();
      server.close();
      await once(server, "close");
    },
  };
}

for (const [how, lines, sent] of [
  ["with a length", "Content-Length: 5", "hello"],
  ["in chunks", "Transfer-Encoding: chunked", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"],
] as const) {
  test(`a body ${how} that has come is handed over with its end before the one who asks goes on`, async () => {
    await using at = await upload(lines, sent);
    await until("it has come", () => at.req.complete);
    const taker = new Taker();
    at.body.giveTo(taker);
    assert.deepEqual([taker.bytes, taker.ending], [0, null]);
    at.body.ask();
    assert.deepEqual([taker.bytes, taker.ending, at.body.bytes], [5, "whole", 5]);
    assert.equal(await at.body.whole, true);
    await once(at.req, "close"); // node:http is told of its end too
  });
}

test("a taker that never asked leaves all of the body to another", async () => {
  await using at = await upload("Content-Length: 10", "hello");
  const [first, second] = [new Taker(), new Taker()];
  at.body.giveTo(first);
  at.body.leave();
  at.body.giveTo(second);
  assert.equal(at.body.waitsForClient, false);
  at.body.ask();
  await until("a part is there", () => second.bytes === 5);
  assert.equal(at.body.waitsForClient, true);
  at.client.write("world");
  await until("the end is there", () => second.ending === "whole");
  assert.deepEqual([first.bytes, first.ending, second.bytes], [0, null, 10]);
  assert.equal(at.body.waitsForClient, false);
});

test("a taker that wants no more holds the client back, and gets all of it in the end", async () => {
  const bytes = 32 * MIB;
  await using at = await upload(`Content-Length: ${bytes}`);
  at.client.write(Buffer.alloc(bytes));
  const taker = new Taker();
  taker.isSlow = true;
  at.body.giveTo(taker);
  at.body.ask();
  await until("a part is there", () => taker.bytes > 0);
  const before = taker.bytes;
  await standstill("the client stands still", () => at.req.socket.bytesRead);
  assert.ok(
    at.req.socket.bytesRead < MIB,
    `${at.req.socket.bytesRead} bytes were read though nobody wants them`,
  );
  assert.deepEqual([taker.bytes, at.body.waitsForClient], [before, false]);
  at.body.ask();
  await until("one more is there", () => taker.bytes > before);
  taker.isSlow = false;
  at.body.ask();
  await until("all is there", () => taker.ending === "whole");
  assert.equal(taker.bytes, bytes);
});

test("what comes after a taker has left is thrown away, and is in the copy all the same", async () => {
  await using at = await upload("Content-Length: 10", "hello", { copyBytes: 10, maxBytes: MIB });
  const taker = new Taker();
  taker.isSlow = true;
  at.body.giveTo(taker);
  at.body.ask();
  await until("a part is there", () => taker.bytes === 5);
  at.body.leave();
  at.client.write("world");
  assert.equal(String(await at.body.copy()), "helloworld");
  assert.deepEqual([taker.bytes, taker.ending], [5, null]);
});

test("a client that leaves within its body breaks it, for its taker and for whoever takes it later", async () => {
  await using at = await upload("Content-Length: 10", "hello", { copyBytes: 10, maxBytes: MIB });
  const [first, second] = [new Taker(), new Taker()];
  at.body.giveTo(first);
  at.client.destroy();
  await until("it is told", () => first.ending !== null);
  at.body.giveTo(second);
  assert.equal(second.ending, null); // not before its taker is ready
  await until("it is told", () => second.ending !== null);
  for (const { ending, bytes } of [first, second]) {
    assert.deepEqual([bytes, ending instanceof Error && failureOf(ending)], [0, "client_gone"]);
  }
  assert.equal(await at.body.copy(), null);
});

test("a body that is larger than allowed breaks at the limit, or before it begins where it says its length", async () => {
  const limits = { copyBytes: 0, maxBytes: 4 };
  await using said = await upload("Content-Length: 5", "", limits);
  assert.equal(said.body.fault?.status, 413);
  await using at = await upload("Transfer-Encoding: chunked", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", limits);
  await until("it has come", () => at.req.complete);
  let faults = 0;
  at.body.onFault = () => faults++;
  const taker = new Taker();
  at.body.giveTo(taker);
  at.body.ask();
  assert.equal(taker.bytes, 3);
  assert.ok(taker.ending instanceof Error && failureOf(taker.ending) === "http_request_error");
  assert.deepEqual([faults, at.body.fault?.status, await at.body.whole], [1, 413, false]);
});

test("a client is blamed for its silence while it is waited for, and at no other time", async () => {
  await using at = await upload("Content-Length: 10", "hello");
  const faults: number[] = [];
  at.body.onFault = ({ status }) => faults.push(status);
  const taker = new Taker();
  taker.isSlow = true;
  at.body.giveTo(taker);
  await at.passMs(10 * STALL_MS);
  at.body.ask();
  await until("a part is there", () => taker.bytes === 5);
  await at.passMs(10 * STALL_MS);
  assert.deepEqual(faults, []);
  at.body.ask();
  await at.passMs(10 * STALL_MS);
  assert.deepEqual(faults, [408]);
  assert.ok(taker.ending instanceof Error && failureOf(taker.ending) === "http_request_error");
});
