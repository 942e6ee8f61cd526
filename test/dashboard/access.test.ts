import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { json } from "../support/backend.ts";
import { until } from "../support/until.ts";
import {
  assertAccessible,
  assertFits,
  openDashboard,
  openTab,
  type Stand,
  screenshot,
  startStand,
  type Tab,
} from "./browser.ts";

const ROUTES = `  - { name: profiles, match: { path: "/profiles/{id}" }, key: [path:id], canary: 25%, shadow: 100% }
  - { name: latched, match: { path: "/latched/{id}" }, canary: 50% }
  - name: search
    match: { path: "/search/{id}" }
    rollout:
      start: running
      steps:
        - { shadow: 100%, bake: 1h, gate: backfill-done }
        - { canary: 1%, bake: 1h }
        - { canary: 5%, bake: 1h, approve: true }
        - { canary: 25%, bake: 1h, gate: backfill-done }
        - { canary: 100%, bake: 1h }
      gates:
        backfill-done: { file: backfill-done, every: 10s }
  - name: fallen
    match: { path: "/fallen/{id}" }
    rollout:
      start: running
      steps:
        - { shadow: 100%, bake: 1h }
        - { canary: 1%, bake: 1h }
        - { canary: 5%, bake: 1h }
        - { canary: 25%, bake: 1h }
        - { canary: 100%, bake: 1h }`;

const VIEWS = [
  { name: "overview", hash: "#/" },
  { name: "route", hash: "#/routes/profiles" },
  { name: "rollout", hash: "#/routes/search" },
  { name: "latched", hash: "#/routes/latched" },
  { name: "mismatches", hash: "#/mismatches" },
  { name: "rules", hash: "#/rules" },
] as const;

let stand: Stand;
before(async () => {
  stand = await startStand(
    {
      old: json({ items: [{ sku: "a-1", price: "1.50" }], note: "a long word: ".padEnd(300, "x") }),
      new: json({ items: [{ sku: "a-1", price: "1.5" }], note: "a long word: ".padEnd(301, "x") }),
    },
    ROUTES,
  );
  const { gateway } = stand;
  for (let id = 0; id < 20; id += 1) await (await fetch(`${gateway.proxyUrl}/profiles/${id}`)).arrayBuffer();
  for (const name of ["latched", "fallen"]) await gateway.act(name, "rollback", "shown in a test");
  await until(
    "pairs are kept",
    async () => ((await gateway.admin("GET", "/api/v1/samples")).body as []).length > 0,
  );
});
after(async () => {
  await stand[Symbol.asyncDispose]();
});

async function eachView(tab: Tab, look: string): Promise<void> {
  const { page } = tab;
  const [sample] = (await stand.gateway.admin("GET", "/api/v1/samples")).body as { id: number }[];
  for (const { name, hash } of [...VIEWS, { name: "pair", hash: `#/pairs/${sample?.id}` }]) {
    await openDashboard(tab, stand.gateway, hash);
    if (name === "pair")
      await page
        .getByRole("button", { name: /^Ignore/ })
        .first()
        .click();
    if (name === "mismatches") await page.getByRole("button", { name: "By field" }).waitFor();
    for (const summary of (await page.locator("summary").all()).slice(0, 1)) await summary.click();
    await screenshot(page, `${name}-${look}`);
    await assertAccessible(page, `${name}, ${look}`);
    await assertFits(page, `${name}, ${look}`);
  }
}

test("no view has an accessibility fault in the light", async (context) => {
  const tab = await openTab(context, { colorScheme: "light" });
  if (tab !== undefined) await eachView(tab, "light");
});

test("no view has an accessibility fault in the dark, at 360 px", async (context) => {
  const tab = await openTab(context, { colorScheme: "dark", viewport: { width: 360, height: 740 } });
  if (tab !== undefined) await eachView(tab, "dark-360");
});

test("the steps shadow, 1%, 5%, 25% and 100% stand in one line", async (context) => {
  for (const width of [1280, 360]) {
    const tab = await openTab(context, { viewport: { width, height: 740 } });
    if (tab === undefined) return;
    await openDashboard(tab, stand.gateway);
    for (const name of ["search", "fallen"]) {
      const steps = tab.page.locator(".route-row", { hasText: name }).locator(".stages li");
      await steps.first().waitFor();
      assert.equal(await steps.count(), 5);
      const tops = await steps.evaluateAll((items) => items.map((item) => item.getBoundingClientRect().top));
      assert.equal(new Set(tops).size, 1, `${name} at ${width} px`);
    }
  }
});

test("a rolled-back route says where it was, and since when", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await openDashboard(tab, stand.gateway);
  const row = tab.page.locator(".route-row.is-latched", { hasText: "fallen" });
  assert.equal(await row.locator(".stages .fell .stage-name").innerText(), "shadow");
  await row.getByText(/^since .* ago\), by the operator$/).waitFor();
});

test("a route's page says where new differs, and since when", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await openDashboard(tab, stand.gateway, "#/routes/profiles");
  await tab.page.getByRole("heading", { name: "Where new differs, and since when" }).waitFor();
  await tab.page.getByRole("cell", { name: "$.items[*].price", exact: true }).waitFor();
  await tab.page
    .getByText(/^(just now|\d+ (s|min) ago) \//)
    .first()
    .waitFor();
});

test("nor have the questions: the token, a confirmation", async (context) => {
  for (const colorScheme of ["light", "dark"] as const) {
    const tab = await openTab(context, { colorScheme, viewport: { width: 360, height: 740 } });
    if (tab === undefined) return;
    const { page } = tab;
    await page.goto(stand.gateway.adminUrl);
    await page.getByLabel("Admin token").waitFor();
    await assertAccessible(page, `token, ${colorScheme}`);
    await openDashboard(tab, stand.gateway, "#/routes/search");
    await page.getByRole("button", { name: "Promote search" }).click();
    await page.getByRole("dialog").waitFor();
    await screenshot(page, `dialog-${colorScheme}-360`);
    await assertAccessible(page, `confirmation, ${colorScheme}`);
    await assertFits(page, `confirmation, ${colorScheme}`);
  }
});
