import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { startAdmin } from "../../src/admin/server.ts";
import {
  type Answer,
  ask,
  CLUSTER,
  fakeDesk,
  post,
  RETRO,
  raw,
  SAMPLE,
  startFor,
  TOKEN,
  until,
} from "./fixtures.ts";

function assertProblem(answer: Answer, status: number, detail: RegExp): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  const body = answer.json() as Record<string, unknown>;
  assert.equal(body.type, "about:blank");
  assert.equal(body.status, status);
  assert.equal(typeof body.title, "string");
  assert.match(String(body.detail), detail);
}

test("reads answer what the desk says, and nothing caches or guesses at it", async (context) => {
  const admin = await startFor(context, fakeDesk());
  const status = await ask(admin, "/api/v1/status");
  assert.deepEqual(status.json(), { routes: [{ name: "profiles" }] });
  assert.equal(status.headers["cache-control"], "no-store");
  assert.equal(status.headers["x-content-type-options"], "nosniff");
  assert.deepEqual((await ask(admin, "/api/v1/routes/profiles")).json(), { name: "profiles" });
  assert.deepEqual((await ask(admin, "/api/v1/routes/a%2Fb")).json(), { name: "a/b" });
  const metrics = await ask(admin, "/metrics");
  assert.equal(metrics.headers["content-type"], "text/plain; version=0.0.4");
  assert.equal(metrics.text, "cutover_x 1\n");
  assert.match((await ask(admin, "/api/v1")).text, /POST {1}\/api\/v1\/routes\/NAME\/rollback/);
  const head = await ask(admin, "/api/v1/status", { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
});

test("readiness is 503 while the gateway is not ready, liveness stays 200", async (context) => {
  const admin = await startFor(context, fakeDesk({ ready: () => false }));
  assert.equal((await ask(admin, "/readyz")).status, 503);
  assert.equal((await ask(admin, "/healthz")).status, 200);
});

test("mismatches are listed by cluster, and a sample is shown by its id or its cluster's", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const read = (path: string) => ask(admin, path, { token: TOKEN });
  assert.deepEqual((await read("/api/v1/mismatches")).json(), [CLUSTER]);
  assert.deepEqual((await read("/api/v1/mismatches?route=profiles&limit=5")).json(), [CLUSTER]);
  assert.deepEqual((await read("/api/v1/mismatches/7")).json(), SAMPLE);
  assert.deepEqual((await read(`/api/v1/mismatches/${CLUSTER.id}`)).json(), SAMPLE);
  assert.deepEqual(desk.calls, [
    ["clusters", { route: null, limit: 100 }],
    ["clusters", { route: "profiles", limit: 5 }],
    ["sample", { sample: 7 }],
    ["sample", { cluster: CLUSTER.id }],
  ]);
  for (const id of ["8", "x", "A1B2C3D4E5F6", "000000000000", "-1", "7.0", "%20", "9".repeat(40)])
    assertProblem(await read(`/api/v1/mismatches/${id}`), 404, /no sample is kept under the id ".*GET/);
  assertProblem(await read("/api/v1/mismatches?limit=1001"), 400, /from 1 to 1000/);
});

test("samples are listed by route and cluster", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const read = (path: string) => ask(admin, path, { token: TOKEN });
  assert.deepEqual((await read("/api/v1/samples")).json(), [SAMPLE]);
  await read(`/api/v1/samples?route=profiles&cluster=${CLUSTER.id}`);
  assert.deepEqual(desk.calls, [
    ["samples", { route: null, cluster: null }],
    ["samples", { route: "profiles", cluster: CLUSTER.id }],
  ]);
  assertProblem(await read("/api/v1/samples?cluster=$.name"), 400, /12 hexadecimal digits/);
});

test("stored samples are judged again, and a path to ignore needs its route", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const read = (path: string) => ask(admin, path, { token: TOKEN });
  assert.deepEqual((await read("/api/v1/retro")).json(), RETRO);
  await read("/api/v1/retro?route=profiles&ignore=%24.updatedAt");
  assert.deepEqual(desk.calls, [
    ["retro", { route: null, ignore: null }],
    ["retro", { route: "profiles", ignore: "$.updatedAt" }],
  ]);
  assertProblem(await read("/api/v1/retro?ignore=%24.a"), 400, /\?route=NAME&ignore=PATH/);
  assertProblem(await read("/api/v1/retro?route=r&ignore="), 400, /1 to 500 characters/);
  assertProblem(await read(`/api/v1/retro?route=r&ignore=${"a".repeat(501)}`), 400, /1 to 500 characters/);
});

test("why samples cannot be judged again is the desk's sentence", async (context) => {
  const refuse = async () => ({ ok: false, status: 400, why: "a JSONPath begins with $" }) as const;
  const busy = async () => ({ ok: false, status: 503, why: "one is being made" }) as const;
  const refusing = await startFor(context, fakeDesk({ retro: refuse }));
  assertProblem(await ask(refusing, "/api/v1/retro", { token: TOKEN }), 400, /^a JSONPath begins with \$$/);
  const later = await ask(await startFor(context, fakeDesk({ retro: busy })), "/api/v1/retro", {
    token: TOKEN,
  });
  assertProblem(later, 503, /being made/);
  assert.equal(later.headers["retry-after"], "5");
});

test("the audit trail takes a route and a limit", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  desk.emit("rollback");
  const answer = await ask(admin, "/api/v1/audit?route=profiles&limit=5", { token: TOKEN });
  assert.deepEqual(answer.json(), desk.trail);
  await ask(admin, "/api/v1/audit", { token: TOKEN });
  assert.deepEqual(desk.calls, [
    ["audit", { route: "profiles", limit: 5 }],
    ["audit", { route: null, limit: 100 }],
  ]);
  for (const limit of ["0", "-1", "1001", "x", "1e2"]) {
    assertProblem(await ask(admin, `/api/v1/audit?limit=${limit}`, { token: TOKEN }), 400, /from 1 to 1000/);
  }
});

test("actions reach the desk with their reason", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const answer = await post(admin, "/api/v1/routes/profiles/rollback", { reason: " too slow " });
  assert.deepEqual(answer.json(), { ok: true, message: "done" });
  await post(admin, "/api/v1/routes/profiles/reset", { reason: "fixed" });
  await post(admin, "/api/v1/rollback", { reason: "all" });
  await post(admin, "/api/v1/store/reset", { reason: "broken disk" });
  await post(admin, "/api/v1/reload", {});
  await ask(admin, "/api/v1/reload", { method: "POST", token: TOKEN });
  await post(admin, "/api/v1/drain", { reason: "deploy" });
  assert.deepEqual(desk.calls, [
    ["rollback", "profiles", "too slow"],
    ["reset", "profiles", "fixed"],
    ["rollbackAll", "all"],
    ["resetStore", "broken disk"],
    ["reload", ""],
    ["reload", ""],
    ["drain", "deploy"],
  ]);
});

test("an action without a usable reason is refused and does nothing", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const path = "/api/v1/routes/profiles/rollback";
  assertProblem(await post(admin, path, {}), 400, /"reason"/);
  assertProblem(await post(admin, path, { reason: "  " }), 400, /required/);
  assertProblem(await post(admin, path, { reason: 5 }), 400, /must be a string/);
  assertProblem(await post(admin, path, { reason: "x".repeat(501) }), 400, /at most 500/);
  assertProblem(await post(admin, path, { reason: "a\u001b[2Jb" }), 400, /control characters/);
  assertProblem(await post(admin, path, "{"), 400, /not valid JSON/);
  assertProblem(await post(admin, path, "[]"), 400, /JSON object/);
  assertProblem(await post(admin, path, "null"), 400, /JSON object/);
  assertProblem(await ask(admin, path, { method: "POST", token: TOKEN }), 400, /required/);
  assert.deepEqual(desk.calls, []);
});

test("a refused action is 409 with the desk's sentence", async (context) => {
  const refuse = async () => ({ ok: false, why: "profiles is not latched" }) as const;
  const admin = await startFor(context, fakeDesk({ reset: refuse }));
  const answer = await post(admin, "/api/v1/routes/profiles/reset", { reason: "x" });
  assertProblem(answer, 409, /^profiles is not latched$/);
});

test("promote, pause and resume ask the desk; where it refuses, the answer is 409 with its words", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const act = (action: string, body: unknown) => post(admin, `/api/v1/routes/profiles/${action}`, body);
  for (const [body, wanted] of [
    [{ reason: "go" }, { reason: "go", toPpm: null, fromStep: null }],
    [
      { reason: "go", step: 2 },
      { reason: "go", toPpm: null, fromStep: 2 },
    ],
    [
      { reason: "go", to: "25%" },
      { reason: "go", toPpm: 250_000, fromStep: null },
    ],
    [
      { reason: "go", to: "0.0007%", step: 0 },
      { reason: "go", toPpm: 7, fromStep: 0 },
    ],
    [
      { reason: "go", to: "100%", step: null },
      { reason: "go", toPpm: 1_000_000, fromStep: null },
    ],
  ] as const) {
    assert.equal((await act("promote", body)).status, 200);
    assert.deepEqual(desk.calls.at(-1), ["promote", "profiles", wanted]);
  }
  for (const action of ["pause", "resume"]) {
    assert.equal((await act(action, { reason: "why" })).status, 200);
    assert.deepEqual(desk.calls.at(-1), [action, "profiles", "why"]);
  }
  const why = "gate lag does not say yes";
  const refusing = await startFor(context, fakeDesk({ promote: async () => ({ ok: false, why }) }));
  const answer = await post(refusing, "/api/v1/routes/profiles/promote", { reason: "go" });
  assertProblem(answer, 409, /^gate lag does not say yes$/);
  assert.equal((await post(admin, "/api/v1/routes/none/promote", { reason: "go" })).status, 404);
  assert.equal(
    (await post(admin, "/api/v1/routes/profiles/promote", { reason: "go" }, { token: "no" })).status,
    401,
  );
});

test("a promotion that is not understood is 400, and says what to write", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  for (const [body, detail] of [
    [{}, /say why/],
    [{ reason: "go", to: "25" }, /to must be a share/],
    [{ reason: "go", to: 25 }, /to must be a share/],
    [{ reason: "go", to: "0%" }, /more than 0%/],
    [{ reason: "go", to: "100.0001%" }, /at most 100%/],
    [{ reason: "go", to: "0.00001%" }, /to must be a share/],
    [{ reason: "go", to: "1e1%" }, /to must be a share/],
    [{ reason: "go", step: "1" }, /step must be the number/],
    [{ reason: "go", step: -1 }, /step must be the number/],
    [{ reason: "go", step: 0.5 }, /step must be the number/],
    [{ reason: "go", share: "5%" }, /"share" is not a field/],
  ] as const) {
    assertProblem(await post(admin, "/api/v1/routes/profiles/promote", body), 400, detail);
  }
  assert.deepEqual(desk.calls, []);
});

test("the report is Markdown, behind the token", async (context) => {
  const admin = await startFor(context, fakeDesk());
  const path = "/api/v1/routes/profiles/report";
  assert.equal((await ask(admin, path)).status, 401);
  const answer = await ask(admin, path, { token: TOKEN });
  assert.deepEqual(
    [answer.status, answer.headers["content-type"], answer.text],
    [200, "text/markdown; charset=utf-8", "# profiles\n"],
  );
  assertProblem(
    await ask(admin, "/api/v1/routes/none/report", { token: TOKEN }),
    404,
    /no route is named "none"/,
  );
});

test("broken rules are 422 with every error", async (context) => {
  const errors = ["rules/a.yaml:1:1  oops", "rules/a.yaml:2:1  oops"];
  const reload = async () => ({ ok: false, version: "0123456789ab", changes: [], errors, notes: [] });
  const admin = await startFor(context, fakeDesk({ reload }));
  const answer = await post(admin, "/api/v1/reload", {});
  assertProblem(answer, 422, /2 errors: the last good ones go on serving/);
  const { ok, version, changes, errors: listed } = answer.json() as Record<string, unknown>;
  assert.deepEqual([ok, version, changes, listed], [false, "0123456789ab", [], errors]);
});

test("explain takes headers as an object, with lists, or flat", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const path = "/api/v1/explain";
  await post(admin, path, { url: "/p/1" });
  await post(admin, path, {
    method: "PUT",
    url: "http://api.example.com/p",
    headers: { a: "1", b: ["2", "3"] },
  });
  await post(admin, path, { method: "GET", url: "/p", headers: ["a", "1", "a", "2"] });
  assert.deepEqual(desk.calls, [
    ["explain", { method: "GET", url: "/p/1", headers: [] }],
    ["explain", { method: "PUT", url: "http://api.example.com/p", headers: ["a", "1", "b", "2", "b", "3"] }],
    ["explain", { method: "GET", url: "/p", headers: ["a", "1", "a", "2"] }],
  ]);
  assertProblem(
    await post(admin, path, { url: "/p", hedders: {} }),
    400,
    /^"hedders" is not a field of this body: it has method, url and headers$/,
  );
  assertProblem(await post(admin, path, {}), 400, /^url must be/);
  assertProblem(await post(admin, path, { url: "p/1" }), 400, /^url must be/);
  assertProblem(await post(admin, path, { url: "http://[" }), 400, /^url must be/);
  assertProblem(await post(admin, path, { url: "/a b" }), 400, /^url must be/);
  assertProblem(await post(admin, path, { url: "/", method: "G T" }), 400, /^method must be/);
  for (const headers of [["a"], { a: 1 }, { "a b": "c" }, { a: "x\r\ny" }, "a", [["a", "b"]]]) {
    assertProblem(await post(admin, path, { url: "/", headers }), 400, /^headers must be/);
  }
});

test("an unknown path, route or method is named as such", async (context) => {
  const admin = await startFor(context, fakeDesk());
  for (const path of [
    "/nothing",
    "/api/v1/status/",
    "/api/v1/routes/",
    "/api/v1/routes/a/b/c",
    "/API/V1/STATUS",
  ]) {
    assertProblem(await ask(admin, path), 404, /nothing is here/);
  }
  assertProblem(await ask(admin, "/api/v1/routes/%3Cb%3E"), 404, /no route is named "<b>"/);
  const rollback = await post(admin, "/api/v1/routes/nobody/rollback", { reason: "x" });
  assertProblem(rollback, 404, /no route is named "nobody"/);
  assertProblem(await ask(admin, "/api/v1/routes/%E0%A4"), 400, /percent-encoding/);
  const wrong = await ask(admin, "/api/v1/status", { method: "DELETE" });
  assertProblem(wrong, 405, /GET, HEAD/);
  assert.equal(wrong.headers.allow, "GET, HEAD");
  const read = await ask(admin, "/api/v1/drain");
  assertProblem(read, 405, /POST/);
  assert.equal(read.headers.allow, "POST");
});

test("a body that a web form could send is refused", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]) {
    const answer = await post(admin, "/api/v1/drain", { reason: "x" }, { headers: { "content-type": type } });
    assertProblem(answer, 415, /application\/json/);
  }
  const headers = { "content-type": "Application/JSON; charset=utf-8" };
  assert.equal((await post(admin, "/api/v1/drain", { reason: "x" }, { headers })).status, 200);
  assert.equal(desk.calls.length, 1);
});

test("a body beyond 64 KiB is 413, declared or not", async (context) => {
  const desk = fakeDesk();
  const admin = await startFor(context, desk);
  const body = JSON.stringify({ reason: "x".repeat(70_000) });
  assertProblem(await post(admin, "/api/v1/drain", body), 413, /64 KiB/);
  const chunked = { headers: { "content-type": "application/json", "transfer-encoding": "chunked" } };
  assertProblem(await post(admin, "/api/v1/drain", body, chunked), 413, /64 KiB/);
  const head =
    "POST /api/v1/drain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
    `Authorization: Bearer ${TOKEN}\r\nContent-Length: 99999999\r\n\r\n`;
  assert.match(await raw(admin, `${head}{`), /^HTTP\/1\.1 413 /); // and the connection closes
  assert.deepEqual(desk.calls, []);
});

test("a failure inside the gateway is a bare 500, told to the log alone", async (context) => {
  const errors: unknown[] = [];
  const failure = new Error("secret detail");
  const desk = fakeDesk({
    status: () => {
      throw failure;
    },
    metrics: () => Promise.reject(failure),
  });
  const admin = await startFor(context, desk, { onError: (error) => errors.push(error) });
  for (const path of ["/api/v1/status", "/metrics"]) {
    const answer = await ask(admin, path);
    assertProblem(answer, 500, /its log says why/);
    assert.doesNotMatch(answer.text, /secret|\.ts/);
  }
  assert.deepEqual(errors, [failure, failure]);
});

test("a desk that does not come back is 504, and its later failure is still heard", async (context) => {
  const errors: unknown[] = [];
  const slow = Promise.withResolvers<never>();
  const desk = fakeDesk({ rollback: () => slow.promise });
  const admin = await startFor(context, desk, {
    answerTimeoutMs: 30,
    onError: (error) => errors.push(error),
  });
  const answer = await post(admin, "/api/v1/routes/profiles/rollback", { reason: "x" });
  assertProblem(answer, 504, /not finished within 30 ms/);
  const failure = new Error("disk gone");
  slow.reject(failure);
  await slow.promise.catch(() => undefined);
  assert.deepEqual(errors, [failure]);
});

test("close cuts off what does not end by itself, and the address is told at the start", async () => {
  let asked = false;
  const metrics = (): Promise<never> => {
    asked = true;
    return new Promise<never>(() => {});
  };
  const told: unknown[] = [];
  const admin = await startAdmin({
    host: "127.0.0.1",
    port: 0,
    desk: fakeDesk({ metrics }),
    token: TOKEN,
    onListening: (address) => told.push(address),
  });
  assert.deepEqual(told, [{ url: `http://127.0.0.1:${admin.port}`, port: admin.port }]);
  const socket = connect(admin.port, "127.0.0.1");
  socket.on("error", () => undefined).resume();
  socket.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await until(() => asked, "the request is being answered");
  await admin.close();
  await until(() => socket.closed, "the connection is closed");
  await admin.close();
});
