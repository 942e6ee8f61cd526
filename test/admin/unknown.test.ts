/** What is misspelt is refused with what there is, never ignored. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusReport } from "../../src/model/reports.ts";
import { type Answer, ask, CLUSTER, fakeDesk, PIN, post, SAMPLE, startFor, TOKEN } from "./fixtures.ts";

function assertProblem(answer: Answer, status: number, detail: RegExp): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.match((answer.json() as { readonly detail: string }).detail, detail);
}

const REASON_ALONE = [
  "routes/profiles/rollback",
  "routes/profiles/reset",
  "routes/profiles/pause",
  "routes/profiles/resume",
  "rollback",
  "reload",
  "drain",
  "store/reset",
];

test("a misspelt field of any action is 400, says what the fields are, and nothing is done", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  for (const path of REASON_ALONE) {
    for (const body of [{ reson: "why" }, { reason: "why", reasn: "why" }, { reason: "why", to: "5%" }]) {
      assertProblem(
        await post(admin, `/api/v1/${path}`, body),
        400,
        /^"(reson|reasn|to)" is not a field of this body: it has reason alone$/,
      );
    }
  }
  const others: [string, object, RegExp][] = [
    ["routes/profiles/promote", { reason: "x", share: "5%" }, /^"share" is .*: it has reason, to and step$/],
    [
      "routes/profiles/pins",
      { key: "a", side: "old", reason: "x", until: "2h" },
      /: it has key, side, reason and for$/,
    ],
    [
      "routes/profiles/unpin",
      { key: "a", reason: "x", side: "old" },
      /^"side" is .*: it has key and reason$/,
    ],
    ["explain", { url: "/", metod: "GET" }, /^"metod" is .*: it has method, url and headers$/],
  ];
  for (const [path, body, words] of others)
    assertProblem(await post(admin, `/api/v1/${path}`, body), 400, words);
  assert.deepEqual(desk.calls, []);
});

test("a field's name is repeated escaped and cut", async (context) => {
  const admin = await startFor(context, fakeDesk());
  const answer = await post(admin, "/api/v1/drain", { ["\u001b[2J".repeat(1_000)]: 1 });
  assertProblem(answer, 400, /is not a field of this body/);
  assert.ok(!answer.text.includes("\u001b"));
  assert.ok(answer.text.length < 1_000);
});

const LISTS = ["mismatches", "samples", "audit", "pins"];

test("a route that is not there is 404 and says which are, also where a list would be empty", async (context) => {
  const desk = fakeDesk({
    clusters: async () => [],
    samples: async () => [],
    audit: async () => [],
    pins: () => [],
  });
  const admin = await startFor(context, desk);
  const words = /^no route is named "nope": the rules name "profiles" \(GET \/api\/v1\/status lists them\)$/;
  for (const list of LISTS) {
    assertProblem(await ask(admin, `/api/v1/${list}?route=nope`, { token: TOKEN }), 404, words);
    const empty = await ask(admin, `/api/v1/${list}?route=profiles`, { token: TOKEN });
    assert.deepEqual([empty.status, empty.json()], [200, []], list);
    assert.equal((await ask(admin, `/api/v1/${list}`, { token: TOKEN })).status, 200, "all routes");
  }
  for (const path of ["retro?route=nope", "history?route=nope", "routes/nope", "routes/nope/report"])
    assertProblem(await ask(admin, `/api/v1/${path}`, { token: TOKEN }), 404, words);
  for (const action of ["rollback", "pause", "resume", "promote"])
    assertProblem(await post(admin, `/api/v1/routes/nope/${action}`, { reason: "x" }), 404, words);
});

test("what is kept of a route that the rules have dropped can be read", async (context) => {
  const desk = fakeDesk({
    clusters: async () => [{ ...CLUSTER, route: "gone" }],
    samples: async ({ cluster }) => (cluster === null ? [{ ...SAMPLE, route: "gone" }] : []),
    audit: async () => desk.trail,
    pins: () => [{ ...PIN, route: "gone" }],
  });
  desk.emit("rollback");
  const admin = await startFor(context, desk);
  for (const list of LISTS) {
    const answer = await ask(admin, `/api/v1/${list}?route=gone`, { token: TOKEN });
    assert.deepEqual([answer.status, (answer.json() as unknown[]).length], [200, 1], list);
  }
  const other = await ask(admin, "/api/v1/samples?route=gone&cluster=000000000000", { token: TOKEN });
  assert.deepEqual([other.status, other.json()], [200, []], "of other clusters there are some");
});

test("of many routes some are named, and of none none", async (context) => {
  const names = Array.from({ length: 25 }, (_, index) => ({ name: `r${index}` }));
  const many = await startFor(
    context,
    fakeDesk({ status: () => ({ routes: names }) as unknown as StatusReport }),
  );
  assertProblem(await ask(many, "/api/v1/routes/x"), 404, /"r0", .*"r9" and 15 more \(GET/);
  const none = await startFor(
    context,
    fakeDesk({ status: () => ({ routes: [] }) as unknown as StatusReport }),
  );
  assertProblem(await ask(none, "/api/v1/routes/x"), 404, /^no route is named "x": the rules name none$/);
});
