import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { type CurlRequest, curlLine, shellQuoted } from "../../src/model/curl.ts";

const execute = promisify(execFile);

const line = (changes: Partial<CurlRequest>) =>
  curlLine({ origin: "http://127.0.0.1:9001", method: "GET", target: "/a", headers: {}, ...changes });

test("a plain request is a plain line", () => {
  assert.equal(line({ target: "/profiles/7" }), "curl -isS http://127.0.0.1:9001/profiles/7");
  assert.equal(
    line({ method: "POST", headers: { accept: "a/b", "accept-encoding": "gzip" } }),
    "curl -isS --compressed -X POST -H 'accept: a/b' -H 'accept-encoding: gzip' http://127.0.0.1:9001/a",
  );
});

test("curl is kept from its own reading of a request", () => {
  assert.equal(line({ method: "HEAD" }), "curl -isS --head http://127.0.0.1:9001/a");
  assert.match(line({ target: "/a/../b" }), /--path-as-is/);
  assert.match(line({ target: "/a..b/c" }), /^curl -isS http/);
  assert.match(line({ target: "/a?x[]={1,2}" }), /--globoff/);
  assert.match(line({ target: "/a#b" }), /--request-target '\/a#b' http:\/\/127\.0\.0\.1:9001\/$/);
  assert.match(line({ target: "*", method: "OPTIONS" }), /--request-target '\*' http/);
  assert.match(line({ headers: { "x-empty": " " } }), /-H 'x-empty;'/);
  // What is no name of a header is not passed on: "@file" would be read by curl as a file of headers.
  assert.equal(line({ headers: { "@/etc/passwd": "", "-o x": "1" } }), line({}));
});

test("what is not plain text is spelled out byte by byte", () => {
  assert.equal(shellQuoted("it's"), String.raw`'it'\''s'`);
  assert.equal(shellQuoted("a\n7\\'é漢"), String.raw`$'a\0127\134\047\351\346\274\242'`);
  assert.equal(shellQuoted(""), "''");
});

test("a shell reads every quoted word back as it was, and runs nothing of it", async () => {
  const words = fc.sample(fc.array(fc.string({ unit: "binary-ascii", maxLength: 30 }), { maxLength: 60 }), {
    seed: 1,
    numRuns: 4,
  });
  const nasty = [
    "$(touch x)",
    "`id`",
    "';id;'",
    "\\",
    "!!",
    "a'b\"c$d`e\\f\n",
    "-e",
    "~",
    "*",
    "{a,b}",
    "%s",
  ];
  for (const texts of [nasty, ...words]) {
    // NUL cannot stand in an argument, nor in a header or a target.
    const clean = texts.map((text) => text.replaceAll("\0", ""));
    const script = `printf '%s\\0' ${clean.map(shellQuoted).join(" ")}`;
    const { stdout } = await execute("bash", ["--norc", "-c", script]);
    assert.deepEqual(
      stdout.split("\0").slice(0, Math.max(clean.length, 1)),
      clean.length === 0 ? [""] : clean,
    );
  }
});
