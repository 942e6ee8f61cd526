import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fakeDesk, HISTORY, startFor, TOKEN } from "./fixtures.ts";

test("the history of a route is shown to those who have the token, a day of it unless they say otherwise", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  assert.equal((await ask(admin, "/api/v1/history?route=profiles")).status, 401);
  const answer = await ask(admin, "/api/v1/history?route=profiles", { token: TOKEN });
  assert.deepEqual(answer.json(), HISTORY);
  for (const hours of ["", "1", "48"])
    await ask(admin, `/api/v1/history?route=profiles&hours=${hours}`, { token: TOKEN });
  assert.deepEqual(desk.calls, [
    ["history", "profiles", 24],
    ["history", "profiles", 24],
    ["history", "profiles", 1],
    ["history", "profiles", 48],
  ]);
});

test("a history that there is not is refused with what to write", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const cases = [
    ["", 400, /write \?route=NAME/],
    ["?route=", 400, /write \?route=NAME/],
    ["?route=nobody", 404, /no route is named "nobody"/],
    ...["0", "49", "100", "-1", "1.5", "1e1", "a day"].map(
      (hours) =>
        [`?route=profiles&hours=${encodeURIComponent(hours)}`, 400, /whole number from 1 to 48/] as const,
    ),
  ] as const;
  for (const [query, status, detail] of cases) {
    const answer = await ask(admin, `/api/v1/history${query}`, { token: TOKEN });
    assert.equal(answer.status, status, query);
    assert.match(String((answer.json() as { detail: unknown }).detail), detail);
  }
  assert.deepEqual(desk.calls, [["history", "nobody", 24]]);
});
