import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { cutover, type Ended } from "../support/command.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";

const RULES = rulesFor("http://127.0.0.1:1", "http://127.0.0.1:2", "canary: 5%");
const isRoot = process.getuid?.() === 0;

test("a gateway that cannot start says why in words, and ends with 1", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-start-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const rules = join(folder, "rules.yaml");
  const serve = (flags: readonly string[] = [], path = rules): Promise<Ended> =>
    cutover(
      ["serve", path, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--threads", "2", ...flags],
      {
        CUTOVER_STATE: join(folder, "state"),
      },
    );
  const assertRefused = ({ code, out, err }: Ended, words: RegExp): void => {
    assert.match(err, words);
    assert.doesNotMatch(err, /\n\s+at |unexpected failure/, "no stack: it is the user's to mend");
    assert.deepEqual([code, out], [1, ""]);
  };

  await t.test("rules that are no YAML, with file, line and column", async () => {
    await writeFile(rules, "version: 1\nroutes: [\n");
    assertRefused(await serve(), /rules\.yaml:\d+:\d+ {2}/);
  });

  await t.test("every mistake of the rules at once, each with its place", async () => {
    const wrong = RULES.replace("canary: 5%", "canary: 105%").replace("new: modern", "new: moderm");
    await writeFile(rules, `${wrong}colour: blue\n`);
    const ended = await serve();
    assertRefused(ended, /rules\.yaml:5:\d+ {2}.*moderm.*did you mean modern/);
    assert.match(ended.err, /rules\.yaml:9:13 {2}canary\.share is 105%: a share is at most 100%/);
    assert.match(ended.err, /rules\.yaml:10:1 {2}.*colour/);
  });

  await t.test("rules that are not there", async () => {
    assertRefused(
      await serve([], join(folder, "missing.yaml")),
      /missing\.yaml.*(no such file|does not exist)/,
    );
  });

  await t.test("a state folder that is a file", async () => {
    await writeFile(rules, RULES);
    await writeFile(join(folder, "file"), "");
    assertRefused(
      await serve(["--state", join(folder, "file")]),
      /state folder .* is not a folder: name another/,
    );
  });

  await t.test(
    "a state folder that may not be written",
    { skip: isRoot && "root may write anywhere" },
    async () => {
      const locked = join(folder, "locked");
      await mkdir(locked, { mode: 0o500 });
      assertRefused(
        await serve(["--state", locked]),
        /may not be written by this user: name another with --state/,
      );
      await chmod(locked, 0o700);
    },
  );

  await t.test("ports that others have, and nothing is left listening", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    assert.ok(typeof address === "object" && address !== null);
    const taken = `127.0.0.1:${address.port}`;
    assertRefused(
      await serve(["--listen", taken]),
      new RegExp(`${taken}.*another program listens there[\\s\\S]*--listen`),
    );
    assertRefused(await serve(["--admin", taken]), new RegExp(`${taken}.*in use.*--admin`));
    await new Promise((resolve) => other.close(resolve));
  });

  await t.test("what stopped a start leaves nothing behind: mended, it starts", async () => {
    const left = await readdir(join(folder, "state"));
    assert.deepEqual(
      left.filter((name) => /probe|draft/.test(name)),
      [],
    );
    await using backend = await startBackend(json({}));
    await using gateway = await TestGateway.start({
      rules: rulesFor(backend.url, backend.url, "canary: 5%"),
      folder,
    });
    assert.equal((await ask(gateway.proxyUrl)).status, 200);
  });
});

test("a second gateway never shares by accident", async (t) => {
  await using backend = await startBackend(json({}));
  const rules = rulesFor(backend.url, backend.url, "canary: 5%");
  await using first = await TestGateway.start({ rules });
  const folder = await mkdtemp(join(tmpdir(), "cutover-second-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const serve = (listen: string, state: string): Promise<Ended> =>
    cutover(["serve", first.rulesFile, "--listen", listen, "--admin", "127.0.0.1:0", "--state", state]);

  await t.test("the state folder", async () => {
    const state = join(first.folder, "state");
    const { code, err } = await serve("127.0.0.1:0", state);
    assert.equal(code, 1);
    assert.match(err, /another gateway uses the state folder .*give this one its own with --state/);
  });

  await t.test("the port, although the system would let it", async () => {
    const { code, err } = await serve(new URL(first.proxyUrl).host, join(folder, "state"));
    assert.equal(code, 1);
    assert.match(err, /another program listens there/);
    for (let i = 0; i < 20; i++) assert.equal((await ask(first.proxyUrl)).status, 200);
  });
});
