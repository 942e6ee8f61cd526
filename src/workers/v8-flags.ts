/** What V8 is asked to do differently in a gateway. How it was found, and what each is worth: bench/NOTES.md. */

import { setFlagsFromString } from "node:v8";

const FLAGS = [
  // Under load V8 finds that some kind of object in a request outlives the collections of young garbage, and from then
  // on makes it old from birth. Each of those, long dead, keeps all of its request, which is then copied and made old as
  // well, and so seems to live on: a third of all garbage.
  "--no-allocation-site-pretenuring",
  // What the middle compiler used for a function is else freed by a thread that does so when it has nothing to compile:
  // while a gateway warms up, some 20 MB wait for that.
  "--no-maglev-destroy-on-background",
];

/** Those of Node 24 to 26. Another V8 may not know the flags, and would say so on stderr; it is asked for nothing. */
const KNOWING = /^1[34]\./;

/** To be called before threads start. */
export function tuneV8(): void {
  if (!KNOWING.test(process.versions.v8)) return;
  for (const flag of FLAGS) setFlagsFromString(flag);
}
