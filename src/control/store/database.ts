/** What may be asked of the state database, call by call: synchronous, owned by the store's thread. */

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
  StoredHistory,
  StoreHealth,
} from "../store-types.ts";
import { StoreError } from "./errors.ts";
import { isSealName } from "./seals.ts";
import { type FileOptions, StateFile } from "./state-file.ts";

export type DatabaseOptions = FileOptions;

/**
 * The calls of the store (see store-types.ts) on the `state.db` of a folder, each in its own durable transaction.
 * What decides who serves is settled: moved from the log into the file. Every failure is a StoreError.
 */
export class StateDatabase {
  readonly #file: StateFile;

  /** Throws a StoreError only where there is no database and none can be made. */
  constructor(folder: string, options: DatabaseOptions = {}) {
    this.#file = new StateFile(folder, options);
  }

  get health(): StoreHealth {
    return this.#file.health;
  }

  latches(): readonly LatchRecord[] {
    return this.#file.read("latches", [], ({ latches }) => latches.all());
  }

  latch(latch: LatchRecord, line: NewAuditEntry): AuditEntry {
    return this.#file.settle("latch", ({ latches, audit }) => {
      latches.put(latch);
      return audit.append(line);
    });
  }

  unlatch(route: string, line: NewAuditEntry): AuditEntry {
    return this.#file.settle("unlatch", ({ latches, audit }) => {
      latches.drop(route);
      return audit.append(line);
    });
  }

  rollouts(): readonly RolloutRecord[] {
    return this.#file.read("rollouts", [], ({ rollouts }) => rollouts.all());
  }

  moveRollout(record: RolloutRecord, line: NewAuditEntry): AuditEntry {
    return this.#file.settle("moveRollout", ({ rollouts, audit }) => {
      rollouts.put([record]);
      return audit.append(line);
    });
  }

  /** Not settled: every second it would wait for whoever reads the database just now. */
  keepRollouts(records: readonly RolloutRecord[]): void {
    if (records.length > 0) this.#file.write("keepRollouts", ({ rollouts }) => rollouts.put(records));
  }

  dropRollouts(routes: readonly string[]): void {
    if (routes.length > 0) this.#file.settle("dropRollouts", ({ rollouts }) => rollouts.drop(routes));
  }

  pins(): readonly PinRecord[] {
    return this.#file.read("pins", [], ({ pins }) => pins.all());
  }

  pin(pin: PinRecord, line: NewAuditEntry): AuditEntry {
    return this.#file.settle("pin", ({ pins, audit }) => {
      pins.put(pin);
      return audit.append(line);
    });
  }

  unpin(route: string, key: string, line: NewAuditEntry): AuditEntry {
    return this.#file.settle("unpin", ({ pins, audit }) => {
      pins.drop(route, key);
      return audit.append(line);
    });
  }

  append(line: NewAuditEntry): AuditEntry {
    return this.#file.write("append", ({ audit }) => audit.append(line));
  }

  audit(filter: { readonly route: string | null; readonly limit: number }): readonly AuditEntry[] {
    return this.#file.read("audit", [], ({ audit }) => audit.list(filter));
  }

  newestAudit(search: AuditSearch): AuditEntry | undefined {
    return this.#file.read("newestAudit", undefined, ({ audit }) => audit.newest(search));
  }

  auditAfter(id: number): readonly AuditEntry[] {
    return this.#file.read("auditAfter", [], ({ audit }) => audit.after(id));
  }

  addSamples(given: readonly NewSample[]): void {
    if (given.length > 0) this.#file.write("addSamples", ({ samples }) => samples.add(given, Date.now()));
  }

  samples(filter: SampleFilter): readonly MismatchSample[] {
    return this.#file.read("samples", [], ({ samples }) => samples.list(filter, Date.now()));
  }

  sample(id: number): MismatchSample | undefined {
    return this.#file.read("sample", undefined, ({ samples }) => samples.get(id, Date.now()));
  }

  sampleOfCluster(cluster: string): MismatchSample | undefined {
    return this.#file.read("sampleOfCluster", undefined, ({ samples }) =>
      samples.newestOf(cluster, Date.now()),
    );
  }

  clusterSamples(): ReadonlyMap<string, readonly number[]> {
    return this.#file.read<ReadonlyMap<string, readonly number[]>>(
      "clusterSamples",
      new Map(),
      ({ samples }) => samples.byCluster(Date.now()),
    );
  }

  mergeClusterSamples(from: readonly string[], to: string): void {
    this.#file.write("mergeClusterSamples", ({ samples }) => samples.merge(from, to));
  }

  /** Settled: the log still has what was dropped. */
  dropSamples(routes: readonly string[]): number {
    return this.#file.settle("dropSamples", ({ clusters, samples }) => {
      clusters.drop(routes);
      return samples.drop(routes);
    });
  }

  saveClusters(records: readonly ClusterRecord[], routes: readonly string[]): void {
    this.#file.write("saveClusters", ({ clusters }) => clusters.save(records, routes));
  }

  clusters(): readonly ClusterRecord[] {
    return this.#file.read("clusters", [], ({ clusters }) => clusters.all(Date.now()));
  }

  addHistory(records: readonly HistoryRecord[]): void {
    if (records.length > 0) this.#file.write("addHistory", ({ history }) => history.add(records));
  }

  history(id: number): readonly StoredHistory[] {
    return this.#file.read("history", [], ({ history }) => history.page(id));
  }

  markers(route: string, sinceMs: number): readonly AuditEntry[] {
    return this.#file.read("markers", [], ({ history }) => history.markers(route, sinceMs));
  }

  meta(name: string): string | undefined {
    return this.#file.read("meta", undefined, ({ meta }) => meta.get(name));
  }

  setMeta(name: string, value: string): void {
    if (isSealName(name)) throw new StoreError("setMeta", "", `the name ${name} is the store's own`);
    this.#file.write("setMeta", ({ meta }) => meta.put(name, value));
  }

  /** Renames the damaged files aside and starts a fresh database. Throws unless the store is damaged. */
  reset(): void {
    this.#file.reset();
  }

  close(): void {
    this.#file.close();
  }
}
