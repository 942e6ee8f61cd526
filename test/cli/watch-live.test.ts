import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { HistoryReport } from "../../src/model/history-report.ts";
import { json, startBackend } from "../support/backend.ts";
import { COMMAND, TestGateway, TOKEN } from "../support/gateway.ts";
import { hasPty, onPty, type Pty } from "../support/pty.ts";
import { rolledBack, routeStatus, statusReport } from "../support/reports.ts";
import { until } from "../support/until.ts";
import { fakeAdmin, ok, problem } from "./fixtures.ts";

const skip = hasPty() ? false : "no `script` of util-linux on this machine: apt-get install bsdutils";
const SIZE = { columns: 100, rows: 24 };
const CTRL_C = "\u0003";

function watching(
  t: TestContext,
  words: readonly string[],
  env: Readonly<Record<string, string | null>> = {},
  size = SIZE,
): Pty {
  const all = [process.execPath, COMMAND, "status", "-w", ...words];
  const pty = onPty(all, size, { CUTOVER_ADMIN_TOKEN: TOKEN, LC_ALL: "C.UTF-8", NO_COLOR: null, ...env });
  t.after(() => pty.kill());
  return pty;
}

/** A colour or a weight, in an escape sequence of its own. */
function hasColour(pty: Pty): boolean {
  return pty
    .raw()
    .split("\u001b")
    .some((part) => /^\[\d+m/.test(part));
}

/** All of them at once: a terminal hands a picture on in parts, so that what is there says nothing of what follows it. */
function shows(pty: Pty, ...patterns: readonly RegExp[]): Promise<boolean> {
  const areShown = () => patterns.every((pattern) => pattern.test(pty.screen.text()));
  return until(`${patterns.join(" and ")} are shown`, areShown).catch((error: Error) => {
    throw new Error(`${error.message}; shown is\n${pty.screen.text()}`);
  });
}

function historyOf(route: string, nowMs: number): HistoryReport {
  const points = Array.from({ length: 60 }, (_, index) => ({
    at: new Date(nowMs - (60 - index) * 5_000).toISOString(),
    seconds: 5,
    requests: { old: 500, new: index * 2 },
    errors: { old: 0, new: index > 50 ? 10 : 0 },
    p50Ms: { old: 3, new: 3 },
    p99Ms: { old: 9, new: 12 },
    comparisons: { match: 99, mismatch: 1, noise: 0, transient: 0, uncompared: 0 },
    canary: 0.05,
    shadow: 1,
    evidence: { errors: 0.2 },
    latched: false,
  }));
  return { route, points, limits: { mismatches: 0.05, errors: 0.05 }, markers: [] };
}

/** A gateway with a past. */
async function canned(t: TestContext) {
  const routes = [routeStatus("profiles"), rolledBack("orders")];
  const admin = await fakeAdmin(({ path }) => {
    const { pathname, searchParams } = new URL(path, "http://x");
    if (pathname === "/api/v1/status") return ok(statusReport(routes));
    if (pathname === "/api/v1/history") return ok(historyOf(searchParams.get("route") ?? "", Date.now()));
    const route = routes.find(({ name }) => pathname === `/api/v1/routes/${name}`);
    return route === undefined ? problem(404, "no such route") : ok(route);
  });
  t.after(() => admin.close());
  return admin;
}

describe("status -w on a terminal", { skip, concurrency: 4 }, () => {
  test("a real gateway is watched through its end and its return, and Ctrl-C leaves the last picture", async (t) => {
    await using old = await startBackend(json({ from: "old" }));
    await using fresh = await startBackend(json({ from: "new" }));
    const rules = `version: 1
backends: { legacy: { url: "${old.url}" }, modern: { url: "${fresh.url}" } }
defaults: { old: legacy, new: modern }
routes:
  - { name: profiles, match: { path: /** }, canary: 50% }
`;
    const first = await TestGateway.start({ rules });
    const { folder, adminUrl } = first;
    t.after(() => first[Symbol.asyncDispose]());
    const pty = watching(t, ["--admin", adminUrl]);
    await shows(pty, /^rules [0-9a-f]{12} · 1 route · 2 threads/m, /^profiles +serving/m);
    for (let sent = 0; sent < 40; sent++) await (await fetch(`${first.proxyUrl}/a`)).arrayBuffer();
    await shows(pty, /^profiles +serving +50% +0% +█/m);
    await first.kill();
    // What was seen last stays.
    await shows(pty, /^NO ANSWER for \d+ s, .*no gateway answers at/m, /^profiles +serving/m);
    const flags = ["--admin", adminUrl.replace("http://", "")];
    await using second = await TestGateway.start({ rules, folder, flags });
    await until("the gateway is back, and drawn in place", () => {
      const lines = pty.screen.lines();
      const isBack = !lines.some((line) => line.includes("NO ANSWER"));
      return isBack && lines.filter((line) => line.startsWith("rules ")).length === 1;
    });
    assert.equal((await second.status()).routes.length, 1);
    assert.ok(pty.screen.wasCursorHidden);
    pty.type(CTRL_C);
    assert.equal(await pty.ended(), 0);
    assert.ok(pty.screen.isCursorVisible);
    assert.match(pty.screen.text(), /^profiles +serving/m);
    assert.deepEqual(pty.screen.unknown, []);
  });

  test("the charts begin with what the gateway has recorded, and a new size is taken up at once", async (t) => {
    const admin = await canned(t);
    const pty = watching(t, ["--admin", admin.url]);
    await shows(pty, /^profiles +serving +5% +100% +[▂-█]{6,}/m, /^orders +ROLLED BACK/m);
    assert.ok(hasColour(pty));
    pty.resize(60, 10);
    // Nothing is left of the wider picture, which the terminal has wrapped.
    await until("it is drawn in less room", () => {
      const lines = pty.screen.lines();
      return lines.length < 10 && lines.filter((line) => line.startsWith("rules ")).length === 1;
    });
    await shows(pty, /^orders +ROLLED BACK/m);
    pty.type(CTRL_C);
    assert.equal(await pty.ended(), 0);
  });

  test("one route is watched with both sides' charts, and their least and most", async (t) => {
    const admin = await canned(t);
    const pty = watching(t, ["profiles", "--admin", admin.url], { NO_COLOR: "1" }, { columns: 90, rows: 40 });
    const requests = /requests\/s old █+.* {2}[\d.]+ \(0?.*–100\)/;
    const errors = /new ▁+.█+.* \(0–2\)$/m;
    const p99 = /p99 ms {5}old .* 9 \(9–9\)$/m;
    await shows(pty, requests, errors, p99, /limit 5%: never over it/);
    assert.ok(!hasColour(pty), "NO_COLOR");
    pty.type(CTRL_C);
    assert.equal(await pty.ended(), 0);
    assert.ok(pty.screen.isCursorVisible);
  });

  test("without UTF-8 the charts are ASCII, and so is everything else", async (t) => {
    const admin = await canned(t);
    const pty = watching(t, ["--admin", admin.url], { LC_ALL: null, LC_CTYPE: null, LANG: "C" });
    await shows(pty, /^profiles +serving +5% +100% +[.:=+*#-]{6,}/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
    assert.match(pty.raw(), /^[\x00-\x7f]*$/);
    pty.type(CTRL_C);
    assert.equal(await pty.ended(), 0);
  });

  test("a terminal that cannot move its cursor gets block after block, without control characters", async (t) => {
    const admin = await canned(t);
    const pty = watching(t, ["--admin", admin.url], { TERM: "dumb" });
    await until("two blocks", () => pty.raw().split("rules 0123456789ab").length > 2);
    assert.ok(!pty.raw().includes("\u001b"));
    pty.type(CTRL_C);
    assert.equal(await pty.ended(), 0);
  });

  test("without the token the table is shown, the charts begin now, and it is said why", async (t) => {
    const admin = await fakeAdmin(({ path }) =>
      path === "/api/v1/status"
        ? ok(statusReport([routeStatus("profiles")]))
        : problem(401, "the admin token is missing"),
    );
    t.after(() => admin.close());
    const pty = watching(t, ["--admin", admin.url]);
    const why = /^the charts begin with this watch: the gateway at .* asks for its admin token/m;
    await shows(pty, why, /^profiles +serving/m);
    pty.type(CTRL_C);
    assert.equal(await pty.ended(), 0);
  });

  test("a gateway that was never there is an error with exit 3, and the cursor stays", async (t) => {
    const pty = watching(t, ["--admin", "http://127.0.0.1:1"]);
    assert.equal(await pty.ended(), 3);
    assert.match(pty.screen.text(), /no gateway answers at http:\/\/127\.0\.0\.1:1/);
    assert.ok(pty.screen.isCursorVisible);
  });

  test("an answer that does not come is said, and Ctrl-C does not wait for it", async (t) => {
    const admin = await fakeAdmin(() => ok(statusReport([routeStatus("profiles")])));
    t.after(() => admin.close());
    const pty = watching(t, ["--admin", admin.url]);
    await shows(pty, /^profiles +serving/m);
    admin.hold();
    await shows(pty, /^NO ANSWER for \d+ s, .*its answer takes long/m);
    const typedMs = performance.now();
    pty.type(CTRL_C);
    assert.equal(await pty.ended(), 0);
    assert.ok(performance.now() - typedMs < 10_000);
  });
});
