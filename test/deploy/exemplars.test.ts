import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { formatFor } from "../../src/observe/accept.ts";
import {
  boundText,
  CONTENT_TYPES,
  type Family,
  type Format,
  metricLines,
} from "../../src/observe/exposition.ts";
import { ask } from "../support/ask.ts";
import { json, startBackend } from "../support/backend.ts";
import { rulesFor, TestGateway } from "../support/gateway.ts";
import { until } from "../support/until.ts";
import { findPrometheus, run, type Tools } from "./prometheus.ts";
import { type PrometheusServer, startPrometheus } from "./server.ts";

const SAMPLED = "0af7651916cd43dd8448eb211c80319c";
const UNSAMPLED = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "b7ad6b7169203331";
const DURATION = "cutover_request_duration_seconds_bucket";
const NASTY = 'a"b\\c\nd\\n{}, #é😀';

const scraping = (adminUrl: string): unknown => ({
  global: { scrape_interval: "500ms" },
  scrape_configs: [{ job_name: "cutover", static_configs: [{ targets: [new URL(adminUrl).host] }] }],
});

/** Asks by both traces until Prometheus has what it is to have. */
async function askUntil(gateway: TestGateway, what: string, seen: () => Promise<boolean>): Promise<void> {
  await until(
    what,
    async () => {
      for (const traceparent of [`00-${SAMPLED}-${SPAN}-01`, `00-${UNSAMPLED}-${SPAN}-00`])
        await ask(gateway.proxyUrl, { path: "/x", headers: { traceparent } });
      return seen();
    },
    { withinMs: 30_000, everyMs: 100 },
  );
}

/** On a busy machine one scrape may take too long; one that is not understood is understood in none of them. */
async function areScraped(prometheus: PrometheusServer): Promise<void> {
  let said = "";
  await until("all targets are read without an error", async () => {
    const targets = await prometheus.targets();
    said = JSON.stringify(targets);
    return targets.every(({ health, lastError }) => health === "up" && lastError === "");
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${said}`);
  });
}

const written = (families: readonly Family[], format: Format): string =>
  [...metricLines(families, format)].join("");

/** Metrics of all types with labels that are hard to write, at /text and /openmetrics. */
async function serveMetrics(): Promise<{ readonly url: string } & AsyncDisposable> {
  const histogram = "cutover_wait_seconds";
  const exemplar = { traceId: SAMPLED, value: 0.5, atSeconds: Date.now() / 1_000 };
  const families: Family[] = [
    ["cutover_gate_open", "gauge"],
    ["cutover_tries_total", "counter"],
    ["cutover_rules_info", "info"],
  ].map(([name = "", type]) => ({
    name,
    type: type as Family["type"],
    help: NASTY,
    points: [{ name, labels: { gate: NASTY }, value: 1, ...(type === "counter" ? {} : { exemplar: null }) }],
  }));
  families.push({
    name: histogram,
    type: "histogram",
    help: "Waiting.",
    points: [
      { name: `${histogram}_bucket`, labels: { gate: NASTY, le: boundText(1) }, value: 1, exemplar },
      {
        name: `${histogram}_bucket`,
        labels: { gate: NASTY, le: boundText(Number.POSITIVE_INFINITY) },
        value: 2,
      },
      { name: `${histogram}_sum`, labels: { gate: NASTY }, value: 3.5 },
      { name: `${histogram}_count`, labels: { gate: NASTY }, value: 2 },
    ],
  });
  const server = createServer((req, res) => {
    const format = req.url === "/openmetrics" ? formatFor(req.headers.accept) : "text";
    res.writeHead(200, { "content-type": CONTENT_TYPES[format] }).end(written(families, format));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

describe("a real Prometheus", { timeout: 120_000 }, () => {
  let tools: Tools | string = "";
  before(async () => {
    tools = await findPrometheus();
  });

  test("stores the traces of sampled requests beside their bucket, and no others", async (t) => {
    if (typeof tools === "string") return t.skip(tools);
    await using old = await startBackend(json({ well: true }));
    await using gateway = await TestGateway.start({
      rules: rulesFor(old.url, old.url.replace("127.0.0.1", "localhost"), ""),
    });
    const flags = ["--enable-feature=exemplar-storage"];
    await using prometheus = await startPrometheus(tools.prometheus, scraping(gateway.adminUrl), flags);
    const beganSeconds = Date.now() / 1_000;
    await askUntil(
      gateway,
      "an exemplar is stored",
      async () => (await prometheus.exemplars(DURATION)).length > 0,
    );
    const [first, ...others] = await prometheus.exemplars(DURATION);
    assert.deepEqual(first?.labels, { trace_id: SAMPLED });
    assert.deepEqual([first?.seriesLabels.route, first?.seriesLabels.side], ["r", "old"]);
    assert.ok(
      (first?.value ?? 0) > 0 && (first?.value ?? 0) <= Number(first?.seriesLabels.le),
      JSON.stringify(first),
    );
    assert.ok((first?.timestampSeconds ?? 0) > beganSeconds - 5);
    assert.ok(others.every(({ labels }) => labels.trace_id === SAMPLED));
    await areScraped(prometheus);
  });

  test("reads both formats as the same series, whatever a label holds", async (t) => {
    if (typeof tools === "string") return t.skip(tools);
    await using both = await serveMetrics();
    const job = (name: string, accept: string) => ({
      job_name: name,
      static_configs: [{ targets: [new URL(both.url).host], labels: { asked: accept } }],
      // Prometheus asks for OpenMetrics by itself; the path says what the server shall take it for.
      metrics_path: `/${accept}`,
    });
    await using prometheus = await startPrometheus(tools.prometheus, {
      global: { scrape_interval: "500ms" },
      scrape_configs: [job("a", "text"), job("b", "openmetrics")],
    });
    const selector = '{__name__=~"cutover_.+"}';
    const seen = async (asked: string) => {
      const series = await prometheus.query(selector.replace("}", `,asked="${asked}"}`));
      return series
        .map(({ metric: { asked: _, job: __, ...labels }, values }) => JSON.stringify([labels, values]))
        .sort();
    };
    // A scrape that took too long leaves nothing to be seen until the next.
    const [open, text] = await until("both were read", async () => {
      const both = [await seen("openmetrics"), await seen("text")];
      return both.every(({ length }) => length > 0) ? both : null;
    });
    assert.deepEqual(open, text);
    assert.equal(text?.length, 7);
    const [nasty] = await until("the gauge is there", async () => {
      const found = await prometheus.query('cutover_gate_open{asked="openmetrics"}');
      return found.length > 0 ? found : null;
    });
    assert.equal(nasty?.metric.gate, NASTY);
    await areScraped(prometheus);
  });

  test("promtool finds nothing wrong with the metrics", async (t) => {
    if (typeof tools === "string") return t.skip(tools);
    await using old = await startBackend(json({ well: true }));
    await using gateway = await TestGateway.start({
      rules: rulesFor(old.url, old.url, "").replace("new: modern", "new: modern"),
    });
    const file = join(gateway.folder, "metrics.txt");
    await writeFile(file, String((await gateway.admin("GET", "/metrics")).body));
    const { code, out } = await run(
      "sh",
      ["-c", `"${tools.promtool}" check metrics < "${file}"`],
      gateway.folder,
    );
    // It also has opinions on the names of prom-client's own, which are what they are everywhere.
    const ours = out.split("\n").filter((line) => line.startsWith("cutover_") || line.includes("error"));
    assert.deepEqual(ours, [], out);
    assert.ok(code === 0 || code === 3, `${code}: ${out}`);
  });
});
