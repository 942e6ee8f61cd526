import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { MismatchSample } from "../../src/model/reports.ts";
import { routeStatus, statusReport } from "../support/reports.ts";
import { assertHarmless, fakeAdmin, ok, problem, type Ran, run, sample } from "./fixtures.ts";

const HOSTILE = "\u001b]0;owned\u0007\u009b2J\u202e";
const BACKENDS = [
  { name: "legacy", endpoints: [{ url: "http://127.0.0.1:9001", healthy: null }] },
  {
    name: "modern",
    endpoints: [
      { url: "http://127.0.0.1:9002", healthy: false },
      { url: "http://127.0.0.1:9003", healthy: true },
    ],
  },
];
const REPORT = statusReport([routeStatus("profiles", { backends: { old: "legacy", new: "modern" } })], {
  backends: BACKENDS,
});

/** `cutover mismatches --show` against a gateway that has this pair. */
async function show(
  pair: MismatchSample,
  words: readonly string[] = [],
  columns: number | null = null,
): Promise<Ran> {
  const admin = await fakeAdmin(({ path }) => {
    if (path === "/api/v1/status") return ok(REPORT);
    return path === "/api/v1/mismatches/17" || path === "/api/v1/mismatches/0a1b2c3d4e5f"
      ? ok(pair)
      : problem(404, "no sample is kept under the id 99");
  });
  try {
    return await run(["mismatches", "--show", "17", "--admin", admin.url, ...words], {}, columns);
  } finally {
    await admin.close();
  }
}

const withBodies = (old: string, fresh: string, type = "application/json") => {
  const answer = { status: 200, headers: { "content-type": type }, whole: true };
  return sample({
    old: { ...answer, body: old, bodyBytes: old.length },
    new: { ...answer, body: fresh, bodyBytes: fresh.length },
  });
};

test("a pair in full: both answers, each difference, the delta of the bodies, and how to ask again", async () => {
  const { code, out } = await show(sample({ at: "2026-01-02T03:04:05.678Z" }));
  assert.equal(code, 0);
  assert.equal(
    out.replace(/\(\d+ days ago\)/, "(n days ago)"),
    `GET /profiles/7?full=1
pair 17 of profiles, 2026-01-02T03:04:05.678Z (n days ago), rules 0123456789ab
request r-1, clusters 0a1b2c3d4e5f

1 difference
  $.user.name  value (case)
    "Ada" → "ADA"

old: 200, 29 bytes
  content-type: application/json
  {
    "user": {
      "name": "Ada"
    },
    "n": 1
  }

new: 200, 29 bytes
  content-type: application/json
  {
    "n": 1,
    "user": {
      "name": "ADA"
    }
  }

the bodies, old → new
   {
     user: {
       name: "Ada" => "ADA"
     }
   }

ask both again
  # old
  curl -isS -H 'accept: application/json' 'http://127.0.0.1:9001/profiles/7?full=1'
  # new
  curl -isS -H 'accept: application/json' 'http://127.0.0.1:9003/profiles/7?full=1'
  # not every field is kept, and credentials never: add -H 'authorization: …', -H 'cookie: …' or others that they read
`,
  );
});

test("a route beside --show is the pair's own, or exit 1 says which it is of", async () => {
  const right = await show(sample(), ["profiles"]);
  assert.equal(right.code, 0);
  assert.match(right.out, /pair 17 of profiles/);
  const wrong = await show(sample(), ["orders"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^cutover: 17 is of route profiles: write it in place of orders, or no route/);
});

test("a cluster's id shows its newest pair, an unknown id is exit 1, and -o json is the gateway's answer", async () => {
  const pair = sample();
  assert.match((await show(pair, ["--show", "0a1b2c3d4e5f"])).out, /pair 17 of profiles/);
  const unknown = await show(pair, ["--show", "99"]);
  assert.deepEqual([unknown.code, unknown.err], [1, "cutover: no sample is kept under the id 99\n"]);
  assert.deepEqual(JSON.parse((await show(pair, ["-o", "json"])).out), pair);
});

test("a terminal has colours, and NO_COLOR takes them away", async () => {
  const { out } = await show(sample(), [], 100);
  assert.ok(out.includes('\u001b[31m"Ada"\u001b[39m => \u001b[32m"ADA"\u001b[39m'));
  const admin = await fakeAdmin(({ path }) => ok(path === "/api/v1/status" ? REPORT : sample()));
  const plain = await run(["mismatches", "--show", "17", "--admin", admin.url], { NO_COLOR: "1" }, 100);
  assert.equal(plain.out, stripVTControlCharacters(plain.out));
  await admin.close();
});

test("nothing from traffic acts on the terminal, wherever it stands", async () => {
  const json = (value: string) => JSON.stringify({ [`a${HOSTILE}\n`]: `${value}${HOSTILE}` });
  const evil = sample({
    ...withBodies(json("1"), json("2")),
    requestId: HOSTILE,
    method: `GET${HOSTILE}`,
    target: `/${HOSTILE}`,
    requestHeaders: { accept: HOSTILE, [`x${HOSTILE}`]: "1" },
    differences: [
      { place: HOSTILE, template: HOSTILE, kind: "value", old: HOSTILE, new: HOSTILE, relation: HOSTILE },
    ],
    clusters: [HOSTILE],
  });
  const texts = [
    await show(evil),
    await show({ ...evil, ...pick(withBodies(HOSTILE, `${HOSTILE}\r\n2`, `text/plain${HOSTILE}`)) }),
  ];
  for (const { out, code } of texts) {
    assert.equal(code, 0);
    assertHarmless(out);
  }
  const coloured = await show(evil, [], 80);
  assertHarmless(coloured.out, true);
});

function pick({ old, new: fresh }: MismatchSample) {
  return { old, new: fresh };
}

test("names that jsondiffpatch trips over are shown as lines, and none is lost", async () => {
  for (const name of ["constructor", "__proto__", "toString", "_t"]) {
    const { out, code } = await show(withBodies(`{"${name}":{"x":1},"b":1}`, `{"b":2,"${name}":{"x":2}}`));
    assert.equal(code, 0);
    assert.match(out, /@@ old line 1, new line 1/, name);
    assert.match(out, new RegExp(`^ +[-+ ] +"${name}": \\{`, "m"));
    assert.match(out, /^ +- +"b": 1$/m);
  }
});

test("numbers keep all their digits in the bodies and in the delta", async () => {
  const { out } = await show(
    withBodies(
      '{"id":12345678901234567890,"x":1.50,"y":0.023392325298456473}',
      '{"id":12345678901234567891,"x":1.5,"y":0.31949746767409004}',
    ),
  );
  assert.match(out, /y: 0\.023392325298456473 => 0\.31949746767409004/);
  assert.match(out, /"id": 12345678901234567890,\n +"x": 1\.50/);
  assert.match(out, /id: "12345678901234567890" => "12345678901234567891"/);
});

test("items are matched by their id: one that was put in front is not a change of all", async () => {
  const { out } = await show(
    withBodies('[{"id":1,"v":1},{"id":2,"v":1},null]', '[{"id":0,"v":9},{"id":1,"v":1},{"id":2,"v":2},null]'),
  );
  const delta = out.slice(out.indexOf("the bodies"), out.indexOf("ask both"));
  assert.match(delta, /\+ +0: \{/);
  assert.match(delta, /2: \{\n +v: 1 => 2/);
  assert.doesNotMatch(delta, /1 => 9/);
});

test("text is compared line by line, and a cut JSON body as well", async () => {
  const text = await show(withBodies("a\nb\nc\n", "a\nB\nc\n", "text/plain"));
  assert.match(text.out, /@@ old line 1, new line 1\n {3}a\n {2}-b\n {2}\+B\n {3}c\n/);
  const cut = await show(withBodies('{"a":1,"b":[1,2', '{"a":2,"b":[1,2'));
  assert.match(cut.out, /^ +- +"a": 1,$/m);
});

test("great, deep and long bodies are cut with a word of what is left out, in good time", async () => {
  const startedMs = performance.now();
  const many = Array.from({ length: 20_000 }, (_, index) => index);
  const cases = [
    withBodies(JSON.stringify(many), JSON.stringify(many.map((value) => value + 1))),
    withBodies("[".repeat(10_000) + "]".repeat(10_000), `${"[".repeat(10_000)}1${"]".repeat(10_000)}`),
    withBodies(`"${"x".repeat(60_000)}`, `"${"y".repeat(60_000)}`, "text/plain"),
    withBodies("[]".repeat(30_000), `[1${"[]".repeat(30_000)}`),
  ];
  for (const pair of cases) {
    const { code, out } = await show(pair);
    assert.equal(code, 0);
    assert.ok(out.length < 400_000, String(out.length));
    for (const line of out.split("\n")) assert.ok(line.length < 700);
  }
  assert.match((await show(cases[0] ?? sample())).out, /… 19,?\d+ more lines: -o json has them/);
  assert.ok(performance.now() - startedMs < 30_000);
});

test("a body that was not kept is said to be so, and no body is nothing", async () => {
  const answer = { status: 200, headers: {}, body: null, whole: false };
  const { out } = await show(
    sample({ old: { ...answer, bodyBytes: 4_096 }, new: { ...answer, status: 204, bodyBytes: 0 } }),
  );
  assert.match(
    out,
    /old: 200, 4,096 bytes\n {2}\(the body was not kept: it is no text, or could not be redacted\)/,
  );
  assert.match(out, /new: 204, 0 bytes\n\n/);
});

test("what a repeat would do, or needs, is said below the curl lines", async () => {
  const { out } = await show(
    sample({ method: "POST", route: "gone", target: "/a?token=%5Bredacted%5D&b=[redacted]" }),
  );
  assert.match(out, /# put the backends' addresses in: legacy http:\/\/127\.0\.0\.1:9001, modern http/);
  assert.match(out, /curl -isS -X POST .*--globoff 'http:\/\/OLD-BACKEND\/a\?token=/);
  assert.match(out, /# what is redacted must be put back/);
  assert.match(out, /# a POST may change something each time it is asked, and its body was not kept/);
});
