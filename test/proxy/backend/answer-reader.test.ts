import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerReader } from "../../../src/proxy/backend/answer-reader.ts";
import { everywhere, read } from "./answer-pieces.ts";
import { OK } from "./asking.ts";

const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

test("a body of a told length ends with its last byte", () => {
  const { body, end, keeps } = read(`${OK}Content-Length: 5\r\n\r\nhello`);
  assert.deepEqual([body, end, keeps], ["hello", "whole", true]);
  assert.equal(read(`${OK}Content-Length: 5\r\n\r\nhell`).end, "more");
  assert.equal(read(`${OK}Content-Length: 5\r\n\r\nhell`, { closed: true }).end, "the end within the answer");
});

test("an answer without a body ends with its head", () => {
  for (const text of [
    `${OK}Content-Length: 0\r\n\r\n`,
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
  ]) {
    assert.deepEqual([read(text).end, read(text).keeps], ["whole", true], text);
  }
  assert.equal(read(`${OK}Content-Length: 5\r\n\r\n`, { method: "HEAD" }).end, "whole");
});

test("a body of no told length ends with the connection", () => {
  assert.equal(read(`${OK}\r\nhello`).end, "more");
  const { body, end, keeps } = read(`${OK}\r\nhello`, { closed: true });
  assert.deepEqual([body, end, keeps], ["hello", "whole", false]);
  assert.equal(read(`${OK}\r\n`, { closed: true }).end, "whole");
});

test("what follows an answer unasked is dropped, and ends the connection", () => {
  for (const text of [
    `${OK}Content-Length: 5\r\n\r\nhello`,
    `${OK}Content-Length: 0\r\n\r\n`,
    `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`,
    "HTTP/1.1 204 No Content\r\n\r\n",
  ]) {
    for (const behind of ["x", "\r\n", text]) {
      const { body, end, keeps } = read(text + behind);
      assert.deepEqual([body, end, keeps], [text.includes("hello") ? "hello" : "", "whole", false], text);
    }
  }
});

test("bytes on a connection on which nothing was asked are a fault", () => {
  const faults: string[] = [];
  const nothing = (): void => assert.fail();
  const reader = new AnswerReader({
    onInterim: nothing,
    onHead: nothing,
    onData: nothing,
    onEnd: nothing,
    onSwitch: nothing,
    onFault: (why) => void faults.push(why),
  });
  reader.take(Buffer.from(`${OK}Content-Length: 0\r\n\r\n`));
  reader.take(Buffer.from(`${OK}Content-Length: 0\r\n\r\n`));
  assert.deepEqual(faults, ["bytes that nobody asked for"]);
});

test("trailers come with the end", () => {
  const { body, end, rawTrailers } = read(`${CHUNKED}5;a=b\r\nhello\r\n0;c\r\nX-Sum: 1\r\nx-sum:2\r\n\r\n`);
  assert.deepEqual([body, end, rawTrailers], ["hello", "whole", ["X-Sum", "1", "x-sum", "2"]]);
});

test("chunks that two readers could cut in two ways are refused, however they come", () => {
  for (const chunks of [
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhello!\r\n0\r\n\r\n",
    "5\r\nhello\r0\r\n\r\n",
    "5\r\nhell\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "5\r\r\nhello\r\n0\r\n\r\n",
    "\r\nhello\r\n0\r\n\r\n",
    ";a\r\nhello\r\n0\r\n\r\n",
    "5;a\0\r\nhello\r\n0\r\n\r\n",
    "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "5_0\r\nhello\r\n0\r\n\r\n",
    "FFFFFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
    `5;${"x".repeat(5_000)}\r\nhello\r\n0\r\n\r\n`,
    "0\r\nX: a\nY: b\r\n\r\n",
    "0\r\n folded\r\n\r\n",
    "0\r\nContent-Length: 9\r\n\r\n",
    `0\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
  ]) {
    for (const cuts of [[], everywhere(chunks).map((at) => CHUNKED.length + at)]) {
      const { end } = read(CHUNKED + chunks, { cuts: chunks.length > 10_000 ? [70_000] : cuts });
      assert.ok(end !== "whole" && end !== "more", `${JSON.stringify(chunks.slice(0, 40))}: ${end}`);
    }
  }
});

test("chunks that end early are no answer", () => {
  const whole = `${CHUNKED}5\r\nhello\r\n0\r\nX: y\r\n\r\n`;
  for (let at = CHUNKED.length; at < whole.length; at++) {
    assert.equal(read(whole.slice(0, at), { closed: true }).end, "the end within the answer", `${at}`);
  }
});

test("interim answers are told, but for 100, and bounded in size and number", () => {
  const hints = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const { heads, end } = read(`HTTP/1.1 100 Continue\r\n\r\n${hints}${hints}${OK}Content-Length: 0\r\n\r\n`);
  assert.deepEqual(
    heads.map(([status]) => status),
    [103, 103, 200],
  );
  assert.equal(end, "whole");
  assert.equal(read("HTTP/1.1 100 Continue\r\n\r\n".repeat(65)).end, "too many interim answers");
  const large = `HTTP/1.1 103 Early Hints\r\nLink: ${"x".repeat(20_000)}`;
  assert.equal(read(large).end, "an interim answer is too large");
  assert.equal(read(`${large}\r\n\r\n`).end, "an interim answer is too large");
});

test("a 101 is an answer only where it was asked for, and what follows it is no HTTP", () => {
  const text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi";
  assert.equal(read(text).end, "the backend switched protocols unasked");
  const { body, end, heads } = read(text, { maySwitch: true });
  assert.deepEqual([body, end, heads[0]?.[0]], ["\x81\x02hi", "switch", 101]);
  assert.equal(read(`${OK}Content-Length: 2\r\n\r\nno`, { maySwitch: true }).end, "whole");
});

test("a head of 64 KiB is read, one byte more is not, whatever pieces it comes in", () => {
  const most = 64 * 1024;
  const head = (bytes: number): string => {
    const rest = `${OK}Content-Length: 2\r\nX: \r\n\r\n`;
    return rest.replace("X: ", `X: ${"x".repeat(bytes - rest.length)}`);
  };
  for (const cuts of [[], [4_000], [4_096, 4_097], [most - 1], [most], [most + 1], [most - 3, most - 2]]) {
    assert.equal(read(`${head(most)}ok`, { cuts }).end, "whole", `${cuts}`);
    assert.equal(read(`${head(most + 1)}ok`, { cuts }).end, "the head of the answer is too large", `${cuts}`);
    assert.equal(read(`${OK}X: ${"x".repeat(most)}`, { cuts }).end, "the head of the answer is too large");
  }
});

for (const stopAt of ["onInterim", "onHead", "onData"] as const) {
  test(`a reading that is stopped within ${stopAt} tells nothing more`, () => {
    const hints = "HTTP/1.1 103 Early Hints\r\n\r\n";
    for (const text of [
      `${hints}${OK}Content-Length: 5\r\n\r\nhello`,
      `${hints}${CHUNKED}5\r\nhello\r\n0\r\n\r\n`,
      `${hints}${OK}\r\nhello`,
      `${hints}${CHUNKED}5\r\nhello\r\nodd`,
    ]) {
      const calls: string[] = [];
      const note = (name: string) => () => {
        calls.push(name);
        if (name === stopAt) reader.stop();
      };
      const reader: AnswerReader = new AnswerReader({
        onInterim: note("onInterim"),
        onHead: note("onHead"),
        onData: note("onData"),
        onEnd: note("onEnd"),
        onSwitch: note("onSwitch"),
        onFault: note("onFault"),
      });
      reader.expect("GET", false);
      reader.take(Buffer.from(text));
      reader.take(Buffer.from("more"));
      assert.equal(calls.at(-1), stopAt, text);
      assert.equal(reader.takeEnd(), false);
    }
  });
}

test("a body in chunks of one byte goes on in as many pieces as it was read in", () => {
  let pieces = 0;
  let bytes = 0;
  const nothing = (): void => {};
  const reader = new AnswerReader({
    onInterim: nothing,
    onHead: nothing,
    onData: (chunk) => {
      pieces++;
      bytes += chunk.length;
    },
    onEnd: nothing,
    onSwitch: nothing,
    onFault: (why) => assert.fail(why),
  });
  reader.expect("GET", false);
  reader.take(Buffer.from(CHUNKED));
  reader.take(Buffer.from("1\r\na\r\n".repeat(10_000)));
  assert.deepEqual([pieces, bytes], [1, 10_000]);
});
