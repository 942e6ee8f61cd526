/** The gateway as the demo's child: `cutover serve` as it is, but it ends with its parent, even by kill -9. */

import { rmSync } from "node:fs";
import { runCommandLine } from "../cli/program.ts";

if (process.send === undefined) {
  process.stderr.write("gateway-child is started by `cutover demo`; start a gateway with `cutover serve`\n");
  process.exit(2);
}
// The demo's folder, then the arguments of serve.
const [folder = "", ...serveArgs] = process.argv.slice(2);
process.on("disconnect", () => {
  // The parent is gone without having cleaned up.
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
});

const streams = { out: process.stdout, err: process.stderr };
process.exit(await runCommandLine(["serve", ...serveArgs], streams, process.env));
