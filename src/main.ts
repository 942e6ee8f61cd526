/** Arguments → command. */

import { runCommandLine } from "./cli/program.ts";

// `cutover status | head` closes our output early: that is the reader's choice, not a failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

process.exitCode = await runCommandLine(
  process.argv.slice(2),
  { out: process.stdout, err: process.stderr, in: process.stdin },
  process.env,
);
