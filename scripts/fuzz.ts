/**
 * Fuzzes a gateway for longer than the tests do: `node scripts/fuzz.ts [--seconds 600] [--seed N] [--case N]`.
 * Each run has another seed unless told one; a failure names seed and case.
 */

import { parseArgs } from "node:util";
import { fuzz } from "../test/wire/fuzz/fuzz.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    case: { type: "string", default: "0" },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}, ${values.seconds} s`);
await fuzz({ seed, seconds: Number(values.seconds), firstCase: Number(values.case), say: console.log });
console.log("nothing found");
