/** The store's thread: opens the database, then answers one call after the other in the order of arrival. */

import { parentPort, workerData } from "node:worker_threads";
import { StateDatabase } from "./database.ts";
import { asStoreError } from "./errors.ts";
import type { Answer, Failure, Request, ThreadData } from "./protocol.ts";

const port = parentPort;
if (port === null) throw new Error("this module runs as a worker thread of the store");

const { folder, options } = workerData as ThreadData;

try {
  serve(new StateDatabase(folder, options));
} catch (error) {
  answer({ id: 0, ok: false, health: null, failure: failureOf("open", error) });
  port.close();
}

function serve(database: StateDatabase): void {
  port?.on("message", (request: Request) => {
    answer(perform(database, request));
    if (request.operation === "close") port?.close();
  });
  answer({ id: 0, ok: true, health: database.health, value: undefined });
}

function perform(database: StateDatabase, { id, operation, arguments: given }: Request): Answer {
  try {
    const value: unknown = Reflect.apply(database[operation], database, given);
    return { id, ok: true, health: database.health, value };
  } catch (error) {
    return { id, ok: false, health: database.health, failure: failureOf(operation, error) };
  }
}

function failureOf(operation: string, error: unknown): Failure {
  const { code, message } = asStoreError(operation, folder, error);
  return { operation, code, message };
}

function answer(message: Answer): void {
  port?.postMessage(message);
}
