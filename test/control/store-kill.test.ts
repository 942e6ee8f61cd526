import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { StateDatabase } from "../../src/control/store/database.ts";
import { temporaryFolder } from "./store-fixtures.ts";

const ROUNDS = 24;
const WRITER = fileURLToPath(new URL("./store-writer.ts", import.meta.url));

interface Acknowledged {
  readonly revision: number;
  readonly audit: number;
}

/** Lets a child write until `lines` were acknowledged and a little more, kills it, and returns the last one. */
async function writeAndKill(folder: string, round: number): Promise<Acknowledged> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, folder, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  const enough = 1 + ((round * 7) % 40); // another moment of the writer's cycle in every round
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.split("\n").length > enough) child.kill("SIGKILL");
  });
  const [code, signal] = await once(child, "close");
  assert.equal(signal, "SIGKILL", `the writer ended by itself with ${code}`);
  const whole = text.slice(0, text.lastIndexOf("\n")).split("\n");
  return JSON.parse(whole.at(-1) ?? "") as Acknowledged;
}

test("kill -9 never loses an acknowledged write and never leaves a damaged store", async (context) => {
  const folder = temporaryFolder(context);
  let audits = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const last = await writeAndKill(folder, round);
    const database = new StateDatabase(folder);
    assert.deepEqual(database.health, { kind: "sound" });
    const [latch] = database.latches();
    assert.ok(
      (latch?.revision ?? 0) >= last.revision,
      `latch ${latch?.revision} is older than ${last.revision}`,
    );
    const [newest] = database.audit({ route: null, limit: 1 });
    assert.ok((newest?.id ?? 0) >= last.audit);
    assert.ok((newest?.id ?? 0) > audits, "ids go on where they were");
    audits = newest?.id ?? 0;
    database.close();
  }
});
