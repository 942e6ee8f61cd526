/**
 * Preloaded into a gateway (`NODE_OPTIONS=--import=…`): a SIGUSR2 sets the main thread's wall clock by as many
 * milliseconds as the file CUTOVER_TEST_CLOCK says, as an operator or a time server does. Monotonic time goes on.
 */

import { readFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const { CUTOVER_TEST_CLOCK: file } = process.env;

if (isMainThread && file !== undefined) {
  const RealDate = Date;
  let aheadMs = 0;
  const SetDate = class extends RealDate {
    constructor(...given: ConstructorParameters<typeof Date> | []) {
      super(...((given.length === 0 ? [RealDate.now() + aheadMs] : given) as [number]));
    }
    static override now(): number {
      return RealDate.now() + aheadMs;
    }
  };
  globalThis.Date = SetDate as DateConstructor;
  process.on("SIGUSR2", () => {
    aheadMs = Number(readFileSync(file, "utf8"));
  });
}
