/** `cutover schema`: the JSON Schema of the rules, for editors. */

import { rulesJsonSchema } from "../rules/jsonschema.ts";
import type { Context } from "./context.ts";
import { EXIT_DONE } from "./exit.ts";

/** Prints the schema that `# yaml-language-server: $schema=…` can name. */
export async function schema(context: Context): Promise<number> {
  context.streams.out.write(`${JSON.stringify(rulesJsonSchema(), null, 2)}\n`);
  return EXIT_DONE;
}
