/** What every bench script asks of its command line. */

import { pathToFileURL } from "node:url";

/** Whether this module was started, not imported. */
export function isMain(moduleUrl: string): boolean {
  return pathToFileURL(process.argv[1] ?? "").href === moduleUrl;
}

export function isQuick(): boolean {
  return process.argv.includes("--quick");
}
