/** The demo's rules: a real file that the story rewrites and the user may edit. */

import { rename, writeFile } from "node:fs/promises";

export const ROUTE = "profiles";

/** What the story changes from chapter to chapter. */
export interface Scene {
  readonly oldUrl: string;
  readonly newUrl: string;
  /** As written in rules, e.g. "5%"; null: a rollout moves it. */
  readonly canary: string | null;
  readonly ignore: readonly string[];
}

/** The differences of the two services that are meant to be, as an operator would write them down. */
export const EXPLAINED: readonly string[] = ["$.name", "$.fullName", "$.servedAt"];

const WHY: Readonly<Record<string, string>> = {
  "$.name": "renamed …",
  "$.fullName": "… to this",
  "$.servedAt": "the time: never the same twice",
};

/** Short steps: a real one bakes for hours. */
const ROLLOUT = `    rollout:                    # who goes on: each step bakes, and must have shown enough
      steps:
        - { canary: 25%, bake: 1s }
        - { canary: 50%, bake: 1s }
        - { canary: 100%, bake: 1s }
`;

/** The rules as YAML, written for reading. */
export function rulesText(scene: Scene): string {
  const ignored = scene.ignore.map(
    (path) => `        - "${path}"${WHY[path] === undefined ? "" : `   # ${WHY[path]}`}\n`,
  );
  return `version: 1

backends:
  legacy: { url: "${scene.oldUrl}" }
  modern: { url: "${scene.newUrl}" }

routes:
  - name: ${ROUTE}
    match: { path: /profiles/** }
    old: legacy
    new: modern
    key: [header:x-user-id]     # who is asking: a user stays on one side
    shadow: 100%                # copies of what old serves, for comparison; clients never wait for them
    canary:
${scene.canary === null ? "" : `      share: ${scene.canary}\n`}      methods: [GET, HEAD]      # writes stay on old
${scene.canary === null ? ROLLOUT : ""}    compare:
      ignore:${ignored.length === 0 ? " []" : `\n${ignored.join("").trimEnd()}`}
`;
}

/** Puts the rules in place in one step, as an editor does: the gateway never reads half a file. */
export async function writeRules(path: string, scene: Scene): Promise<void> {
  const draft = `${path}.draft`;
  await writeFile(draft, rulesText(scene));
  await rename(draft, path);
}
