import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { requestIdOf, traceContextOf, traceparent } from "../../src/model/trace.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const FRESH = "f".repeat(32);

for (const id of ["3f2504e0-4f89-11d3-9a0c-0305e82c3301", "a", "x".repeat(128), "Root=1-67891233:abc+/=@."]) {
  test(`the request id ${id.slice(0, 40)} is kept`, () =>
    assert.equal(
      requestIdOf(id, () => "fresh"),
      id,
    ));
}

for (const id of [
  undefined,
  "",
  "x".repeat(129),
  "a b",
  'a"b',
  "a\nb",
  "a\u0000",
  "ä",
  "{a}",
  "a,b",
  "a\\b",
]) {
  test(`the request id ${JSON.stringify(id)?.slice(0, 40)} is replaced`, () =>
    assert.equal(
      requestIdOf(id, () => "fresh"),
      "fresh",
    ));
}

test("whatever is sent, an id holds nothing that could break a log line or a header", () => {
  fc.assert(
    fc.property(fc.string(), (sent) =>
      assert.match(
        requestIdOf(sent, () => "fresh"),
        /^[\w.:/+=@-]{1,128}$/,
      ),
    ),
  );
});

test("a valid trace goes on with its flags, and each leg is a span of its own", () => {
  for (const flags of ["00", "01", "ff"]) {
    const context = traceContextOf(`00-${TRACE}-${SPAN}-${flags}`, () => FRESH);
    assert.deepEqual(context, { traceId: TRACE, flags });
    assert.equal(traceparent(context, "00f067aa0ba902b7"), `00-${TRACE}-00f067aa0ba902b7-${flags}`);
  }
});

const BROKEN: [what: string, sent: string | undefined][] = [
  ["no header", undefined],
  ["an empty one", ""],
  ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
  ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
  ["capital letters", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ["a forbidden version", `ff-${TRACE}-${SPAN}-01`],
  ["more after version 00", `00-${TRACE}-${SPAN}-01-extra`],
  ["a short trace", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ["a trailing newline", `00-${TRACE}-${SPAN}-01\n`],
  ["two joined", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
];

for (const [what, sent] of BROKEN) {
  test(`${what} begins a new sampled trace`, () => {
    assert.deepEqual(
      traceContextOf(sent, () => FRESH),
      { traceId: FRESH, flags: "01" },
    );
  });
}
