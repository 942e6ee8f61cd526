/** The state folder in use: locked for this process, with its store, its token and its salt. */

import { randomBytes } from "node:crypto";
import { openStore, type ResettableStore } from "../control/store/client.ts";
import { StoreError } from "../control/store/errors.ts";
import { lockStateFolder, prepareStateFolder } from "../control/store/lock.ts";
import { adminToken } from "../control/store/token.ts";
import { say } from "./say.ts";

export interface State {
  readonly folder: string;
  readonly store: ResettableStore;
  readonly adminToken: string;
  /** Salts the key hashes of the access log. */
  readonly keySalt: string;
}

/** Throws a StateFolderError or StoreError. What it opens is closed by `built`. */
export async function openState(
  folder: string,
  configuredToken: string | null,
  built: AsyncDisposableStack,
): Promise<State> {
  const absolute = prepareStateFolder(folder);
  const lock = lockStateFolder(absolute);
  built.defer(() => lock.release());
  const store = await openStore(absolute);
  built.defer(() => store.close());
  return {
    folder: absolute,
    store,
    adminToken: await adminToken(absolute, configuredToken ?? undefined),
    keySalt: await keySaltOf(store),
  };
}

/** Kept, so that a key has the same hash in the logs of every start. */
async function keySaltOf(store: ResettableStore): Promise<string> {
  const kept = await store.meta("key-salt");
  if (kept !== undefined) return kept;
  const salt = randomBytes(16).toString("hex");
  if ("why" in store.health) return salt;
  try {
    await store.setMeta("key-salt", salt);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    say(error.message); // no reason not to serve
  }
  return salt;
}
