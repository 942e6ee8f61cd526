import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { textWidth } from "../../src/cli/width.ts";
import { unitOf } from "../../src/model/bucket.ts";
import type { PinReport } from "../../src/model/reports.ts";
import { routeStatus } from "../support/reports.ts";
import { assertHarmless, type FakeAdmin, fakeAdmin, ok, problem, run } from "./fixtures.ts";

const PIN: PinReport = {
  route: "profiles",
  key: "acme",
  side: "old",
  at: "2026-05-01T10:00:00.000Z",
  by: "operator",
  reason: "their export is open until June",
  expiresAt: "2026-06-01T00:00:00.000Z",
};

let admin: FakeAdmin;
let pins: readonly PinReport[] = [];
let asked = "";

before(async () => {
  admin = await fakeAdmin(({ method, path }) => {
    if (path.startsWith("/api/v1/pins")) {
      asked = path;
      return ok(pins);
    }
    if (path === "/api/v1/routes/profiles") return ok(routeStatus("profiles"));
    if (method === "GET") return problem(404, "no route is named that");
    if (path === "/api/v1/routes/full/pins") return problem(409, "full has 10000 pins already");
    return ok({ ok: true, message: `done ${path}` });
  });
});
after(() => admin.close());

const here = (): string[] => ["--admin", admin.url, "--admin-token", "secret"];

test("pin and unpin post key, side, reason and time to the route's place", async () => {
  const cases: readonly (readonly [readonly string[], string, object])[] = [
    [
      ["pin", "pro/files", "acme", "old", "--reason", "why"],
      "/api/v1/routes/pro%2Ffiles/pins",
      { key: "acme", side: "old", reason: "why" },
    ],
    [
      ["pin", "profiles", "a b", "new", "--reason", "why", "--for", "2h"],
      "/api/v1/routes/profiles/pins",
      { key: "a b", side: "new", reason: "why", for: "2h" },
    ],
    [
      ["unpin", "profiles", "acme", "--reason", "over"],
      "/api/v1/routes/profiles/unpin",
      { key: "acme", reason: "over" },
    ],
    [
      ["unpin", ...["--reason", "over"], "--", "profiles", "-acme"],
      "/api/v1/routes/profiles/unpin",
      { key: "-acme", reason: "over" },
    ],
  ];
  for (const [[command = "", ...args], path, body] of cases) {
    const { code, out } = await run([command, ...here(), ...args]);
    assert.deepEqual([code, out], [0, `done ${path}\n`]);
    assert.deepEqual(admin.heard.at(-1)?.body, body);
  }
  const refused = await run(["pin", ...here(), "full", "acme", "old", "--reason", "why"]);
  assert.deepEqual([refused.code, refused.err], [1, "cutover: full has 10000 pins already\n"]);
});

test("what is missing or makes no sense is said before anything is sent", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["pin", "profiles", "acme", "--reason", "x"], /name the side: write `cutover pin profiles KEY old/],
    [["pin", "profiles", "acme", "modern", "--reason", "x"], /"modern" is no side/],
    [["pin", "profiles", "acme", "old"], /say why: add --reason TEXT/],
    [["pin", "profiles", "acme", "old", "--reason", " "], /must not be empty/],
    [["pin", "profiles", "--reason", "x"], /name the key and the side/],
    [["pin", "profiles", "acme", "old", "--reason", "x", "--for", "2"], /such as "30m", "2h" or "7d"/],
    [["unpin", "profiles", "acme"], /--reason/],
    [["unpin", "profiles", "--reason", "x"], /missing required argument 'key'/],
  ];
  const before = admin.heard.length;
  for (const [[command = "", ...args], text] of cases) {
    const { code, err } = await run([command, ...here(), ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, text);
  }
  assert.equal(admin.heard.length, before);
});

test("without a key the pins are listed, with the fingerprint of the audit trail and why", async () => {
  pins = [PIN, { ...PIN, key: "whale", side: "new", expiresAt: null, reason: "first" }];
  const { code, out } = await run(["pin", ...here(), "profiles"]);
  assert.equal(code, 0);
  assert.equal(asked, "/api/v1/pins?route=profiles");
  const [head = "", first = "", why = "", second = "", ...rest] = out.split("\n");
  assert.match(head, /^key +side +since +until \(UTC\) +fingerprint$/);
  assert.match(first, new RegExp(`^acme +old .*2026-06-01 00:00:00 +${unitOf("profiles", "acme")}$`));
  assert.equal(why, "    their export is open until June");
  assert.match(second, /^whale +new .*unpin /);
  assert.deepEqual(rest, ["    first", ""]);
  const all = await run(["pin", ...here()]);
  assert.equal(asked, "/api/v1/pins");
  assert.match(all.out, /^route +key[^\n]*\nprofiles +acme/);
  const asJson = await run(["pin", ...here(), "-o", "json"]);
  assert.deepEqual(JSON.parse(asJson.out), pins);
});

test("an empty list is a sentence, and a misspelt route no empty list", async () => {
  pins = [];
  assert.equal((await run(["pin", ...here(), "profiles"])).out, "no key of profiles is pinned\n");
  assert.equal((await run(["pin", ...here()])).out, "no key is pinned\n");
  assert.equal((await run(["pin", ...here(), "-o", "json"])).out, "[]\n");
  const misspelt = await run(["pin", ...here(), "profilez"]);
  assert.deepEqual([misspelt.code, misspelt.out], [1, ""]);
});

test("hostile keys and reasons act on no terminal, and lines fit the terminal", async () => {
  const esc = String.fromCharCode(0x1b);
  pins = [
    { ...PIN, key: `${esc}[2J${"k".repeat(300)}\n\u202e`, reason: `${esc}]0;x ${"long words ".repeat(30)}` },
    { ...PIN, key: "漢字".repeat(60), route: "r".repeat(60) },
  ];
  for (const columns of [60, 80, 120]) {
    const { out } = await run(["pin", ...here()], { NO_COLOR: "1" }, columns);
    assertHarmless(out);
    for (const line of out.split("\n")) assert.ok(textWidth(line) <= columns, line);
  }
  assertHarmless((await run(["pin", ...here(), "-o", "json"])).out);
});

test("what answers with something else is no gateway", async () => {
  pins = [{ route: "x" } as PinReport];
  const { code, err } = await run(["pin", ...here(), "profiles"]);
  assert.equal(code, 3);
  assert.match(err, /is not a cutover admin port/);
});
