import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createKeySetLookup } from "../../src/model/keyset.ts";
import { loadRulesInThread } from "../../src/rules/in-thread.ts";
import { loadRules } from "../../src/rules/load.ts";
import { folderWith, HEAD, SECRET, temporaryFolder } from "./folder.ts";

const OPTIONS = { env: {}, keyFileSecret: SECRET };
const SPLIT = `${HEAD}routes:\n  - name: r\n    key: [ip]\n    split: { newFile: lists/moved.txt }\n`;

test("a folder is read in name order, hidden files and others left out", async (t) => {
  const folder = await folderWith(t, {
    "20-b.yml": "version: 1\nroutes: [{ name: b }]\n",
    "10-a.yaml": `${HEAD}routes: [{ name: a, match: { path: /a } }]\n`,
    ".#10-a.yaml": "not: rules\n",
    "readme.md": "not rules",
    "x.yaml/inner.yaml": "not: rules\n",
  });
  const result = await loadRules([folder], OPTIONS);
  assert.ok(result.ok);
  assert.deepEqual(
    result.ruleset.routes.map((route) => route.name),
    ["a", "b"],
  );
  assert.deepEqual(
    new Set(result.watched),
    new Set([folder, join(folder, "10-a.yaml"), join(folder, "20-b.yml")]),
  );
});

test("equal rules have equal versions in different folders, and a changed byte changes it", async (t) => {
  const version = async (text: string) => {
    const result = await loadRules([await folderWith(t, { "a.yaml": text })], OPTIONS);
    assert.ok(result.ok);
    return result.ruleset.version;
  };
  assert.equal(await version(HEAD), await version(HEAD));
  assert.notEqual(await version(HEAD), await version(`${HEAD}# a comment\n`));
});

test("what cannot be read is a problem, never a throw", async (t) => {
  const folder = await folderWith(t, {
    "latin1.yaml": Buffer.from("version: 1 # \xe9\n", "latin1"),
    "large.yaml": Buffer.alloc(8 * 2 ** 20 + 1, 0x20),
    "good.yaml": HEAD,
  });
  mkdirSync(join(folder, "empty"));
  symlinkSync(join(folder, "nowhere"), join(folder, "dangling.yaml"));
  execFileSync("mkfifo", [join(folder, "pipe.yaml")]);
  const result = await loadRules([folder, join(folder, "empty"), join(folder, "missing")], OPTIONS);
  assert.ok(!result.ok);
  const texts = result.problems.map((problem) => problem.text.replaceAll(`${folder}/`, "")).sort();
  assert.deepEqual(texts, [
    "dangling.yaml  there is no such file or folder",
    "empty  there is no *.yaml or *.yml file in this folder",
    "large.yaml  it is larger than 8MiB",
    "latin1.yaml  it is not UTF-8: save it as UTF-8",
    "missing  there is no such file or folder",
    "pipe.yaml  it is not a regular file",
  ]);
  assert.ok(result.watched.includes(join(folder, "missing")));
});

test("a file without permission says so", {
  skip: process.getuid?.() === 0 && "root may read everything",
}, async (t) => {
  const folder = await folderWith(t, { "a.yaml": HEAD });
  chmodSync(join(folder, "a.yaml"), 0);
  const result = await loadRules([folder], OPTIONS);
  assert.ok(!result.ok);
  assert.match(result.problems[0]?.message ?? "", /may not be read/);
});

test("a file with a byte order mark and Windows line ends is read", async (t) => {
  const folder = await folderWith(t, { "a.yaml": `\ufeff${HEAD.replaceAll("\n", "\r\n")}` });
  assert.ok((await loadRules([folder], OPTIONS)).ok);
});

test("a key file is one key a line, comments, blanks and line ends aside", async (t) => {
  const folder = await folderWith(t, {
    "a.yaml": SPLIT,
    "lists/moved.txt": "# moved so far\nacme\r\n\n  globex  \nacme\nümläut\n # not this\nlast",
  });
  const result = await loadRules([join(folder, "a.yaml")], OPTIONS);
  assert.ok(result.ok);
  const keys = result.ruleset.routes[0]?.split?.newFile;
  assert.ok(keys);
  assert.equal(keys.count, 4);
  const has = createKeySetLookup(keys);
  for (const key of ["acme", "globex", "ümläut", "last"]) assert.ok(has(key), key);
  for (const key of ["", "# moved so far", "not this", "Acme"]) assert.ok(!has(key), key);
  assert.ok(result.watched.includes(join(folder, "lists/moved.txt")));
});

test("in a key file a # begins a comment after white space, and is part of a key else", async (t) => {
  const folder = await folderWith(t, {
    "a.yaml": SPLIT,
    "lists/moved.txt": "moved3 # note\nteam#7\na#b # c #d\n\t# alone\nx\t#tab\ny#\n",
  });
  const result = await loadRules([folder], OPTIONS);
  assert.ok(result.ok);
  const keys = result.ruleset.routes[0]?.split?.newFile;
  assert.ok(keys);
  const has = createKeySetLookup(keys);
  for (const key of ["moved3", "team#7", "a#b", "x", "y#"]) assert.ok(has(key), key);
  assert.equal(keys.count, 5);
});

test("a key file's mistakes are placed", async (t) => {
  const withKeys = async (bytes: string | Uint8Array | null) => {
    const folder = await folderWith(t, {
      "a.yaml": SPLIT,
      ...(bytes === null ? {} : { "lists/moved.txt": bytes }),
    });
    const result = await loadRules([folder], OPTIONS);
    assert.ok(!result.ok);
    return result.problems[0]?.text.replaceAll(`${folder}/`, "") ?? "";
  };
  assert.match(await withKeys(null), /^a\.yaml:9:23 {2}lists\/moved\.txt: there is no such file/);
  assert.match(
    await withKeys(`ok\n${"x".repeat(4097)}\n`),
    /^lists\/moved\.txt:2:1 {2}this line is longer than 4096 bytes/,
  );
  assert.match(await withKeys("x".repeat(3_000_000)), /^lists\/moved\.txt:1:1 {2}this line is longer/);
  assert.match(
    await withKeys(Buffer.from("a\nb\nc\xe9\n", "latin1")),
    /^lists\/moved\.txt:3:1 {2}it is not UTF-8/,
  );
});

test("lines that fall across the pieces of a large key file are whole", async (t) => {
  const keys = Array.from({ length: 300_000 }, (_, i) =>
    createHash("md5")
      .update(String(i))
      .digest("hex")
      .slice(0, 1 + (i % 32)),
  );
  const folder = await folderWith(t, { "a.yaml": SPLIT, "lists/moved.txt": keys.join("\n") });
  const result = await loadRulesInThread([folder], OPTIONS);
  assert.ok(result.ok);
  const file = result.ruleset.routes[0]?.split?.newFile;
  assert.ok(file);
  // The buffer came over from the thread as shared memory.
  assert.ok(file.fingerprints instanceof SharedArrayBuffer);
  assert.equal(file.count, new Set(keys).size);
  const has = createKeySetLookup(file);
  assert.ok(keys.every(has));
});

test("two routes that name one key file share it", async (t) => {
  const folder = await folderWith(t, {
    "a.yaml": `${SPLIT}  - name: s\n    key: [ip]\n    split: { newFile: lists/moved.txt }\n`,
    "lists/moved.txt": "a\n",
  });
  const result = await loadRulesInThread([folder], OPTIONS);
  assert.ok(result.ok);
  const [r, s] = result.ruleset.routes;
  assert.equal(r?.split?.newFile, s?.split?.newFile);
});

test("the thread reports mistakes as loadRules does", async (t) => {
  const folder = await folderWith(t, { "a.yaml": "version: 2\n" });
  assert.deepEqual(await loadRulesInThread([folder], OPTIONS), await loadRules([folder], OPTIONS));
});

test("certificates are read, checked, and watched", async (t) => {
  const folder = temporaryFolder(t);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const request = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "1",
  ];
  openssl(...request, "-subj", "/CN=a", "-keyout", "a.key", "-out", "a.pem");
  openssl(...request, "-subj", "/CN=b", "-keyout", "b.key", "-out", "b.pem");
  const load = async (tls: string) => {
    writeFileSync(
      join(folder, "r.yaml"),
      `version: 1\nbackends:\n  b: { url: https://b, tls: { ${tls} } }\n`,
    );
    return await loadRules([folder], OPTIONS);
  };
  const good = await load("ca: a.pem, cert: a.pem, key: a.key, serverName: app.internal");
  assert.ok(good.ok);
  assert.match(good.ruleset.backends.b?.tls?.ca ?? "", /^-----BEGIN CERTIFICATE/);
  assert.ok(good.watched.includes(join(folder, "a.key")));
  const reasons = async (tls: string) => {
    const result = await load(tls);
    return result.ok ? "ok" : result.problems.map((problem) => problem.message).join("\n");
  };
  assert.match(await reasons("cert: a.pem, key: b.key"), /cannot be used together/);
  assert.match(await reasons("cert: a.pem"), /has cert but no key/);
  assert.match(await reasons("ca: r.yaml"), /it is not PEM/);
});
