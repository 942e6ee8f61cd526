/**
 * Preloaded into a gateway (`NODE_OPTIONS=--import=…`): harms the store's thread at chosen points of its writes.
 *
 * CUTOVER_TEST_KILL is "before|after <point> <n>": the process is killed at the n-th time that this point is
 * reached, counted from the start. Points: "begin", "audit promote", "rollouts", "pins", "latches", "meta", "commit
 * promote", "settle promote" … (a commit is named by its audit line, else "commit"; one of the rollout itself is
 * "promote by rollout"); "*" is any of them.
 *
 * CUTOVER_TEST_STORE_FAULT names a file: while it holds "read-only", "full" or "io", every write fails with that.
 */

import { existsSync, readFileSync, writeSync } from "node:fs";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { isMainThread, threadName } from "node:worker_threads";

const { CUTOVER_TEST_KILL: plan, CUTOVER_TEST_STORE_FAULT: faultFile } = process.env;

/** What SQLite says: https://sqlite.org/rescode.html. */
const FAULTS: Readonly<Record<string, { readonly errcode: number; readonly text: string }>> = {
  full: { errcode: 13, text: "database or disk is full" },
  "read-only": { errcode: 8, text: "attempt to write a readonly database" },
  io: { errcode: 778, text: "disk I/O error" },
};

const [, killMoment, killPoint, killAt] = /^(before|after) (.+) (\d+)$/.exec(plan ?? "") ?? [];
let reached = 0;
/** The action of the audit line in the transaction that is open. */
let action = "";

if (!isMainThread && threadName === "store") {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    return at(pointOfExec(sql), () => exec.call(this, sql));
  };
  for (const method of ["run", "get", "all"] as const) {
    const original: unknown = StatementSync.prototype[method];
    if (typeof original !== "function") throw new Error(`node:sqlite has no ${method}`);
    const harmed = function (this: StatementSync, ...given: unknown[]): unknown {
      return at(pointOfStatement(this.sourceSQL, given), () => Reflect.apply(original, this, given));
    };
    Object.assign(StatementSync.prototype, { [method]: harmed });
  }
}

function pointOfExec(sql: string): string | undefined {
  if (sql.startsWith("BEGIN")) {
    action = "";
    return "begin";
  }
  if (sql === "COMMIT") return `commit ${action}`.trim();
  return sql.includes("wal_checkpoint") ? `settle ${action}`.trim() : undefined;
}

function pointOfStatement(sql: string, [values]: readonly unknown[]): string | undefined {
  const table = /^\s*(?:INSERT(?: OR \w+)? INTO|DELETE FROM|UPDATE) (\w+)/.exec(sql)?.[1];
  if (table !== "audit") return table;
  const line = values as { readonly action?: unknown; readonly actor?: unknown };
  action = line.actor === "rollout" ? `${line.action} by rollout` : String(line.action);
  return `audit ${action}`;
}

function at<T>(point: string | undefined, work: () => T): T {
  if (point === undefined) return work();
  throwFault();
  const isHere = killPoint === "*" || killPoint === point;
  if (isHere) reached += 1;
  const isNow = isHere && reached === Number(killAt);
  if (isNow && killMoment === "before") kill(point);
  const result = work();
  if (isNow) kill(point);
  return result;
}

function kill(point: string): void {
  writeSync(2, `killed ${killMoment} ${point}\n`);
  process.kill(process.pid, "SIGKILL");
}

function throwFault(): void {
  if (faultFile === undefined || !existsSync(faultFile)) return;
  const fault = FAULTS[readFileSync(faultFile, "utf8")];
  if (fault === undefined) return;
  const { errcode, text } = fault;
  throw Object.assign(new Error(text), { code: "ERR_SQLITE_ERROR", errcode, errstr: text });
}
