/** The store as the control thread sees it: every call is answered by the store's own thread. */

import { Worker } from "node:worker_threads";
import type { AuditEntry, MismatchSample } from "../../model/reports.ts";
import type {
  AuditSearch,
  ClusterRecord,
  HistoryRecord,
  LatchRecord,
  NewAuditEntry,
  NewSample,
  PinRecord,
  RolloutRecord,
  SampleFilter,
  Store,
  StoredHistory,
  StoreHealth,
} from "../store-types.ts";
import type { DatabaseOptions } from "./database.ts";
import { StoreError, textOf, withConsequence } from "./errors.ts";
import type { Answer, Arguments, Operation, Request, Result, ThreadData } from "./protocol.ts";

// The sources run as they are, the package runs compiled.
const THREAD_URL = new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "./thread.js", import.meta.url);

/** Groups of samples that may wait for a slow disk; beyond them samples are shed, so that memory is bounded. */
const MAX_WAITING_SAMPLE_GROUPS = 16;
/** Longest wait for an orderly close: a disk that hangs must not keep the process from ending. */
const CLOSE_TIMEOUT_MS = 5_000;

export type ResettableStore = Store & {
  /** Puts damaged files aside and starts a fresh store; rejects with a StoreError while the store is sound. */
  reset(): Promise<void>;
};

/** Id of the answer that says how opening went. */
const OPENING_ID = 0;

interface Waiting {
  readonly operation: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * Opens the store of a state folder that exists. Resolves with its health known, also when it is damaged;
 * rejects with a StoreError where there is no store and none can be made.
 */
export async function openStore(folder: string, options: DatabaseOptions = {}): Promise<ResettableStore> {
  const store = new StoreClient(folder, options);
  await store.start();
  return store;
}

class StoreClient implements ResettableStore {
  readonly #data: ThreadData;
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #sampleGroups = 0;
  #closed = false;
  #health: StoreHealth = { kind: "damaged", why: "the store is not open yet" };

  constructor(folder: string, options: DatabaseOptions) {
    this.#data = { folder, options };
  }

  get health(): StoreHealth {
    return this.#health;
  }

  latches(): Promise<readonly LatchRecord[]> {
    return this.#call("latches");
  }
  latch(latch: LatchRecord, audit: NewAuditEntry): Promise<AuditEntry> {
    return this.#call("latch", latch, audit);
  }
  unlatch(route: string, audit: NewAuditEntry): Promise<AuditEntry> {
    return this.#call("unlatch", route, audit);
  }
  append(audit: NewAuditEntry): Promise<AuditEntry> {
    return this.#call("append", audit);
  }
  rollouts(): Promise<readonly RolloutRecord[]> {
    return this.#call("rollouts");
  }
  moveRollout(record: RolloutRecord, audit: NewAuditEntry): Promise<AuditEntry> {
    return this.#call("moveRollout", record, audit);
  }
  keepRollouts(records: readonly RolloutRecord[]): Promise<void> {
    return this.#call("keepRollouts", records);
  }
  dropRollouts(routes: readonly string[]): Promise<void> {
    return this.#call("dropRollouts", routes);
  }
  pins(): Promise<readonly PinRecord[]> {
    return this.#call("pins");
  }
  pin(pin: PinRecord, audit: NewAuditEntry): Promise<AuditEntry> {
    return this.#call("pin", pin, audit);
  }
  unpin(route: string, key: string, audit: NewAuditEntry): Promise<AuditEntry> {
    return this.#call("unpin", route, key, audit);
  }
  newestAudit(filter: AuditSearch): Promise<AuditEntry | undefined> {
    return this.#call("newestAudit", filter);
  }
  audit(filter: { readonly route: string | null; readonly limit: number }): Promise<readonly AuditEntry[]> {
    return this.#call("audit", filter);
  }
  auditAfter(id: number): Promise<readonly AuditEntry[]> {
    return this.#call("auditAfter", id);
  }
  samples(filter: SampleFilter): Promise<readonly MismatchSample[]> {
    return this.#call("samples", filter);
  }
  sample(id: number): Promise<MismatchSample | undefined> {
    return this.#call("sample", id);
  }
  sampleOfCluster(cluster: string): Promise<MismatchSample | undefined> {
    return this.#call("sampleOfCluster", cluster);
  }
  clusterSamples(): Promise<ReadonlyMap<string, readonly number[]>> {
    return this.#call("clusterSamples");
  }
  mergeClusterSamples(from: readonly string[], to: string): Promise<void> {
    return this.#call("mergeClusterSamples", from, to);
  }
  dropSamples(routes: readonly string[]): Promise<number> {
    return this.#call("dropSamples", routes);
  }
  saveClusters(records: readonly ClusterRecord[], routes: readonly string[]): Promise<void> {
    return this.#call("saveClusters", records, routes);
  }
  clusters(): Promise<readonly ClusterRecord[]> {
    return this.#call("clusters");
  }
  addHistory(records: readonly HistoryRecord[]): Promise<void> {
    return this.#call("addHistory", records);
  }
  history(id: number): Promise<readonly StoredHistory[]> {
    return this.#call("history", id);
  }
  markers(route: string, sinceMs: number): Promise<readonly AuditEntry[]> {
    return this.#call("markers", route, sinceMs);
  }
  meta(key: string): Promise<string | undefined> {
    return this.#call("meta", key);
  }
  setMeta(key: string, value: string): Promise<void> {
    return this.#call("setMeta", key, value);
  }
  reset(): Promise<void> {
    return this.#call("reset");
  }

  async addSamples(samples: readonly NewSample[]): Promise<void> {
    if (this.#sampleGroups >= MAX_WAITING_SAMPLE_GROUPS) {
      const sentence = `the state folder ${this.#data.folder} is too slow for the mismatches that arrive`;
      throw new StoreError("addSamples", "", withConsequence("addSamples", sentence));
    }
    this.#sampleGroups += 1;
    try {
      await this.#call("addSamples", samples);
    } finally {
      this.#sampleGroups -= 1;
    }
  }

  /** Resolves when all earlier calls are done and the database is closed. Later calls reject. Safe to repeat. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const worker = this.#worker;
    if (worker === undefined) {
      this.#closed = true;
      return;
    }
    const closing = this.#call("close");
    this.#closed = true;
    await withDeadline(closing, CLOSE_TIMEOUT_MS, () => {
      worker.unref();
      const sentence = `the state folder ${this.#data.folder} did not finish its writes in ${CLOSE_TIMEOUT_MS} ms`;
      return new StoreError("close", "", sentence);
    });
    await worker.terminate();
  }

  /** Starts the thread; resolves when it has opened the store. */
  start(): Promise<void> {
    const worker = new Worker(THREAD_URL, { workerData: this.#data, name: "store" });
    this.#worker = worker;
    worker.on("message", (answer: Answer) => this.#settle(worker, answer));
    worker.on("error", (error) => this.#lost(worker, textOf(error)));
    worker.on("exit", (code) => this.#lost(worker, `its thread ended with code ${code}`));
    return new Promise<void>((resolve, reject) => {
      this.#waiting.set(OPENING_ID, { operation: "open", resolve: () => resolve(), reject });
    });
  }

  /** Sends one call; where the thread has died, starts it once more first. */
  async #call<O extends Operation>(operation: O, ...given: Arguments<O>): Promise<Result<O>> {
    if (this.#closed) throw new StoreError(operation, "", "the store is closed");
    if (this.#worker !== undefined) return this.#send(operation, given);
    // Not awaited before sending: messages wait in the thread's port, so calls keep their order of arrival.
    const [, result] = await Promise.all([this.start(), this.#send(operation, given)]);
    return result;
  }

  #send<O extends Operation>(operation: O, given: readonly unknown[]): Promise<Result<O>> {
    const worker = this.#worker;
    return new Promise<Result<O>>((resolve, reject) => {
      if (worker === undefined) return reject(this.#lossError(operation, "its thread ended"));
      this.#lastId += 1;
      const request: Request = { id: this.#lastId, operation, arguments: given };
      worker.postMessage(request); // throws, and so rejects, for what cannot be cloned
      this.#waiting.set(request.id, { operation, resolve: (value) => resolve(value as Result<O>), reject });
      worker.ref();
    });
  }

  #settle(worker: Worker, answer: Answer): void {
    if (answer.health !== null) this.#health = answer.health;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) worker.unref(); // an idle store keeps no process alive
    if (answer.ok) {
      waiting?.resolve(answer.value);
      return;
    }
    const { operation, code, message } = answer.failure;
    waiting?.reject(new StoreError(operation, code, message));
  }

  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return; // "exit" after "error"
    this.#worker = undefined;
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { operation, reject } of lost) reject(this.#lossError(operation, why));
  }

  #lossError(operation: string, why: string): StoreError {
    const sentence = `the store of ${this.#data.folder} stopped (${why}); it is not known whether this was written`;
    return new StoreError(operation, "", withConsequence(operation, sentence));
  }
}

async function withDeadline<T>(work: Promise<T>, timeoutMs: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
