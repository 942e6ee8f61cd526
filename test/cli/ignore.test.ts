import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { replaceFile } from "../../src/cli/replace-file.ts";
import { assertHarmless, cluster, type FakeAdmin, fakeAdmin, ok, problem, retro, run } from "./fixtures.ts";

const execute = promisify(execFile);
const COMMAND = join(import.meta.dirname, "../../bin/cutover.js");

const RULES = `version: 1
backends:
  legacy: { url: "http://127.0.0.1:9001" }   # the old one
  modern: { url: http://127.0.0.1:9002 }
routes:
  - name: profiles
    match: { path: /profiles/** }
    old: legacy
    new: modern
    shadow: 100%
    compare:
      # agreed on with the clients' owners
      ignore:
        - "$.updatedAt"   # a clock
`;

const THEN = retro({
  ignoring: "$.user.name",
  stillMismatch: 4,
  nowMatch: 40,
  clusters: [
    { id: "0a1b2c3d4e5f", route: "profiles", place: "$.user.name", kind: "value", before: 40, after: 0 },
    { id: "ffffffffffff", route: "profiles", place: "$.total", kind: "type", before: 6, after: 4 },
    { id: "aaaaaaaaaaaa", route: "profiles", place: "$.etag", kind: "value", before: 2, after: 0 },
  ],
});

let admin: FakeAdmin;
let folder: string;
let file: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "cutover-ignore-"));
  file = join(folder, "rules.yaml");
  admin = await fakeAdmin(({ path }) => {
    if (path.startsWith("/api/v1/mismatches?")) {
      const renamed = { name: 'renamed to "name"', share: 1 };
      return ok([
        cluster(),
        cluster({ id: "bbbbbbbbbbbb", place: "$.tags", kind: "order" }),
        cluster({
          id: "eeeeeeeeeeee",
          place: "status",
          kind: "status",
          example: { old: "200", new: "500" },
        }),
        cluster({
          id: "eeeeeeeeee04",
          place: "status",
          kind: "status",
          example: { old: "200", new: "204" },
        }),
        cluster({ id: "dddddddddddd", place: "$.users[*].fullName", kind: "missing", relation: renamed }),
      ]);
    }
    if (path.startsWith("/api/v1/retro?route=profiles&ignore=")) return ok(THEN);
    if (path === "/api/v1/retro?route=profiles") return ok(retro());
    return problem(404, "no route is named so");
  });
});
beforeEach(() => writeFile(file, RULES));
after(async () => {
  await admin.close();
  await rm(folder, { recursive: true, force: true });
});

/** Without the line that says that the file is outside of the folder of this process. */
const withoutPlace = (err: string) => err.replace(/^git apply and patch -p0 take .*\n/m, "");

const ignore = async (path: string, words: readonly string[] = [], columns: number | null = null) => {
  const ran = await run(
    ["ignore", "profiles", path, "--rules", file, "--admin", admin.url, ...words],
    {},
    columns,
  );
  return { ...ran, err: withoutPlace(ran.err) };
};

test("statuses are refused with their own numbers, and a failure of new is nothing to hide", async () => {
  const equal = await ignore("eeeeeeeeee04");
  assert.deepEqual([equal.code, equal.out], [1, ""]);
  assert.match(equal.err, /write compare: \{ status: \{ equal: \[\{ old: 200, new: 204 \}\] \} \}\n$/);
  const failure = await ignore("eeeeeeeeeeee");
  assert.deepEqual([failure.code, failure.out], [1, ""]);
  assert.match(failure.err, /^cutover: new answers 500 where old answers 200: that is a failure of new/);
  assert.doesNotMatch(failure.err, /equal|false/);
});

test("the patch alone is on stdout, the words are on stderr, and the file is as it was", async () => {
  const { code, out, err } = await ignore("$.user.name");
  assert.equal(code, 0);
  assert.match(out, /^--- .*rules\.yaml\n\+\+\+ .*rules\.yaml\n@@ /);
  assert.deepEqual(
    out.split("\n").filter((line) => /^[+-] /.test(line)),
    ['+        - "$.user.name"'],
  );
  assert.equal(
    err,
    "hides 37 of 41 stored mismatches of profiles; 4 still differ in: $.total (type, 4 pairs)\n" +
      "what else it would hide: $.total (type, 2 pairs)\n" +
      "1 stored pair cannot be told: stored cut, not as text, or could not be redacted\n",
  );
  assert.equal(await readFile(file, "utf8"), RULES);
});

test("git takes the patch as it is printed, and only the new line is new", async () => {
  const words = ["ignore", "profiles", "$.user.name", "--rules", "rules.yaml", "--admin", admin.url];
  const { stdout } = await execute(process.execPath, [COMMAND, ...words], { cwd: folder });
  await writeFile(join(folder, "change.patch"), stdout);
  await execute("git", ["apply", "change.patch"], { cwd: folder });
  assert.equal(await readFile(file, "utf8"), `${RULES}        - "$.user.name"\n`);
  await execute("git", ["apply", "--reverse", "change.patch"], { cwd: folder });
  await rm(join(folder, "change.patch"));
});

test("a file outside of the folder it is asked in is said to need another way", async (t) => {
  const elsewhere = await mkdtemp(join(folder, "elsewhere-"));
  t.after(() => rm(elsewhere, { recursive: true }));
  const asked = ["ignore", "profiles", "$.user.name", "--rules", "../rules.yaml", "--admin", admin.url];
  const { stdout, stderr } = await execute(process.execPath, [COMMAND, ...asked], { cwd: elsewhere });
  assert.match(stdout, /^--- \.\.\/rules\.yaml\n/);
  assert.match(
    stderr,
    /no file outside of this folder: add --write, or pipe it into patch \.\.\/rules\.yaml\n$/,
  );
  const here = await execute(process.execPath, [COMMAND, ...asked.with(4, "rules.yaml")], { cwd: folder });
  assert.doesNotMatch(here.stderr, /outside of this folder/);
});

test("--write changes the file, keeps its permissions, and leaves nothing beside it", async () => {
  await chmod(file, 0o640);
  const { code, out, err } = await ignore("$.user.name", ["--write"]);
  assert.equal(code, 0);
  assert.match(out, /^--- /);
  assert.match(err, /rules\.yaml is written: a gateway that serves it takes it up within 2 s\n$/);
  assert.equal(await readFile(file, "utf8"), `${RULES}        - "$.user.name"\n`);
  assert.equal((await stat(file)).mode & 0o777, 0o640);
  assert.deepEqual(await readdir(folder), ["rules.yaml"]);
});

test("what is ignored already needs no patch: exit 0, and where it is", async () => {
  const { code, out, err } = await ignore("$.updatedAt", ["--write"]);
  assert.deepEqual([code, out], [0, ""]);
  assert.match(err, /rules\.yaml:\d+ {2}\$\.updatedAt is ignored already/);
  assert.equal(await readFile(file, "utf8"), RULES);
});

test("a header that is not compared is nothing to ignore, and those that are compared are named", async () => {
  const { code, out, err } = await ignore("header:ETg", ["--write"]);
  assert.deepEqual([code, out], [0, ""]);
  assert.match(
    err,
    /rules\.yaml:\d+ {2}header:etg is not compared: nothing to ignore \(compare\.headers of profiles is content-type/,
  );
  assert.equal(await readFile(file, "utf8"), RULES);
});

test("a cluster's id stands for its place; of mere order or another name it says what is better", async () => {
  const named = await ignore("0a1b2c3d4e5f");
  assert.match(named.out, /^\+ +- "\$\.user\.name"$/m);
  const order = await ignore("bbbbbbbbbbbb");
  assert.match(
    order.err,
    /only the order differs at \$\.tags: `unordered: \["\$\.tags"\]` goes on comparing/,
  );
  const renamed = await ignore("dddddddddddd");
  assert.match(renamed.err, /`rename: \{ "\$\.users\[\*\]\.fullName": "\$\.users\[\*\]\.name" \}` goes on/);
  const stored = await ignore("aaaaaaaaaaaa");
  assert.match(stored.out, /^\+ +- "\$\.etag"$/m, "only a stored pair knows it");
  const unknown = await ignore("cccccccccccc");
  assert.deepEqual([unknown.code, unknown.out], [1, ""]);
  assert.match(unknown.err, /profiles has no cluster cccccccccccc: `cutover mismatches profiles` lists them/);
});

test("without a gateway the patch is printed all the same; a cluster's id is then exit 3", async () => {
  const away = await ignore("$.user.name", ["--admin", "127.0.0.1:1"]);
  assert.equal(away.code, 0);
  assert.match(away.out, /^\+ +- "\$\.user\.name"$/m);
  assert.match(away.err, /^what it would hide is not known: no gateway answers at http:\/\/127\.0\.0\.1:1/);
  assert.equal((await ignore("0a1b2c3d4e5f", ["--admin", "127.0.0.1:1"])).code, 3);
});

test("a gateway that refuses is a note as well", async () => {
  const shy = await fakeAdmin(() => problem(400, "the path is none"));
  const { code, out, err } = await ignore("$.user.name", ["--admin", shy.url]);
  assert.equal(code, 0);
  assert.match(out, /^--- /);
  assert.equal(err, "what it would hide is not known: the path is none\n");
  await shy.close();
});

test("a difference that is hidden while its pair still differs elsewhere is told apart", async () => {
  const [name] = retro().clusters;
  const rest = {
    id: "ffffffffffff",
    route: "profiles",
    place: "$.b",
    kind: "value",
    before: 2,
    after: 2,
  } as const;
  assert.ok(name);
  const now = retro({ stillMismatch: 2, cannotTell: 0, clusters: [{ ...name, after: 2 }, rest] });
  const then = { ...now, clusters: [{ ...name, after: 0 }, rest] };
  const both = await fakeAdmin(({ path }) => ok(path.includes("ignore=") ? then : now));
  const { err } = await ignore("$.user.name", ["--admin", both.url]);
  assert.equal(
    err,
    "hides 0 of 2 stored mismatches of profiles; 2 still differ in: $.b (value, 2 pairs)\n" +
      "in 2 more pairs it hides one difference of several\nit hides nothing else that is stored\n",
  );
  await both.close();
});

test("with -o json it is one document, words and all", async () => {
  const { code, out, err } = await ignore("$.user.name", ["-o", "json"]);
  const report = JSON.parse(out) as Record<string, unknown>;
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(Object.keys(report), ["file", "path", "patch", "written", "retro", "notes"]);
  assert.deepEqual([report.file, report.path, report.written], [file, "$.user.name", false]);
  assert.deepEqual(report.retro, THEN);
  assert.match(String(report.patch), /^--- /);
});

test("what cannot be is exit 1 or 2 with the reason, and the file stays", async () => {
  const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ["updatedAt", [], 1, /begins with \$/],
    ["$.a[", [], 1, /JSONPath/],
    ["$.a", ["--rules", join(folder, "none")], 1, /none\W+there is no such file or folder/],
  ];
  for (const [path, words, expected, message] of cases) {
    const { code, out, err } = await ignore(path, [...words, "--write"]);
    assert.deepEqual([code, out], [expected, ""], path);
    assert.match(err, message);
  }
  const stranger = await run(["ignore", "profile", "$.a", "--rules", file, "--admin", admin.url]);
  assert.equal(stranger.code, 1);
  assert.match(stranger.err, /profile\b.*profiles/s);
  assert.equal(await readFile(file, "utf8"), RULES);
});

test("a terminal shows the patch in colours and harmless; a pipe gets it byte for byte", async () => {
  await writeFile(file, RULES.replace("a clock", "a clock \u202e\u009b").replaceAll("\n", "\r\n"));
  const shown = await ignore("$.user.name", [], 80);
  assertHarmless(shown.out, true);
  assert.match(shown.out, /a clock \\u202e\\x9b/);
  const piped = await ignore("$.user.name");
  assert.match(piped.out, /a clock \u202e\u009b\r\n/);
});

test("of a link the file behind it is replaced, and a file that cannot be leaves no trace", async () => {
  const link = join(folder, "link.yaml");
  await symlink("rules.yaml", link);
  await replaceFile(link, "new\n");
  assert.equal(await readFile(file, "utf8"), "new\n");
  assert.ok((await lstat(link)).isSymbolicLink());
  await rm(link);
  await assert.rejects(replaceFile(join(folder, "none.yaml"), "x"), { code: "ENOENT" });
  await assert.rejects(replaceFile(folder, "x"));
  assert.deepEqual(await readdir(folder), ["rules.yaml"]);
});
