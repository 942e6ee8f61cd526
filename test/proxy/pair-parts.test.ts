import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Condition } from "../../src/model/ruleset.ts";
import { AnswerCopy } from "../../src/proxy/answer-copy.ts";
import { Chores } from "../../src/proxy/chores.ts";
import { fieldsToKeep, requestFields } from "../../src/proxy/request-fields.ts";
import { ByteComparison, Joining, type Pieces } from "../../src/proxy/same-bytes.ts";
import { Shelf } from "../../src/proxy/shelf.ts";
import { conditionOf, routeOf } from "../model/rules.ts";

const chunked = fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));

/** Cut anew at these places. */
function recut(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
}

function pieces(chunks: readonly Buffer[]): Pieces {
  return { chunks, bytes: Buffer.concat(chunks).length };
}

function compareBy(step: number, a: readonly Buffer[], b: readonly Buffer[]): boolean {
  const comparison = new ByteComparison(pieces(a), pieces(b));
  for (let turns = 0; turns < 10_000; turns++) {
    const known = comparison.step(step);
    if (known !== null) return known;
  }
  throw new Error("it never ends");
}

test("bodies are the same where their bytes are, wherever chunks end and however small the steps", () => {
  const cuts = fc.array(fc.nat(500), { maxLength: 6 });
  fc.assert(
    fc.property(chunked, cuts, fc.integer({ min: 1, max: 2_000 }), fc.nat(), (a, places, step, at) => {
      const whole = Buffer.concat(a);
      const b = recut(whole, places);
      assert.equal(compareBy(step, a, b), true);
      assert.equal(compareBy(step, [...a, Buffer.from("x")], b), false);
      if (whole.length === 0) return;
      const other = Buffer.from(whole);
      other[at % other.length] = ((other[at % other.length] ?? 0) + 1) & 0xff;
      assert.equal(compareBy(step, a, recut(other, places)), false);
      assert.equal(compareBy(step, a, recut(whole.subarray(1), places)), false);
    }),
  );
});

test("joined, a body is its chunks one after another, in memory of its own", () => {
  fc.assert(
    fc.property(chunked, fc.integer({ min: 1, max: 2_000 }), (chunks, step) => {
      const joining = new Joining(pieces(chunks));
      for (let turns = 0; !joining.step(step); turns++) assert.ok(turns < 10_000);
      assert.deepEqual(Buffer.from(joining.bytes), Buffer.concat(chunks));
      assert.equal(joining.bytes.buffer.byteLength, joining.bytes.length);
    }),
  );
});

test("chores take one step a turn, one after another, and one that fails keeps nobody waiting", async () => {
  const chores = new Chores();
  const steps: string[] = [];
  const work = (name: string, count: number) => {
    let left = count;
    return chores.run(() => {
      steps.push(name);
      return --left === 0 ? name : null;
    });
  };
  const fails = chores.run((): string | null => {
    throw new Error("broken");
  });
  const all = Promise.all([work("a", 2), work("b", 1)]);
  let turns = 0;
  const turn = (): void => {
    turns++;
    if (steps.length < 3) setImmediate(turn);
  };
  setImmediate(turn);
  await assert.rejects(fails, /broken/);
  assert.deepEqual(await all, ["a", "b"]);
  assert.deepEqual(steps, ["a", "a", "b"]);
  assert.ok(turns >= 3, `${turns} turns`);
});

test("the shelf takes no more than it holds, and gets all of it back", () => {
  const shelf = new Shelf(100);
  const [a, b] = [shelf.lease(), shelf.lease()];
  assert.deepEqual([a.take(60), b.take(60), b.take(40)], [true, false, true]);
  a.release();
  a.release();
  assert.equal(shelf.bytes, 40);
  assert.equal(a.take(1), false, "nothing more is wanted");
  b.release();
  assert.equal(shelf.bytes, 0);
});

test("an answer in tiny pieces takes up what it costs, and is shed where the shelf is full", () => {
  const shelf = new Shelf(100_000);
  const copy = new AnswerCopy(1_000_000, shelf.lease());
  copy.head(200, [], -1);
  let pieces = 0;
  while (copy.data(Buffer.from("x"))) pieces++;
  assert.ok(pieces < 1_000);
  assert.equal(copy.lost, "shed");
  assert.equal(copy.collected(false, 0), null);
});

test("of the request go along what one needs to ask the same, never what may be a secret", () => {
  const match: Condition[] = [conditionOf({ headers: { "x-app": "web", "x-api-key": "1" } })];
  const keep = fieldsToKeep(
    routeOf({
      match,
      key: [
        { kind: "header", name: "x-tenant-id" },
        { kind: "header", name: "authorization" },
      ],
    }),
  );
  const sent = [
    ["Accept", "text/html"],
    ["Cookie", "session=1"],
    ["Authorization", "Bearer 1"],
    ["Proxy-Authorization", "Basic 1"],
    ["x-cutover-token", "1"],
    ["X-Tenant-Id", "acme"],
    ["x-app", "web"],
    ["x-api-key", "1"],
    ["x-else", "1"],
    ["Range", "bytes=0-1"],
  ];
  assert.deepEqual(requestFields(keep, "shop.example", sent.flat()), [
    ...["host", "shop.example", "Accept", "text/html", "X-Tenant-Id", "acme", "x-app", "web"],
    ...["Range", "bytes=0-1"],
  ]);
});

test("the fields of a request are at most 4 KiB: what does not fit is left out whole", () => {
  const keep = fieldsToKeep(routeOf());
  const long = "x".repeat(3_000);
  const fields = requestFields(keep, "h", ["user-agent", long, "accept", long, "range", "bytes=0-1"]);
  assert.deepEqual(fields, ["host", "h", "user-agent", long, "range", "bytes=0-1"]);
});
