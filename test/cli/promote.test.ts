import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { runCommandLine } from "../../src/cli/program.ts";
import type { RouteStatus } from "../../src/model/reports.ts";
import { advance } from "../../src/model/rollout.ts";
import { beginRollout, type RolloutState } from "../../src/model/rollout-state.ts";
import { rolledBack, routeStatus } from "../support/reports.ts";
import { assertHarmless, fakeAdmin, type Heard, ok, problem, type Ran, run } from "./fixtures.ts";

const HOSTILE = "\u001b]0;owned\u0007\u009b2J\u202e";

const inRollout = (changes: Partial<RouteStatus> = {}) =>
  routeStatus("profiles", {
    state: "baking",
    step: 1,
    steps: 5,
    bake: { doneSeconds: 300, ofSeconds: 600 },
    waitingFor: "gate backfill-done (lagSeconds is 31, needs below 5)",
    gates: [{ name: "backfill-done", answer: "no", why: "lagSeconds is 31, needs below 5" }],
    ...changes,
  });

interface Asked extends Ran {
  /** The POSTs. */
  readonly posts: readonly Heard[];
}

interface Play {
  readonly route?: RouteStatus;
  readonly message?: string;
  readonly refusal?: string;
  /** What is typed at the terminal; absent: there is none. */
  readonly typed?: string;
}

/** `cutover promote profiles --reason because …` against a gateway with this route. */
async function promote(words: readonly string[], play: Play = {}): Promise<Asked> {
  const route = play.route ?? inRollout();
  let reads = 0;
  const admin = await fakeAdmin(({ method }) => {
    if (method === "POST") {
      return play.refusal === undefined
        ? ok({ ok: true, message: play.message ?? "step 1 (canary 1%) → step 2 (canary 5%)" })
        : problem(409, play.refusal);
    }
    reads += 1;
    return ok({ ...route, requests: { old: 9_500 + 100 * reads, new: 500 + 20 * reads } });
  });
  const args = ["promote", "profiles", "--reason", "because", ...words];
  args.push("--admin", admin.url, "--admin-token", "t");
  try {
    const ran = play.typed === undefined ? await run(args) : await runAtTerminal(args, play.typed);
    return { ...ran, posts: admin.heard.filter(({ method }) => method === "POST") };
  } finally {
    await admin.close();
  }
}

async function runAtTerminal(args: readonly string[], typed: string): Promise<Ran> {
  let [out, err] = ["", ""];
  const input = Object.assign(new PassThrough(), { isTTY: true });
  input.end(typed);
  const code = await runCommandLine(
    args,
    {
      out: { write: (text: string) => (out += text) },
      err: { write: (text: string) => (err += text), isTTY: true },
      in: input,
    },
    {},
  );
  return { code, out, err };
}

test("promote sends the step that it saw, so that two at the same moment are not two steps", async () => {
  const { code, out, posts } = await promote([]);
  assert.deepEqual([code, out], [0, "step 1 (canary 1%) → step 2 (canary 5%)\n"]);
  assert.equal(posts.length, 1);
  assert.equal(posts[0]?.path, "/api/v1/routes/profiles/promote");
  assert.deepEqual(posts[0]?.body, { reason: "because", step: 1 });
});

test("a script may say from which step", async () => {
  const { posts } = await promote(["--step", "0"]);
  assert.deepEqual(posts[0]?.body, { reason: "because", step: 0 });
});

test("a refusal is exit 1 with the gateway's own reason", async () => {
  const { code, out, err } = await promote([], { refusal: `gate x does not say yes (${HOSTILE})` });
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /^cutover: gate x does not say yes/);
  assertHarmless(err);
});

test("--to a share says which gates and steps it went past", async () => {
  const message = "step 1 (canary 1%, shadow 100%) → step 3 (canary 25%, shadow 100%)";
  const { code, out, err, posts } = await promote(["--to", "25.0%"], { message });
  assert.deepEqual([code, out], [0, `${message}\n`]);
  assert.deepEqual(posts[0]?.body, { reason: "because", to: "25%", step: 1 });
  assert.match(err, /went past gate backfill-done, which says no \(lagSeconds is 31, needs below 5\)\n/);
  assert.match(err, /step 2 was passed over\n$/);
});

test("what the gateway refuses goes past nothing", async () => {
  const refusal = "profiles: new serves 5%: promote only raises a share";
  const { code, out, err } = await promote(["--to", "3%"], { refusal });
  assert.deepEqual([code, out, err], [1, "", `cutover: ${refusal}\n`]);
});

test("the steps that were passed over are read from what the state machine itself says", async () => {
  const step = { bakeMs: 1, minSamples: 0, gates: [], approve: false, shadowPpm: 0 };
  const steps = [10_000, 50_000, 250_000, 500_000].map((canaryPpm) => ({ ...step, canaryPpm }));
  const promoted = (state: RolloutState, toPpm: number) => {
    const known = { judgement: { verdict: "hold", why: "" }, gates: [] } as const;
    const result = advance(state, { kind: "promote", reason: "x", toPpm, fromStep: null, known });
    assert.equal(result.kind, "done");
    return result.kind === "done" ? result.message : "";
  };
  const running = beginRollout({ start: "running", steps, gates: {} });
  const paused = beginRollout({ start: "paused", steps, gates: {} });
  const said = async (message: string) =>
    (await promote(["--to", "50%"], { message, route: inRollout({ gates: [] }) })).err;
  assert.equal(await said(promoted(running, 500_000)), "cutover: steps 1 to 2 were passed over\n");
  assert.equal(await said(promoted(running, 50_000)), "");
  assert.equal(await said(promoted(paused, 50_000)), "cutover: step 0 was passed over\n");
});

test("the big bang asks for the route's name, and says what it does to how many requests", async () => {
  const begunMs = performance.now();
  const { code, err, posts } = await promote(["--to", "100%"], { typed: "profiles\n" });
  const tookSeconds = (performance.now() - begunMs) / 1000;
  assert.equal(code, 0);
  const rate = /about ([\d,]+) requests a second, will go to new at once \(5% at present\)/.exec(err)?.[1];
  // 120 requests between two looks that are a little more than a second apart, and less than all of it took.
  assert.ok(Number(rate) >= Math.floor(120 / tookSeconds) && Number(rate) <= 120, err);
  assert.match(err, /passed over: steps 2 to 3; gate backfill-done, which says no/);
  assert.match(err, /type the route's name to go on: $/);
  assert.deepEqual(posts[0]?.body, { reason: "because", to: "100%", step: 1 });
});

test("before its beginning, the big bang passes over the first step too", async () => {
  const state: Partial<RouteStatus> = { state: "paused", step: 0, canary: 0, gates: [] };
  const said = async (changes: Partial<RouteStatus>) =>
    (await promote(["--to", "100%", "--yes"], { route: inRollout({ ...state, ...changes }) })).err;
  const waiting = { waitingFor: "resume: not begun: resume begins it" };
  assert.match(await said(waiting), /passed over: steps 0 to 3\n/);
  assert.match(await said({ ...waiting, steps: 2 }), /passed over: step 0\n/);
  assert.doesNotMatch(await said({ ...waiting, steps: 1 }), /passed over/);
  const begun = {
    waitingFor: "resume (paused: lunch); shadow 100% for 2 min: no traffic; then needs approval",
  };
  assert.match(await said(begun), /passed over: steps 1 to 3\n/);
});

test("whoever types something else, or nothing, has changed nothing", async () => {
  const answers = ["yes\n", "\n", "", "Profiles\n", "profiles x\n"];
  const asked = await Promise.all(answers.map((typed) => promote(["--to", "100%"], { typed })));
  for (const { code, err, posts } of asked) {
    assert.equal(code, 1);
    assert.match(err, /not confirmed: nothing was changed, new serves 5%\n$/);
    assert.deepEqual(posts, []);
  }
});

test("without a terminal the big bang needs --yes, and asks the gateway nothing before", async () => {
  const refused = await promote(["--to", "100%"]);
  assert.deepEqual([refused.code, refused.out, refused.posts.length], [2, "", 0]);
  assert.match(refused.err, /sends everything of profiles to new at once.*add --yes/);
  const done = await promote(["--to", "100%", "--yes"]);
  assert.equal(done.code, 0);
  assert.match(done.err, /100% of profiles will go to new at once \(5% at present\)\n/);
  assert.equal(done.posts.length, 1);
});

test("what acts already is said, and nobody is asked for a confirmation", async () => {
  const { code, out, posts } = await promote(["--to", "100%", "--yes"], { route: inRollout({ canary: 1 }) });
  assert.deepEqual([code, out, posts.length], [0, "new serves 100% of profiles already\n", 0]);
  const asJson = await promote(["--to", "5%", "-o", "json"]);
  assert.deepEqual(JSON.parse(asJson.out), { ok: true, message: "new serves 5% of profiles already" });
});

test("a route without a rollout, or one that is rolled back, is refused before anybody types its name", async () => {
  const none = await promote(["--to", "100%"], { route: routeStatus("profiles"), typed: "profiles\n" });
  assert.deepEqual([none.code, none.posts.length], [1, 0]);
  assert.match(none.err, /profiles has no rollout: its shares are set in the rules\. Write `rollout:/);
  const latched = { ...rolledBack("profiles"), step: 1, steps: 5 };
  const back = await promote(["--to", "100%"], { route: latched, typed: "profiles\n" });
  assert.deepEqual([back.code, back.posts.length], [1, 0]);
  assert.match(back.err, /cutover reset profiles --reason/);
});

test("with -o json stdout is the gateway's answer alone", async () => {
  const { out, err } = await promote(["--to", "25%", "-o", "json"], {
    message: "step 1 (canary 1%) → step 3 (canary 25%)",
  });
  assert.equal((JSON.parse(out) as { ok: boolean }).ok, true);
  assert.match(err, /step 2 was passed over/);
});

test("nothing that a gate says acts on the terminal", async () => {
  const gates = [{ name: HOSTILE, answer: "error" as const, why: `${HOSTILE}\n` }];
  const { err } = await promote(["--to", "25%"], { route: inRollout({ gates }), message: HOSTILE });
  assertHarmless(err);
});
