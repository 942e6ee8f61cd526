import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDrawn, isSampled, requestIdOf, traceContextOf, traceparent } from "../../src/model/trace.ts";

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
    assert.deepEqual(context, { traceId: TRACE, parentId: SPAN, flags });
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
      { traceId: FRESH, parentId: null, flags: "01" },
    );
  });
}

test("a trace that comes is obeyed whatever the share, by the last bit of its flags", () => {
  for (const [flags, wanted] of [
    ["00", false],
    ["01", true],
    ["02", false],
    ["03", true],
    ["fe", false],
    ["ff", true],
  ] as const) {
    for (const sharePpm of [0, 1_000_000]) {
      const context = traceContextOf(`00-${TRACE}-${SPAN}-${flags}`, () => FRESH, sharePpm);
      assert.equal(context.flags, flags);
      assert.equal(isSampled(context), wanted);
    }
  }
});

test("of the traces that begin here the share is sampled, and the others say so", () => {
  const ids = (digits: string): string => `${"0".repeat(18) + digits}00`;
  const begun = (digits: string, sharePpm: number) => traceContextOf(undefined, () => ids(digits), sharePpm);
  assert.equal(begun("f".repeat(12), 1).flags, "01");
  assert.equal(begun("f".repeat(12), 0).flags, "00");
  assert.equal(begun("0".repeat(12), 999_999).flags, "00");
  assert.equal(begun("0".repeat(12), 1_000_000).flags, "01");
  assert.equal(begun(`8${"0".repeat(11)}`, 500_000).flags, "01");
  assert.equal(begun(`7${"f".repeat(11)}`, 500_000).flags, "00");
});

const hex = (digits: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((each) => each.map((digit) => digit.toString(16)).join(""));

test("a greater share keeps every trace that a smaller one keeps", () => {
  const share = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(hex(32), share, share, (traceId, one, other) => {
      const [less, more] = one < other ? [one, other] : [other, one];
      assert.ok(!isDrawn(traceId, less) || isDrawn(traceId, more));
    }),
  );
});

test("of many random traces about the share is drawn", () => {
  const ids = fc.sample(hex(32), { numRuns: 20_000, seed: 7 });
  const drawn = ids.filter((id) => isDrawn(id, 100_000)).length;
  assert.ok(Math.abs(drawn - 2_000) < 300, `${drawn} of 20,000 at 10%`);
});
