/** A store whose answers a test decides: at once, later, never, or an error. */

import type {
  ClusterRecord,
  HistoryRecord,
  LatchRecord,
  NewAuditEntry,
  NewSample,
  PinRecord,
  RolloutRecord,
  Store,
  StoreHealth,
} from "../../src/control/store-types.ts";
import type { AuditEntry } from "../../src/model/reports.ts";

export interface FakeStore extends Store {
  health: StoreHealth;
  /** What is "on disk". */
  readonly kept: Map<string, LatchRecord>;
  readonly rolloutRecords: Map<string, RolloutRecord>;
  /** By route and key, with a space between. */
  readonly pinRecords: Map<string, PinRecord>;
  readonly groups: (readonly NewSample[])[];
  readonly clusterRecords: Map<string, ClusterRecord>;
  /** What `dropSamples` was asked for. */
  readonly dropped: (readonly string[])[];
  readonly historyRecords: HistoryRecord[];
  readonly metas: Map<string, string>;
  /** Every write waits for it; a test puts its own promise here. */
  disk: () => Promise<void>;
}

export function createFakeStore(latches: readonly LatchRecord[] = []): FakeStore {
  const entries: AuditEntry[] = [];
  const kept = new Map(latches.map((record) => [record.route, record]));
  const write = async (audit: NewAuditEntry, change: () => void): Promise<AuditEntry> => {
    await store.disk();
    change();
    const entry = { ...audit, id: entries.length + 1 };
    entries.push(entry);
    return entry;
  };
  const store: FakeStore = {
    health: { kind: "sound" },
    kept,
    rolloutRecords: new Map(),
    pinRecords: new Map(),
    groups: [],
    clusterRecords: new Map(),
    dropped: [],
    historyRecords: [],
    metas: new Map(),
    disk: async () => {},
    latches: async () => [...kept.values()],
    latch: (record, audit) => write(audit, () => kept.set(record.route, record)),
    unlatch: (route, audit) => write(audit, () => kept.delete(route)),
    append: (audit) => write(audit, () => {}),
    rollouts: async () => [...store.rolloutRecords.values()],
    moveRollout: (record, audit) => write(audit, () => store.rolloutRecords.set(record.route, record)),
    keepRollouts: async (records) => {
      await store.disk();
      for (const record of records) store.rolloutRecords.set(record.route, record);
    },
    dropRollouts: async (routes) => {
      await store.disk();
      for (const route of routes) store.rolloutRecords.delete(route);
    },
    pins: async () => [...store.pinRecords.values()],
    pin: (pin, audit) => write(audit, () => store.pinRecords.set(`${pin.route} ${pin.key}`, pin)),
    unpin: (route, key, audit) => write(audit, () => store.pinRecords.delete(`${route} ${key}`)),
    newestAudit: async ({ route, action, by }) =>
      entries.findLast((entry) => entry.route === route && entry.action === action && entry.by === by),
    audit: async () => entries.toReversed(),
    auditAfter: async (id) => entries.filter((entry) => entry.id > id),
    addSamples: async (group) => {
      await store.disk();
      store.groups.push(group);
    },
    samples: async () => [],
    sample: async () => undefined,
    sampleOfCluster: async () => undefined,
    clusterSamples: async () => new Map(),
    mergeClusterSamples: () => store.disk(),
    saveClusters: async (records, routes) => {
      await store.disk();
      for (const record of records) store.clusterRecords.set(record.route, record);
      for (const route of store.clusterRecords.keys())
        if (!routes.includes(route)) store.clusterRecords.delete(route);
    },
    dropSamples: async (routes) => {
      await store.disk();
      store.dropped.push(routes);
      return routes.length;
    },
    clusters: async () => [...store.clusterRecords.values()],
    addHistory: async (records) => {
      await store.disk();
      store.historyRecords.push(...records);
    },
    history: async (id) =>
      store.historyRecords.slice(id, id + 2).map((record, index) => ({ id: id + index + 1, record })),
    markers: async (route) => entries.filter((entry) => entry.route === route || entry.route === null),
    meta: async (key) => store.metas.get(key),
    setMeta: async (key, value) => {
      await store.disk();
      store.metas.set(key, value);
    },
    close: async () => {},
  };
  return store;
}

export const never = (): Promise<void> => new Promise(() => {});

export const full = async (): Promise<void> => {
  throw new Error("the disk is full");
};

/** A disk that answers when it is told to, in the order of the calls. */
export function createSlowDisk() {
  const waiting: (() => void)[] = [];
  return {
    disk: () => new Promise<void>((resolve) => waiting.push(resolve)),
    /** Writes that wait. */
    get waiting(): number {
      return waiting.length;
    },
    /** Lets the oldest write go on. */
    answerOne(): void {
      waiting.shift()?.();
    },
  };
}
