/**
 * All measurements against running gateways, one after the other. They need Linux (processor time and memory
 * are read from /proc) and about two minutes with --quick.
 *
 *   npm run bench            node bench/run.ts [--quick]
 */

import { benchIsolation } from "./isolation.ts";
import { benchProxy } from "./proxy.ts";
import { benchReload } from "./reload.ts";
import { benchRollback } from "./rollback.ts";
import { isQuick } from "./support/script.ts";

// The proxy comes last: it pins this process to one core.
for (const bench of [benchRollback, benchReload, benchIsolation, benchProxy]) {
  await bench(isQuick());
  console.log();
}
