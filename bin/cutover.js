#!/usr/bin/env node
// Plain JavaScript, so that an old Node can still read it and be told what is missing.
import { existsSync } from "node:fs";
import nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const OLDEST_NODE_MAJOR = 24;
if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE_MAJOR) {
  console.error(
    `cutover needs Node ${OLDEST_NODE_MAJOR} or newer; this is ${process.version}. ` +
      "In a checkout, `npx cutover` and the npm scripts bring their own.",
  );
  process.exit(2);
}

// A checkout runs its sources as they are; the published package carries dist/ alone.
const source = new URL("../src/main.ts", import.meta.url);
const isCheckout = existsSync(source);
if (isCheckout) {
  // Types are stripped once instead of at every start by every thread, each of which would load the means to do so:
  // half of the time to start, and some 50 MB. Threads and further processes read the variable.
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
    new URL("../node_modules/.cache/cutover", import.meta.url),
  );
  nodeModule.enableCompileCache?.(process.env.NODE_COMPILE_CACHE);
}
const entry = isCheckout ? source : new URL("../dist/main.js", import.meta.url);
await import(entry.href);
