import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { bundleDashboard } from "../../src/admin/dashboard/bundle.ts";
import { ask, fakeDesk, startFor } from "../admin/fixtures.ts";

const MAX_SCRIPT_BYTES = 100 * 1024;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("the script is below 100 KiB compressed, asks nobody else, and holds no eval", async () => {
  const { script, style } = await bundleDashboard();
  assert.ok(gzipSync(script).length < MAX_SCRIPT_BYTES, `${gzipSync(script).length} bytes`);
  const elsewhere = /https?:\/\/(?!www\.w3\.org\/|[^/]*BACKEND)[a-z0-9.-]+/gi;
  assert.deepEqual(String(script).match(elsewhere) ?? [], []);
  assert.doesNotMatch(String(script), /\beval\(|new Function\(|\.innerHTML\s*=\s*[^=]*location/);
  assert.doesNotMatch(String(style), /url\(|@import/);
});

test("the browser's code has no type errors", async () => {
  const compiler = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  const project = "src/admin/dashboard/browser/tsconfig.json";
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, "--noEmit", "-p", project], {
    cwd: ROOT,
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }));
  assert.equal(stdout, "");
});

test("the page forbids everything that is not its own, and is served without a token", async (context) => {
  const admin = await startFor(context, fakeDesk());
  const page = await ask(admin, "/");
  assert.equal(page.status, 200);
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  const policy = page.headers["content-security-policy"] ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]) {
    assert.ok(policy.includes(part), part);
  }
  assert.doesNotMatch(String(policy), /unsafe|\*/);
  assert.doesNotMatch(page.text, /<script(?! type="module" src)|<style| on[a-z]+=| style=/);
  const script = await ask(admin, "/assets/dashboard.js", { headers: { "accept-encoding": "gzip" } });
  assert.equal(script.headers["content-encoding"], "gzip");
  assert.equal(script.headers["x-content-type-options"], "nosniff");
  const plain = await ask(admin, "/assets/dashboard.css");
  assert.equal(plain.headers["content-encoding"], undefined);
  const etag = String(plain.headers.etag);
  const again = await ask(admin, "/assets/dashboard.css", { headers: { "if-none-match": etag } });
  assert.deepEqual([again.status, again.text], [304, ""]);
  for (const path of ["/assets/nothing.js", "/assets/..%2f..%2fpackage.json", "/assets/__proto__"]) {
    assert.equal((await ask(admin, path)).status, 404, path);
  }
});

test("beyond this machine a browser gets the page, which then asks for the token; nothing else is open", async (context) => {
  const admin = await startFor(context, fakeDesk(), { host: "0.0.0.0" });
  const headers = { accept: "text/html,application/xhtml+xml" };
  assert.equal((await ask(admin, "/", { headers })).status, 200);
  assert.equal((await ask(admin, "/assets/dashboard.js", { headers })).status, 200);
  assert.equal((await ask(admin, "/api/v1/status", { headers })).status, 401);
  assert.equal((await ask(admin, "/")).status, 401);
});

test("a page that rebinds its name gets neither page nor files", async (context) => {
  const admin = await startFor(context, fakeDesk());
  for (const path of ["/", "/assets/dashboard.js"]) {
    assert.equal((await ask(admin, path, { headers: { host: "evil.example" } })).status, 421, path);
  }
});
