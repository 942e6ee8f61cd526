import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { StateFolderError } from "../../src/control/store/errors.ts";
import { lockStateFolder, prepareStateFolder } from "../../src/control/store/lock.ts";
import { adminToken, readAdminToken } from "../../src/control/store/token.ts";
import { temporaryFolder } from "./store-fixtures.ts";

const LOCK_MODULE = new URL("../../src/control/store/lock.ts", import.meta.url).href;

test("a second gateway on one state folder is told so, and gets it once the first lets go", (context) => {
  const folder = temporaryFolder(context);
  const lock = lockStateFolder(folder);
  assert.throws(
    () => lockStateFolder(folder),
    (error) => {
      assert.ok(error instanceof StateFolderError);
      assert.match(
        error.message,
        /another gateway uses the state folder .*; give this one its own with --state/,
      );
      return true;
    },
  );
  lock.release();
  lock.release();
  lockStateFolder(folder).release();
});

test("kill -9 of a gateway frees its state folder", async (context) => {
  const folder = temporaryFolder(context);
  const script = `const { lockStateFolder } = await import(process.argv[1]);
    globalThis.lock = lockStateFolder(process.argv[2]); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, LOCK_MODULE, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  assert.throws(() => lockStateFolder(folder), /another gateway/);
  child.kill("SIGKILL");
  await once(child, "close");
  lockStateFolder(folder).release();
});

test("a missing state folder is made for the owner alone", (context) => {
  const folder = join(temporaryFolder(context), "a", "state");
  assert.equal(prepareStateFolder(folder), folder);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(folder), []);
});

test("a file where the state folder should be is refused with a sentence", (context) => {
  const path = join(temporaryFolder(context), "file");
  writeFileSync(path, "");
  assert.throws(() => prepareStateFolder(path), /is not a folder: name another with --state/);
  assert.throws(() => prepareStateFolder(join(path, "below")), /is not a folder/);
});

test("a state folder that may not be written is refused with a sentence", (context) => {
  if (process.getuid?.() === 0) return context.skip("root may write everywhere");
  const folder = join(temporaryFolder(context), "state");
  mkdirSync(folder);
  chmodSync(folder, 0o500);
  assert.throws(
    () => prepareStateFolder(folder),
    /may not be written by this user: name another with --state/,
  );
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, "state.db"), "");
  chmodSync(folder, 0o500);
  assert.throws(() => prepareStateFolder(folder), /make it writable; another one .* without the rollbacks/);
});

test("the admin token is made once, kept for the owner alone, and found by the command line", async (context) => {
  const folder = temporaryFolder(context);
  await assert.rejects(readAdminToken(folder), /there is no admin token in /);
  const token = await adminToken(folder, undefined);
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(await adminToken(folder, ""), token);
  assert.equal(await readAdminToken(folder), token);
  const path = join(folder, "admin.token");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o644);
  await adminToken(folder, undefined);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ["admin.token"]);
});

test("a configured token is used as it is and never written down", async (context) => {
  const folder = temporaryFolder(context);
  assert.equal(await adminToken(folder, "from-the-environment"), "from-the-environment");
  assert.equal(existsSync(join(folder, "admin.token")), false);
  await assert.rejects(adminToken(folder, "two words"), /CUTOVER_ADMIN_TOKEN/);
});

test("a token file that was emptied is reported, not replaced", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "admin.token"), "\n");
  await assert.rejects(adminToken(folder, undefined), /holds no usable token/);
  assert.equal(readFileSync(join(folder, "admin.token"), "utf8"), "\n");
});
