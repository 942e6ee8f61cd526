import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fakeDesk, PIN, post, startFor, TOKEN } from "./fixtures.ts";

test("pins are listed to those who have the token, of one route or of all", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  assert.equal((await ask(admin, "/api/v1/pins")).status, 401);
  assert.deepEqual((await ask(admin, "/api/v1/pins", { token: TOKEN })).json(), [PIN]);
  await ask(admin, "/api/v1/pins?route=profiles", { token: TOKEN });
  assert.deepEqual(desk.calls, [
    ["pins", null],
    ["pins", "profiles"],
  ]);
});

test("a pin names key, side and reason, and may say how long", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const pin = { key: "Ünï/ \u0001", side: "new", reason: "first customer" };
  assert.equal((await post(admin, "/api/v1/routes/a%2Fb/pins", pin)).status, 200);
  for (const [written, forMs] of [
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["366d", 366 * 86_400_000],
    [null, null],
  ] as const) {
    assert.equal((await post(admin, "/api/v1/routes/profiles/pins", { ...pin, for: written })).status, 200);
    assert.deepEqual(desk.calls.at(-1), ["pin", "profiles", { ...pin, forMs }]);
  }
  assert.deepEqual(desk.calls[0], ["pin", "a/b", { ...pin, forMs: null }]);
  assert.equal((await post(admin, "/api/v1/routes/none/pins", pin)).status, 404);
});

test("a pin that says something else is refused with what to write", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const good = { key: "acme", side: "old", reason: "why" };
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ ...good, key: "" }, /the key is empty/],
    [{ ...good, key: 7 }, /key must be a string/],
    [{ ...good, key: "k".repeat(4097) }, /at most 4096 characters/],
    [{ ...good, key: "\ud800" }, /no text that UTF-8 can carry/],
    [{ ...good, side: "modern" }, /side must be "old" or "new"/],
    [{ ...good, reason: " " }, /say why/],
    [{ ...good, until: "2h" }, /"until" is not a field.*key, side, reason and for/],
    ...["2", "0h", "-1h", "1.5h", "367d", "2 weeks", "", 7200, {}].map(
      (written) => [{ ...good, for: written }, /for must be how long, such as "30m"/] as const,
    ),
  ];
  for (const [body, detail] of cases) {
    const answer = await post(admin, "/api/v1/routes/profiles/pins", body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(String((answer.json() as { detail: unknown }).detail), detail);
  }
  assert.deepEqual(desk.calls, []);
});

test("unpin takes a key and a reason, also of a route that the rules do not name any more", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  assert.equal((await post(admin, "/api/v1/routes/gone/unpin", { key: "acme", reason: "over" })).status, 200);
  assert.deepEqual(desk.calls, [["unpin", "gone", "acme", "over"]]);
  for (const body of [{ key: "acme" }, { reason: "over" }, { key: "a", reason: "b", side: "old" }]) {
    assert.equal((await post(admin, "/api/v1/routes/gone/unpin", body)).status, 400, JSON.stringify(body));
  }
  const missing = fakeDesk({ unpin: async () => ({ ok: false, why: "none", missing: true }) });
  const other = await startFor(context, missing);
  const answer = await post(other, "/api/v1/routes/none/unpin", { key: "a", reason: "b" });
  assert.equal(answer.status, 404);
});
