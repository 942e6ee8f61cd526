import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { profileService } from "../../deploy/sample/service.ts";
import { askOn } from "../../deploy/sample/traffic.ts";
import { loadRules } from "../../src/rules/load.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, "deploy");
const read = (path: string): unknown => parse(readFileSync(join(FOLDER, path), "utf8"), { merge: true });

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly cap_drop?: readonly string[];
  readonly restart?: string;
}

const COMPOSE = read("compose.yaml") as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const SERVICES = Object.entries(COMPOSE.services);

/** [source, target] of a service's mounts. */
function mounts({ volumes = [] }: Service): [source: string, target: string][] {
  return volumes.map((volume) => {
    const [source = "", target = ""] = volume.split(":");
    return [source, target];
  });
}

/** The file of this folder that a service finds at this path. */
function mountedFile(service: Service | undefined, path: string): string {
  const [source, target] =
    mounts(service ?? {}).find(([, folder]) => path.startsWith(`${folder}/`)) ??
    assert.fail(`${path} is not mounted`);
  return join(FOLDER, source, path.slice(target.length));
}

describe("compose.yaml", () => {
  test("mounts what there is", () => {
    for (const [name, service] of SERVICES) {
      for (const [source] of mounts(service)) {
        if (source.startsWith(".")) assert.ok(existsSync(join(FOLDER, source)), `${name}: ${source}`);
        else assert.ok(source in COMPOSE.volumes, `${name}: the volume ${source}`);
      }
      if (service.build !== undefined) assert.ok(existsSync(join(FOLDER, service.build, "Dockerfile")), name);
      else assert.match(service.image ?? "", /^[\w./-]+:v?\d[\w.-]*$/, `${name} names a version`);
    }
  });

  test("is reached from this machine alone, and no two services want one port", () => {
    const ports = SERVICES.flatMap(([, { ports = [] }]) => ports);
    assert.ok(ports.length >= 4);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
    assert.equal(new Set(ports.map((port) => port.split(":")[1])).size, ports.length);
  });

  test("holds no secret", () => {
    for (const [name, { environment = {} }] of SERVICES)
      for (const key of Object.keys(environment))
        assert.doesNotMatch(key, /PASSWORD|TOKEN|SECRET|_KEY$/, name);
  });

  test("every service that others wait for says whether it is well, and none may do more than it needs", () => {
    for (const [name, { depends_on = {}, cap_drop, restart, healthcheck }] of SERVICES) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        assert.equal(condition, "service_healthy");
        assert.ok(COMPOSE.services[other]?.healthcheck !== undefined, `${name} waits for ${other}`);
      }
      assert.ok(healthcheck !== undefined || name === "traffic", name);
      assert.deepEqual([cap_drop, restart], [["ALL"], "unless-stopped"], name);
    }
  });

  test("Prometheus finds its configuration, the alerts and the gateway", () => {
    const { prometheus } = COMPOSE.services;
    const flag = prometheus?.command?.find((arg) => arg.startsWith("--config.file="));
    const file = mountedFile(prometheus, flag?.slice("--config.file=".length) ?? "");
    assert.ok(existsSync(file));
    const config = read("prometheus/prometheus.yml") as {
      rule_files: string[];
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    for (const rules of config.rule_files) assert.ok(existsSync(join(file, "..", rules)), rules);
    const [job] = config.scrape_configs;
    assert.equal(job?.job_name, "cutover", "the alerts go by this name");
    assert.deepEqual(job?.static_configs[0]?.targets, ["gateway:9090"]);
    assert.match(readFileSync(join(ROOT, "Dockerfile"), "utf8"), /CUTOVER_ADMIN=0\.0\.0\.0:9090/);
  });

  test("Grafana finds its data source and the dashboard", () => {
    const { grafana } = COMPOSE.services;
    assert.ok(mounts(grafana ?? {}).some(([, target]) => target === "/etc/grafana/provisioning"));
    const provider = read("grafana/provisioning/dashboards/cutover.yml") as {
      providers: { options: { path: string } }[];
    };
    const home = grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? "";
    assert.ok(home.startsWith(`${provider.providers[0]?.options.path}/`));
    assert.ok(existsSync(mountedFile(grafana, home)));
    const source = read("grafana/provisioning/datasources/prometheus.yml") as {
      datasources: { url: string; type: string }[];
    };
    assert.deepEqual(
      [source.datasources[0]?.type, source.datasources[0]?.url],
      ["prometheus", "http://prometheus:9090"],
    );
  });

  test("its rules are valid, without a warning, and name its services at their ports", async () => {
    const files = globSync("rules/*.yaml", { cwd: FOLDER }).map((path) => join(FOLDER, path));
    const loaded = await loadRules(files, { env: {}, keyFileSecret: "x" });
    assert.ok(loaded.ok, JSON.stringify(loaded));
    assert.deepEqual(loaded.warnings, []);
    const urls = [...readFileSync(files[0] ?? "", "utf8").matchAll(/url: http:\/\/(\w+):(\d+)/g)];
    assert.equal(urls.length, 2);
    for (const [, name = "", port = ""] of urls) {
      const { command = [] } = COMPOSE.services[name] ?? {};
      assert.deepEqual(command.slice(2), [name, port]);
      assert.ok(existsSync(mountedFile(COMPOSE.services[name], command[1] ?? "")));
    }
  });
});

describe("the sample services", () => {
  test("old and new answer alike but for the time and one profile in 300, and fail when they are told to", async () => {
    await using old = await serve("old");
    await using fresh = await serve("new");
    const profile = async (service: Served, id: number): Promise<Record<string, unknown>> => {
      const { servedAt: _, ...rest } = (await (
        await fetch(`${service.url}/profiles/${id}`)
      ).json()) as Record<string, unknown>;
      return rest;
    };
    assert.deepEqual(await profile(old, 7), await profile(fresh, 7));
    assert.notDeepEqual(await profile(old, 300), await profile(fresh, 300));
    const status = async (path: string): Promise<number> => (await fetch(fresh.url + path)).status;
    assert.deepEqual(
      [await status("/fault/on"), await status("/profiles/7"), await status("/healthz")],
      [200, 500, 200],
    );
    assert.deepEqual([await status("/fault/off"), await status("/profiles/7")], [200, 200]);
    assert.equal(await status("/profiles/x"), 404);
  });

  test("traffic goes on through failures until it is told to end", async () => {
    await using old = await serve("old");
    const end = new AbortController();
    const asking = askOn(old.url, end.signal);
    while (old.seen.length < 3) await old.next();
    end.abort();
    assert.ok((await asking) >= 2);
    assert.ok(old.seen.every((path) => /^\/profiles\/\d+$/.test(path)));
  });

  test("they run outside this checkout, as in a container, and end when they are told to", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cutover-sample-"));
    try {
      cpSync(join(FOLDER, "sample"), folder, { recursive: true });
      for (const [args, code] of [
        [["service.ts"], 2],
        [["traffic.ts"], 2],
        [["traffic.ts", "http://127.0.0.1:9"], 0],
      ] as const) {
        const child = spawn(process.execPath, [...args], {
          cwd: folder,
          stdio: ["ignore", "ignore", "pipe"],
        });
        const { promise, resolve } = Promise.withResolvers<number | null>();
        child.once("close", resolve);
        let said = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          said += text;
          // Its first words are that nobody answers: it runs, and can be told.
          if (said.includes("no answer")) child.kill("SIGTERM");
        });
        assert.equal(await promise, code, `${args.join(" ")}: ${said}`);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly seen: string[];
  /** Resolves with the next request. */
  next(): Promise<void>;
}

async function serve(generation: "old" | "new"): Promise<Served> {
  const seen: string[] = [];
  let arrived = Promise.withResolvers<void>();
  const server = createServer(profileService(generation));
  server.on("request", ({ url = "" }) => {
    seen.push(url);
    arrived.resolve();
    arrived = Promise.withResolvers<void>();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    next: () => arrived.promise,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
