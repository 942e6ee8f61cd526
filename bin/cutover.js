#!/usr/bin/env node
// Plain JavaScript, so that an old Node can still read it and be told what is missing.
import { existsSync } from "node:fs";

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
const entry = existsSync(source) ? source : new URL("../dist/main.js", import.meta.url);
await import(entry.href);
