import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { loadRules } from "../../src/rules/load.ts";
import { type WatchOptions, watchRules } from "../../src/rules/watch.ts";
import { HEAD, SECRET, temporaryFolder } from "./folder.ts";

/** What the interface promises. */
const NOTICED_WITHIN_MS = 2000;
const LOOK_EVERY_MS = 5;
/** Of the time between two looks so much counts: a machine that stood still longer stood still for the watcher too. */
const MOST_COUNTED_MS = 4 * LOOK_EVERY_MS;
const POLL_OFF: WatchOptions = { pollMs: 3_600_000 };

/** Loads on every change, as the gateway does, and waits for what the rules then say. */
async function watched(t: TestContext, paths: readonly string[], options: WatchOptions = {}) {
  const load = () => loadRules(paths, { env: {}, keyFileSecret: SECRET });
  let version = "";
  let isValid = false;
  let changes = 0;
  const take = (result: Awaited<ReturnType<typeof load>>) => {
    isValid = result.ok;
    if (result.ok) version = result.ruleset.version;
    return result.watched;
  };
  const watcher = watchRules(
    take(await load()),
    () => {
      changes++;
      void load().then((result) => watcher.update(take(result)));
    },
    options,
  );
  t.after(() => watcher.close());

  const until = async (what: string, condition: () => boolean) => {
    let waitedMs = 0;
    for (let seenMs = performance.now(); !condition(); ) {
      assert.ok(waitedMs < NOTICED_WITHIN_MS, `${what} was not noticed within ${NOTICED_WITHIN_MS} ms`);
      await delay(LOOK_EVERY_MS);
      const nowMs = performance.now();
      waitedMs += Math.min(nowMs - seenMs, MOST_COUNTED_MS);
      seenMs = nowMs;
    }
  };
  return {
    changes: () => changes,
    async notices(what: string, change: () => void) {
      const before = version;
      change();
      await until(what, () => isValid && version !== before);
    },
    async breaks(change: () => void) {
      change();
      await until("a broken file", () => !isValid);
    },
  };
}

let count = 0;
const other = () => `${HEAD}# ${count++}\n`;

/** How Kubernetes mounts a ConfigMap: files → ..data/files, and ..data → a folder with a date as its name. */
function configMap(folder: string) {
  const publish = () => {
    const dated = `..2025_${count}`;
    mkdirSync(join(folder, dated));
    writeFileSync(join(folder, dated, "rules.yaml"), other());
    symlinkSync(dated, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  publish();
  symlinkSync("..data/rules.yaml", join(folder, "rules.yaml"));
  return publish;
}

for (const [how, options] of [
  ["by hints", POLL_OFF],
  ["by polling", { pollMs: 300 }],
] as const) {
  test(`three ConfigMap swaps in a row are noticed (${how})`, async (t) => {
    const folder = temporaryFolder(t);
    const publish = configMap(folder);
    const watch = await watched(t, [folder], options);
    for (const swap of [1, 2, 3]) await watch.notices(`swap ${swap}`, publish);
  });

  test(`an editor's rename and an in-place edit are noticed (${how})`, async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "rules.yaml");
    writeFileSync(file, other());
    const watch = await watched(t, [file], options);
    for (const time of [1, 2]) {
      await watch.notices(`rename ${time}`, () => {
        writeFileSync(`${file}~`, other());
        renameSync(`${file}~`, file);
      });
      await watch.notices(`edit ${time}`, () => writeFileSync(file, other()));
    }
  });
}

test("an edit that keeps size and time is noticed", async (t) => {
  const file = join(temporaryFolder(t), "rules.yaml");
  const write = (text: string) => {
    writeFileSync(file, `${HEAD}# ${text}\n`);
    utimesSync(file, 1_700_000_000, 1_700_000_000);
  };
  write("a");
  const watch = await watched(t, [file]);
  await watch.notices("the edit", () => write("b"));
});

test("a broken file and its mending are noticed", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "rules.yaml");
  writeFileSync(file, other());
  const watch = await watched(t, [folder]);
  await watch.breaks(() => writeFileSync(file, "version: 2\n"));
  await watch.notices("the mending", () => writeFileSync(file, other()));
});

test("new and removed files, and a folder that goes and comes back, are noticed", async (t) => {
  const folder = join(temporaryFolder(t), "rules");
  mkdirSync(folder);
  writeFileSync(join(folder, "a.yaml"), other());
  const watch = await watched(t, [folder]);
  await watch.notices("a new file", () => writeFileSync(join(folder, "b.yaml"), "version: 1\n"));
  await watch.notices("a removed file", () => rmSync(join(folder, "b.yaml")));
  await watch.breaks(() => rmSync(folder, { recursive: true }));
  await watch.notices("its return", () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "a.yaml"), other());
  });
  await watch.notices("an edit after it", () => writeFileSync(join(folder, "a.yaml"), other()));
});

test("a change of a key file is noticed", async (t) => {
  const folder = temporaryFolder(t);
  const keys = join(folder, "keys.txt");
  writeFileSync(keys, "a\n");
  writeFileSync(
    join(folder, "rules.yaml"),
    `${HEAD}routes: [{ name: r, key: [ip], split: { newFile: keys.txt } }]\n`,
  );
  const watch = await watched(t, [join(folder, "rules.yaml")]);
  await watch.notices("a new key", () => writeFileSync(keys, "a\nb\n"));
});

test("a change between loading and watching is noticed", async (t) => {
  const file = join(temporaryFolder(t), "rules.yaml");
  writeFileSync(file, other());
  const changed = Promise.withResolvers<void>();
  // As if the file had been loaded just before this.
  const watcher = watchRules([file], changed.resolve, POLL_OFF);
  t.after(() => watcher.close());
  await changed.promise;
});

test("a burst of writes is not a burst of loads, and files that are no rules cause none", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "rules.yaml");
  writeFileSync(file, other());
  const watch = await watched(t, [folder]);
  await watch.notices("the first", () => writeFileSync(file, other()));
  const before = watch.changes();
  for (let i = 0; i < 20; i++) writeFileSync(join(folder, `note-${i}.txt`), "x");
  await watch.notices("the burst", () => {
    for (let i = 0; i < 20; i++) writeFileSync(file, other());
  });
  // Two, when the first of the writes falls into a look that is under way.
  assert.ok(watch.changes() - before <= 2);
});
