import { type Case, chunked, either, lines, passed, post, refused, suites } from "./cases.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
const EMPTY = "0\r\n\r\n";
const NOT_CHUNKED = [400, 501];

const bothLengths: readonly Case[] = [
  ...[
    ["Content-Length before Transfer-Encoding", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
    ["Transfer-Encoding before Content-Length", ["Transfer-Encoding: chunked", "Content-Length: 5"]],
    ["with a length of nothing", ["Content-Length: 0", "Transfer-Encoding: chunked"]],
    ["with the two apart", ["Content-Length: 5", "X: y", "Transfer-Encoding: chunked"]],
    ["in other cases", ["content-LENGTH: 5", "transfer-ENCODING: Chunked"]],
    ["with identity", ["Content-Length: 5", "Transfer-Encoding: identity"]],
    ["with an unknown coding", ["Content-Length: 5", "Transfer-Encoding: x"]],
    ["with an empty coding", ["Content-Length: 5", "Transfer-Encoding:"]],
    [
      "with a length in Connection",
      ["Connection: content-length", "Content-Length: 5", "Transfer-Encoding: chunked"],
    ],
    [
      "with a coding in Connection",
      ["Connection: transfer-encoding", "Content-Length: 5", "Transfer-Encoding: chunked"],
    ],
    ["with two lengths", ["Content-Length: 5", "Content-Length: 6", "Transfer-Encoding: chunked"]],
  ].map(([name, fields]) =>
    refused(`both: ${name}`, post(fields as string[], `${EMPTY}${SMUGGLED}`), { status: NOT_CHUNKED }),
  ),
  refused(
    "both: on a GET",
    lines("GET / HTTP/1.1", ["Host: a.test", "Content-Length: 5", "Transfer-Encoding: chunked"], EMPTY),
  ),
  refused(
    "both: CL.TE with a request in the rest",
    post(["Content-Length: 60", "Transfer-Encoding: chunked"], `${EMPTY}${SMUGGLED}`),
  ),
  refused(
    "both: TE.CL with a request in a chunk",
    post(["Content-Length: 4", "Transfer-Encoding: chunked"], `2c\r\n${SMUGGLED}\r\n${EMPTY}`),
  ),
];

const codings: readonly Case[] = [
  ...[
    ["identity", "Transfer-Encoding: identity"],
    ["identity before chunked", "Transfer-Encoding: identity, chunked"],
    ["chunked before identity", "Transfer-Encoding: chunked, identity"],
    ["gzip before chunked", "Transfer-Encoding: gzip, chunked"],
    ["chunked before gzip", "Transfer-Encoding: chunked, gzip"],
    ["gzip alone", "Transfer-Encoding: gzip"],
    ["chunked twice in one field", "Transfer-Encoding: chunked, chunked"],
    ["a comma after chunked", "Transfer-Encoding: chunked,"],
    ["a comma before chunked", "Transfer-Encoding: ,chunked"],
    ["a parameter", "Transfer-Encoding: chunked;q=1"],
    ["a parameter without a name", "Transfer-Encoding: chunked;"],
    ["a letter in front", "Transfer-Encoding: xchunked"],
    ["a letter behind", "Transfer-Encoding: chunkedx"],
    ["a word in front", "Transfer-Encoding: x chunked"],
    ["a word behind", "Transfer-Encoding: chunked x"],
    ["double quotes", 'Transfer-Encoding: "chunked"'],
    ["single quotes", "Transfer-Encoding: 'chunked'"],
    ["a vertical tab in front", "Transfer-Encoding: \x0bchunked"],
    ["a vertical tab behind", "Transfer-Encoding: chunked\x0b"],
    ["a form feed in front", "Transfer-Encoding: \x0cchunked"],
    ["a NUL in front", "Transfer-Encoding: \x00chunked"],
    ["a NUL behind", "Transfer-Encoding: chunked\x00"],
    ["a no-break space in front", "Transfer-Encoding: \xa0chunked"],
    ["a next-line character behind", "Transfer-Encoding: chunked\x85"],
    ["a bare CR in front", "Transfer-Encoding: \rchunked"],
    ["a bare LF in front", "Transfer-Encoding: \nchunked"],
    ["a bare LF in front of the name", "X: y\nTransfer-Encoding: chunked"],
    ["a bare CR in front of the name", "X: y\rTransfer-Encoding: chunked"],
    ["a folded line", "Transfer-Encoding:\r\n chunked"],
    ["a space before the colon", "Transfer-Encoding : chunked"],
    ["a tab before the colon", "Transfer-Encoding\t: chunked"],
    ["a space in front of the name", " Transfer-Encoding: chunked"],
    ["a space within the name", "Transfer Encoding: chunked"],
    ["a NUL within the name", "Transfer\x00-Encoding: chunked"],
    ["a vertical tab before the colon", "Transfer-Encoding\x0b: chunked"],
    ["no value", "Transfer-Encoding:"],
    ["a half word", "Transfer-Encoding: chunk"],
    ["a letter from Unicode (Kelvin)", "Transfer-Encoding: chun\xe2\x84\xaaed"],
    ["two fields alike", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"],
    ["two fields, chunked last", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"],
    ["two fields, chunked first", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"],
    ["two fields, one empty", "Transfer-Encoding: chunked\r\nTransfer-Encoding:"],
  ].map(([name, field]) =>
    refused(`Transfer-Encoding with ${name}`, post([field as string], `${EMPTY}${SMUGGLED}`), {
      status: NOT_CHUNKED,
    }),
  ),
  either("Transfer-Encoding after a tab", post(["Transfer-Encoding:\tchunked"], EMPTY), [400, 501], {
    line: "POST /",
  }),
  passed(
    "a name that only looks like it stays a field like any other",
    post(["Transfer_Encoding: chunked", "Content-Length: 2"], "ab"),
    {
      line: "POST /",
      framing: "length",
      body: "ab",
    },
  ),
  refused(
    "HTTP/1.0 with Transfer-Encoding",
    lines("POST / HTTP/1.0", ["Host: a.test", "Transfer-Encoding: chunked"], EMPTY),
  ),
  refused(
    "HTTP/1.0 with Transfer-Encoding, kept alive",
    lines("POST / HTTP/1.0", ["Host: a.test", "Connection: keep-alive", "Transfer-Encoding: chunked"], EMPTY),
  ),
  refused(
    "HTTP/1.0 with both lengths",
    lines("POST / HTTP/1.0", ["Host: a.test", "Content-Length: 5", "Transfer-Encoding: chunked"], EMPTY),
  ),
];

const hidden: readonly Case[] = [
  passed("a request within a body is a body", post([`Content-Length: ${SMUGGLED.length}`], SMUGGLED), {
    line: "POST /",
    body: SMUGGLED,
  }),
  passed(
    "a request within a chunk is a body",
    chunked(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${EMPTY}`),
    {
      line: "POST /",
      framing: "chunked",
      body: SMUGGLED,
    },
  ),
  passed(
    "a chunked body on GET ends where its chunks end",
    lines("GET / HTTP/1.1", ["Host: a.test", "Transfer-Encoding: chunked"], `2\r\nab\r\n${EMPTY}`),
    { line: "GET /", framing: "chunked", body: "ab" },
  ),
  passed(
    "OPTIONS with a chunked body is one request",
    lines(
      "OPTIONS / HTTP/1.1",
      ["Host: a.test", "Transfer-Encoding: chunked"],
      `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${EMPTY}`,
    ),
    { line: "OPTIONS /", body: SMUGGLED },
  ),
  passed(
    "DELETE with a chunked body is one request",
    lines(
      "DELETE / HTTP/1.1",
      ["Host: a.test", "Transfer-Encoding: chunked"],
      `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${EMPTY}`,
    ),
    { line: "DELETE /", body: SMUGGLED },
  ),
  passed(
    "trailers do not become fields",
    chunked("2\r\nab\r\n0\r\nAuthorization: x\r\nX-Cutover-Force: new\r\nHost: evil\r\n\r\n"),
    {
      line: "POST /",
      framing: "chunked",
      body: "ab",
      fields: { host: ["a.test"], authorization: [], "x-cutover-force": [] },
    },
  ),
  ...["Content-Length: 40", "Transfer-Encoding: x", "Transfer-Encoding: chunked"].map((trailer) =>
    either(
      `a trailer "${trailer}" frames nothing`,
      chunked(`2\r\nab\r\n0\r\n${trailer}\r\n\r\n`),
      [400, 501],
      {
        line: "POST /",
        framing: "chunked",
        body: "ab",
      },
    ),
  ),
  ...["content-length", "transfer-encoding", "host", "x-cutover-side", "via", "x-request-id"].map((named) =>
    passed(
      `Connection that names ${named} harms nobody`,
      post([`Connection: ${named}`, "Content-Length: 2"], "ab"),
      {
        line: "POST /",
        framing: "length",
        body: "ab",
        fields: { host: ["a.test"], "content-length": ["2"], "x-cutover-side": ["old"] },
      },
    ),
  ),
  passed(
    "Connection that names Transfer-Encoding keeps the chunks",
    post(["Connection: transfer-encoding", "Transfer-Encoding: chunked"], `2\r\nab\r\n${EMPTY}`),
    {
      line: "POST /",
      framing: "chunked",
      body: "ab",
    },
  ),
];

suites("one request in is never two requests out", {
  "two lengths at once": bothLengths,
  "Transfer-Encoding": codings,
  "requests within requests": hidden,
});
