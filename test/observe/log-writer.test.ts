import assert from "node:assert/strict";
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const WRITER = fileURLToPath(new URL("./access-log-writer.ts", import.meta.url));
const ALL = JSON.stringify({ kind: "all" });

/** Logs so many lines, with stdout as it is given. */
function writer(count: number, stdout: "pipe" | number): ChildProcess {
  const stdio: StdioOptions = ["ignore", stdout, "pipe"];
  return spawn(process.execPath, [WRITER, ALL, String(count)], {
    stdio,
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
}

/** Its last words may come after its exit; its "close" waits for a stdout that not every test reads. */
async function ended(child: ChildProcess): Promise<{ code: number | null; said: string }> {
  const exited = once(child, "exit");
  const said = child.stderr === null ? "" : await text(child.stderr);
  const [code] = (await exited) as [number | null];
  return { code, said };
}

test("into a file every line arrives, whole and in order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cutover-log-"));
  const file = join(folder, "access.log");
  const fd = openSync(file, "a");
  try {
    assert.equal((await ended(writer(8_000, fd))).code, 0);
    const ids = readFileSync(file, "utf8").split("\n").slice(0, -1);
    assert.deepEqual(
      ids.map((line) => (JSON.parse(line) as { requestId: string }).requestId),
      Array.from({ length: 8_000 }, (_, i) => `id-${i}`),
    );
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
});

test("a disk that is full costs the lines, which stderr says, and not the process", {
  skip: process.platform !== "linux" && "needs /dev/full",
}, async () => {
  const full = openSync("/dev/full", "w");
  try {
    const { code, said } = await ended(writer(500, full));
    assert.equal(code, 0);
    assert.match(said, /lines of the log are lost, stdout cannot be written: ENOSPC/);
    assert.match(said, /^500 lines of the log were lost/m);
  } finally {
    closeSync(full);
  }
});

test("a reader that is gone costs the lines, and not the process", async () => {
  const child = writer(8_000, "pipe");
  child.stdout?.destroy();
  const { code, said } = await ended(child);
  assert.equal(code, 0);
  assert.match(said, /stdout cannot be written: .*EPIPE/);
});

test("a reader that never reads is given up at the end, and what it did not take is counted", async () => {
  const { code, said } = await ended(writer(8_000, "pipe"));
  assert.equal(code, 0);
  const [, lost] = /^(\d+) lines of the log were lost/m.exec(said) ?? [];
  assert.ok(Number(lost) > 5_000 && Number(lost) < 8_000, said);
});
