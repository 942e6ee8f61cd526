import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type AnswerHead,
  beginningFault,
  readAnswerHead,
  readTrailers,
} from "../../../src/proxy/backend/answer-head.ts";

const OK = "HTTP/1.1 200 OK\r\n";

function read(lines: string, method = "GET"): AnswerHead {
  const head = readAnswerHead(`${lines}\r\n`, method);
  assert.ok(typeof head !== "string", `${JSON.stringify(lines)}: ${head}`);
  return head;
}

function fault(text: string, method = "GET"): string {
  const head = readAnswerHead(text, method);
  assert.ok(typeof head === "string", `${JSON.stringify(text)} was taken`);
  return head;
}

test("status, reason and fields come out as they were sent, byte for byte", () => {
  const head = read(
    "HTTP/1.1 404 N\xf6t \tFound \r\nX-A:b\r\nx-a: \t c d\t \r\nEmpty:\r\nBlank: \r\nCaf\x7ee: \xe9\xff\r\n",
  );
  assert.equal(head.status, 404);
  assert.equal(head.reason, "N\xf6t \tFound ");
  assert.deepEqual(head.rawHeaders, [
    "X-A",
    "b",
    "x-a",
    "c d",
    "Empty",
    "",
    "Blank",
    "",
    "Caf~e",
    "\xe9\xff",
  ]);
});

test("a reason may be empty, and the space before it missing", () => {
  for (const line of ["HTTP/1.1 200 \r\n", "HTTP/1.1 200\r\n"]) assert.equal(read(line).reason, "");
});

test("what ends the body follows RFC 9112 §6.3", () => {
  const cases: readonly (readonly [string, string, AnswerHead["bodyEnd"], number])[] = [
    ["GET", `${OK}Content-Length: 5\r\n`, "length", 5],
    ["GET", `${OK}content-length: 0\r\n`, "length", 0],
    ["GET", `${OK}CONTENT-LENGTH: 0000000000000005\r\n`, "length", 5],
    ["GET", `${OK}Transfer-Encoding: chunked\r\n`, "chunks", 0],
    ["GET", `${OK}transfer-encoding: CHUNKED\r\n`, "chunks", 0],
    ["GET", OK, "close", 0],
    ["GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n", "length", 0],
    ["HEAD", `${OK}Content-Length: 5\r\n`, "none", 0],
    ["HEAD", `${OK}Transfer-Encoding: chunked\r\n`, "none", 0],
    ["GET", "HTTP/1.1 204 No Content\r\n", "none", 0],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", "none", 0],
    ["GET", "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n", "none", 0],
  ];
  for (const [method, lines, bodyEnd, bodyBytes] of cases) {
    const head = read(lines, method);
    assert.deepEqual([head.bodyEnd, head.bodyBytes], [bodyEnd, bodyBytes], `${method} ${lines}`);
  }
});

test("a connection is kept only where the backend keeps it and the end of the body is sure", () => {
  const cases: readonly (readonly [boolean, string, string?])[] = [
    [true, `${OK}Content-Length: 0\r\n`],
    [true, `${OK}Transfer-Encoding: chunked\r\n`],
    [false, OK],
    [false, `${OK}Content-Length: 0\r\nConnection: close\r\n`],
    [false, `${OK}Content-Length: 0\r\nCONNECTION: x, \tClose ,y\r\n`],
    [false, `${OK}Content-Length: 0\r\nConnection: keep-alive\r\nConnection: close\r\n`],
    [true, `${OK}Content-Length: 0\r\nConnection: closed\r\n`],
    [false, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n"],
    [true, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n"],
    [false, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, close\r\n"],
    [true, "HTTP/1.1 204 No Content\r\n"],
    [true, "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n"],
    [false, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n"],
    [false, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n"],
    [false, `${OK}Content-Length: 0\r\n`, "HEAD"],
  ];
  for (const [kept, lines, method] of cases) assert.equal(read(lines, method).keepsConnection, kept, lines);
});

test("the backend's own word on how long it keeps a connection is read, in its usual spellings", () => {
  const cases: readonly (readonly [string, number | null])[] = [
    ["", null],
    ["Keep-Alive: timeout=5\r\n", 5_000],
    ['keep-alive: max=100, Timeout = "7"\r\n', 7_000],
    ["Keep-Alive: timeout=0\r\n", 0],
    ["Keep-Alive: xtimeout=5\r\n", null],
    ["Keep-Alive: timeout=-5\r\n", null],
    ["Keep-Alive: timeout=abc\r\n", null],
  ];
  for (const [line, keepAliveMs] of cases) {
    assert.equal(read(`${OK}${line}`).keepAliveMs, keepAliveMs, line);
  }
});

test("a head that can be read in two ways is refused", () => {
  const LENGTH = "Content-Length: 2\r\n";
  const CHUNKED = "Transfer-Encoding: chunked\r\n";
  const heads = [
    `${OK}${LENGTH}${LENGTH}`,
    `${OK}${LENGTH}${CHUNKED}`,
    `${OK}${CHUNKED}${CHUNKED}`,
    `${OK}Content-Length: 2,2\r\n`,
    `${OK}Content-Length: +2\r\n`,
    `${OK}Content-Length: 2 2\r\n`,
    `${OK}Content-Length: 0x2\r\n`,
    `${OK}Content-Length: 2.0\r\n`,
    `${OK}Content-Length:\r\n`,
    `${OK}Content-Length: 9007199254740992\r\n`,
    `${OK}Content-Length: \xb2\r\n`,
    `${OK}Transfer-Encoding: gzip, chunked\r\n`,
    `${OK}Transfer-Encoding: chunked, identity\r\n`,
    `${OK}Transfer-Encoding: "chunked"\r\n`,
    `${OK}Transfer-Encoding: chunked;q=1\r\n`,
    `${OK}Transfer-Encoding:\r\n`,
    `HTTP/1.0 200 OK\r\n${CHUNKED}`,
    `${OK}Content-Length : 2\r\n`,
    `${OK} folded: x\r\n`,
    `${OK}X: a\r\n b\r\n`,
    `${OK}X: a\r\n\tb\r\n`,
    `${OK}X: a\rb\r\n`,
    `${OK}X: a\nb\r\n`,
    `${OK}X: a\n`,
    `${OK}X: \0\r\n`,
    `${OK}X: \x7f\r\n`,
    `${OK}X\xe9: a\r\n`,
    `${OK}: a\r\n`,
    `${OK}X\r\n`,
    `HTTP/1.1 200 OK\n${LENGTH}`,
    `HTTP/1.1 200 OK\r${LENGTH}`,
    `\r\n${OK}${LENGTH}`,
    `HTTP/1.1  200 OK\r\n${LENGTH}`,
    `HTTP/1.1\t200 OK\r\n${LENGTH}`,
    `HTTP/1.1 600 OK\r\n${LENGTH}`,
    `HTTP/1.1 099 OK\r\n${LENGTH}`,
    `HTTP/1.1 200OK\r\n${LENGTH}`,
    `HTTP/1.1 200 O\0K\r\n${LENGTH}`,
    `HTTP/2.0 200 OK\r\n${LENGTH}`,
    `HTTP/1.2 200 OK\r\n${LENGTH}`,
    `HTTP/1.11 200 OK\r\n${LENGTH}`,
    `http/1.1 200 OK\r\n${LENGTH}`,
    `HTTP/1.1 200 ${"x".repeat(9_000)}\r\n${LENGTH}`,
  ];
  for (const head of heads) fault(`${head}\r\n`);
});

test("what two readers could differ on is refused for HEAD, 204 and 304 too", () => {
  for (const [method, line] of [
    ["HEAD", OK],
    ["GET", "HTTP/1.1 204 No Content\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\n"],
  ] as const) {
    fault(`${line}Content-Length: 2\r\nContent-Length: 3\r\n\r\n`, method);
    fault(`${line}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`, method);
  }
});

test("what can become no answer is known from its first odd byte on; what can is never refused early", () => {
  const whole = `${OK}X-A: b\r\nEmpty:\r\n`;
  for (let end = 0; end <= whole.length; end++) {
    for (let from = 0; from <= end; from++) assert.equal(beginningFault(whole.slice(0, end), from), null);
  }
  const odd: readonly (readonly [string, number])[] = [
    ["SSH-2.0-OpenSSH", 1],
    ["HTTP/2.0 200 OK", 6],
    ["HTTP/1.1 200 OK\nX", 16],
    ["HTTP/1.1 200 OK\r\nX: y\nZ", 22],
    ["HTTP/1.1 200 OK\r\nX: y\r\n\nZ", 24],
    ["HTTP/1.1 900 OK\r\n", 13],
  ];
  for (const [text, until] of odd) {
    assert.notEqual(beginningFault(text.slice(0, until), 0), null, text);
    assert.notEqual(beginningFault(text.slice(0, until), until - 1), null, text);
  }
});

test("a head is looked at in time that grows with its length, whatever is in it", () => {
  const fields = 16_000;
  const heads = [
    `${OK}${"a:\r\n".repeat(fields)}\r\n`,
    `${OK}${"a:\r\n".repeat(fields)}a\0\r\n\r\n`,
    `${OK}a:${" ".repeat(64_000)}\r\n\r\n`,
    `${OK}a:${"\t x".repeat(20_000)}\0\r\n\r\n`,
    `${OK}${"a".repeat(64_000)}\r\n\r\n`,
    `${OK}Connection: ${",".repeat(64_000)}\r\n\r\n`,
    `${OK}Keep-Alive: ${"timeout ".repeat(8_000)}\r\n\r\n`,
    `${OK}Keep-Alive: timeout${" ".repeat(64_000)}x\r\n\r\n`,
  ];
  const begunMs = performance.now();
  for (const head of heads) {
    readAnswerHead(head, "GET");
    readTrailers(head.slice(OK.length));
  }
  // They take a few milliseconds each; quadratic costs would take minutes.
  assert.ok(performance.now() - begunMs < 5_000);
  assert.equal(read(`${OK}${"a:\r\n".repeat(fields)}`).rawHeaders.length, 2 * fields);
});

test("trailers are read like fields, and none may tell a length", () => {
  assert.deepEqual(readTrailers("\r\n"), []);
  assert.deepEqual(readTrailers("X-Sum: 1\r\nx-sum:2\r\n\r\n"), ["X-Sum", "1", "x-sum", "2"]);
  for (const text of [
    "Content-Length: 0\r\n\r\n",
    "transfer-encoding: chunked\r\n\r\n",
    "X: a\nb\r\n\r\n",
    " X: a\r\n\r\n",
    "X : a\r\n\r\n",
    "X\r\n\r\n",
    "X: a\r\n",
  ]) {
    assert.equal(typeof readTrailers(text), "string", JSON.stringify(text));
  }
});

const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const piece = fc.oneof(
  fc.constantFrom(OK, "HTTP/1.1 204 X\r\n", "HTTP/1.0 200 OK\r\n", "\r\n", "\n", "\r", " ", ":", "\t", "\0"),
  fc.constantFrom("Content-Length: 2", "Transfer-Encoding: chunked", "Connection: close", "X", "X: y"),
  byte,
);

test("no bytes make the reading of a head throw, and what is taken is a head to the letter", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.constantFrom("GET", "HEAD"), (pieces, method) => {
      const text = `${pieces.join("")}\r\n\r\n`;
      const end = text.indexOf("\r\n\r\n") + 4;
      const head = readAnswerHead(text.slice(0, end), method);
      if (typeof head === "string") return;
      const [, ...lines] = text.slice(0, end - 4).split("\r\n");
      assert.equal(lines.length * 2, head.rawHeaders.length);
      for (const [n, line] of lines.entries()) {
        const colonAt = line.indexOf(":");
        assert.equal(head.rawHeaders[2 * n], line.slice(0, colonAt));
        assert.equal(head.rawHeaders[2 * n + 1], line.slice(colonAt + 1).replace(/^[ \t]+|[ \t]+$/g, ""));
      }
      for (let at = 0; at < end - 4; at++) assert.equal(beginningFault(text.slice(0, at), 0), null);
    }),
    { numRuns: 2_000 },
  );
});
