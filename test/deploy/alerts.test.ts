import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { FAILURES, isBackendsFault } from "../../src/model/failures.ts";
import { findPrometheus, run, type Tools } from "./prometheus.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, "deploy/prometheus");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Rule {
  readonly alert?: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

const { groups } = parse(read("deploy/prometheus/alerts.yml")) as { groups: { rules: Rule[] }[] };
const RULES = groups.flatMap(({ rules }) => rules);
const ALERTS = RULES.flatMap(({ alert, ...rest }) => (alert === undefined ? [] : [{ alert, ...rest }]));

/** What GitHub makes of a heading. */
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

describe("promtool says so of the alerts", () => {
  let tools: Tools | string = "";
  before(async () => {
    tools = await findPrometheus();
  });

  test("they and the configuration are valid", async (t) => {
    if (typeof tools === "string") return t.skip(tools);
    const { code, out } = await run(tools.promtool, ["check", "config", "prometheus.yml"], FOLDER);
    assert.equal(code, 0, out);
  });

  for (const file of ["alerts.test.yml", "alerts.days.test.yml"]) {
    test(`each fires when it should, and not without traffic or for a missed scrape: ${file}`, async (t) => {
      if (typeof tools === "string") return t.skip(tools);
      const { code, out } = await run(tools.promtool, ["test", "rules", file], FOLDER);
      assert.equal(code, 0, out);
    });
  }
});

describe("alerts", () => {
  test("each has a severity, a summary, a description and a page that exists", () => {
    for (const { alert, labels, annotations } of ALERTS) {
      assert.match(labels?.severity ?? "", /^(critical|warning|info)$/, alert);
      const { summary = "", description = "", runbook = "" } = annotations ?? {};
      assert.ok(summary.length > 10 && description.length > 40, alert);
      const [file = "", anchor = ""] = runbook.split("#");
      assert.ok(existsSync(join(ROOT, file)), `${alert}: ${file}`);
      const headings = [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => slug(heading));
      assert.ok(headings.includes(anchor), `${alert}: ${runbook} is not one of ${headings.join(" ")}`);
    }
  });

  test("each has its section in docs/monitoring.md, and its tests", () => {
    const headings = [...read("docs/monitoring.md").matchAll(/^### (Cutover\w+)$/gm)].map(([, name]) => name);
    const tests = read("deploy/prometheus/alerts.test.yml") + read("deploy/prometheus/alerts.days.test.yml");
    for (const { alert } of ALERTS) {
      assert.ok(headings.includes(alert), `${alert} is missing in docs/monitoring.md`);
      assert.match(tests, new RegExp(`\\b${alert}\\b`), `${alert} is not tested`);
    }
    assert.equal(headings.length, ALERTS.length, "docs/monitoring.md has sections of alerts that are none");
  });

  test("what they count as a failure is what the gateway does", () => {
    const dashboard = read("deploy/grafana/dashboards/cutover.json").replaceAll('\\"', '"');
    const matchers = (text: string): string[] =>
      [...text.matchAll(/code=~"([^"]+)"/g)].map(([, codes = ""]) => codes.split("|").sort().join(" "));
    const backends = ["5xx", ...FAILURES.filter(isBackendsFault)];
    const clients = [...backends, "connection_limit_reached", "proxy_internal_error"];
    const sorted = (codes: readonly string[]): string => [...codes].sort().join(" ");
    assert.deepEqual(new Set(matchers(read("deploy/prometheus/alerts.yml"))), new Set([sorted(clients)]));
    assert.deepEqual(new Set(matchers(dashboard)), new Set([sorted(backends)]));
  });
});
