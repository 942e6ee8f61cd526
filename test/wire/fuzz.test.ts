import { test } from "node:test";
import { fuzz } from "./fuzz/fuzz.ts";

/** CI sets 60; `node scripts/fuzz.ts` runs for as long as it is told. */
const SECONDS = Number(process.env.CUTOVER_FUZZ_SECONDS ?? 20);
const SEED = Number(process.env.CUTOVER_FUZZ_SEED ?? 9112);

// Each case has an address of its own in 127.0.0.0/8, and sockets are counted in /proc.
const onlyLinux = process.platform === "linux" ? false : "needs Linux";

test("no bytes of a client or a backend crash it, hang it, smuggle a request or leak a socket", {
  skip: onlyLinux,
}, async (t) => {
  await fuzz({ seed: SEED, seconds: SECONDS, say: (text) => t.diagnostic(text) });
});
