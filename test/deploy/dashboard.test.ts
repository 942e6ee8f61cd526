import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { until } from "../support/until.ts";
import { findPrometheus } from "./prometheus.ts";
import { openScene } from "./scene.ts";
import { type PrometheusServer, type Series, startPrometheus } from "./server.ts";

const FOLDER = fileURLToPath(new URL("../../deploy", import.meta.url));
const ALERTS = join(FOLDER, "prometheus/alerts.yml");

interface Target {
  readonly expr: string;
  readonly instant: boolean;
  readonly legendFormat?: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; definition?: string }[] };
  readonly annotations: { readonly list: readonly { name: string; expr?: string }[] };
}

const DASHBOARD = JSON.parse(
  readFileSync(join(FOLDER, "grafana/dashboards/cutover.json"), "utf8"),
) as Dashboard;
const ANNOTATIONS = DASHBOARD.annotations.list.filter(({ expr }) => expr !== undefined);

/** What Grafana would put in the place of its variables, for a Prometheus that scrapes twice a second. */
function filledIn(expr: string): string {
  const filled = expr
    .replaceAll("$instance", ".+")
    .replaceAll("$route", ".+")
    .replaceAll("$__rate_interval", "10s")
    .replaceAll("$__range", "1m");
  assert.ok(!filled.includes("$"), `a variable that nobody knows: ${expr}`);
  return filled;
}

/** Reads one gateway as if it were two, told apart by a label that is not `instance`, as in Kubernetes. */
function scraping(adminUrl: string): unknown {
  const targets = [new URL(adminUrl).host];
  return {
    global: { scrape_interval: "500ms", evaluation_interval: "500ms" },
    rule_files: [ALERTS],
    scrape_configs: [
      {
        job_name: "cutover",
        static_configs: ["a", "b"].map((pod) => ({ targets, labels: { pod } })),
      },
    ],
  };
}

describe("the dashboard", () => {
  test("has no two panels in one place", () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of DASHBOARD.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(x < 24 && !taken.has(`${x},${y}`), `${title} is on ${taken.get(`${x},${y}`)}`);
          taken.set(`${x},${y}`, title);
        }
      }
    }
    assert.equal(new Set(DASHBOARD.panels.map(({ id }) => id)).size, DASHBOARD.panels.length);
  });

  test("shows every metric of the gateway's own", () => {
    const names = new Set(
      readFileSync(join(FOLDER, "../src/observe/metrics.ts"), "utf8").match(/\bcutover_\w+/g),
    );
    const shown = JSON.stringify(DASHBOARD);
    assert.ok(names.size >= 16);
    for (const name of names) assert.ok(shown.includes(name), name);
  });
});

test("every query of dashboard and alerts is answered by a Prometheus that reads a gateway at work", {
  timeout: 120_000,
}, async (t) => {
  const tools = await findPrometheus();
  if (typeof tools === "string") return t.skip(tools);
  await using scene = await openScene();
  const { gateway } = scene;
  await using prometheus = await startPrometheus(tools.prometheus, scraping(gateway.adminUrl));
  const seen = (expr: string): Promise<boolean> =>
    until(`Prometheus has seen ${expr}`, async () => (await prometheus.query(expr)).length > 0, {
      withinMs: 30_000,
      everyMs: 100,
    });

  // Each at work and read several times over, before what has to be seen as a change.
  await seen("count_over_time(cutover_rollbacks_total[1m]) > 4");
  await seen("cutover_fallbacks_total > 5");
  await seen('cutover_comparisons_total{result="mismatch"} > 5');
  await seen("increase(cutover_transient_delay_seconds_count[10s]) > 0");
  assert.equal((await gateway.act("rollout", "promote", "to be seen")).status, 200);
  assert.equal((await gateway.act("canary", "rollback", "to be seen")).status, 200);
  await seen("changes(cutover_rollout_step[1m]) > 0");
  await seen("cutover_gate_open");
  await seen("increase(cutover_rollbacks_total[10s]) > 0");
  await seen('ALERTS{alertname="CutoverRolledBack",alertstate="firing"}');

  await t.test("panels have numbers", () => panelsHaveNumbers(prometheus));
  await t.test("variables have values, annotations have events", async () => {
    for (const { name, definition = "" } of DASHBOARD.templating.list) {
      if (name === "datasource") continue;
      const [, selector = "", label = ""] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
      const found = await whatIsSeen(prometheus, `count by (${label}) (${filledIn(selector)})`);
      assert.ok(
        found.every(({ metric }) => metric[label] !== undefined),
        name,
      );
    }
    for (const { name, expr = "" } of ANNOTATIONS)
      assert.ok((await prometheus.queryRange(filledIn(expr), 60)).length > 0, name);
  });
  await t.test("alerts are evaluated without an error, and only those fire that should", () =>
    alertsAreWell(prometheus),
  );
  await t.test("what alerts select is there", () => selectorsFind(prometheus));
});

/** A scrape that took too long, as on a busy machine, leaves nothing to be seen until the next. */
function whatIsSeen(prometheus: PrometheusServer, query: string): Promise<Series[]> {
  return until(`something is to be seen of ${query}`, async () => {
    const found = await prometheus.query(query);
    return found.length > 0 ? found : null;
  });
}

async function panelsHaveNumbers(prometheus: PrometheusServer): Promise<void> {
  let asked = 0;
  for (const { title, type, targets = [] } of DASHBOARD.panels) {
    assert.ok(type === "row" || targets.length > 0, title);
    for (const { expr, instant, legendFormat = "" } of targets) {
      const query = filledIn(expr);
      const series = await until(`${title} has a number: ${query}`, async () => {
        const all = instant ? await prometheus.query(query) : await prometheus.queryRange(query, 10);
        return all.some(({ values }) => values.some((value) => Number.isFinite(value))) ? all : null;
      });
      for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.ok(
          series.every(({ metric }) => label in metric),
          `${title}: no label ${label}`,
        );
      asked += 1;
    }
  }
  assert.ok(asked > 30);
}

async function alertsAreWell(prometheus: PrometheusServer): Promise<void> {
  const rules = await until("all rules were evaluated", async () => {
    const all = await prometheus.rules();
    return all.every(({ health }) => health !== "unknown") ? all : null;
  });
  assert.ok(rules.length > 20);
  for (const { name, health, lastError, alerts = [] } of rules) {
    assert.equal(health, "ok", `${name}: ${lastError}`);
    for (const { annotations } of alerts) assert.doesNotMatch(JSON.stringify(annotations), /error expanding/);
  }
  const firing = await prometheus.query('count by (alertname) (ALERTS{alertstate="firing"})');
  assert.deepEqual(
    firing.map(({ metric }) => metric.alertname),
    ["CutoverRolledBack"],
  );
}

/** A misspelt name or label value would be no error, and an alert that never fires. */
async function selectorsFind(prometheus: PrometheusServer): Promise<void> {
  const { groups } = parse(readFileSync(ALERTS, "utf8")) as { groups: { rules: { expr: string }[] }[] };
  const selectors = new Set(
    groups.flatMap(({ rules }) =>
      rules.flatMap(
        ({ expr }) => expr.match(/(?<![:\w])(?:cutover_\w+|process_\w+|up)\b(?:\{[^}]*\})?/g) ?? [],
      ),
    ),
  );
  assert.ok(selectors.size > 15);
  for (const selector of selectors) await whatIsSeen(prometheus, selector);
}
