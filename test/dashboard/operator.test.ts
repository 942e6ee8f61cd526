import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { json } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { openDashboard, openTab, type Stand, screenshot, startStand } from "./browser.ts";

/** Watched by nothing but the kill switch, so that nothing moves while numbers are compared. */
const ROUTES = `  - { name: profiles, match: { path: "/profiles/{id}" }, key: [path:id], canary: 25%, shadow: 100% }
  - { name: keys, match: { path: "/keys/{id}" }, key: [path:id], canary: 50% }
  - { name: all, match: { path: "/all/{id}" }, canary: 50% }
  - name: search
    match: { path: "/search/{id}" }
    key: [path:id]
    rollout:
      start: paused
      steps:
        - { shadow: 100%, bake: 1h }
        - { canary: 10%, bake: 1h }
        - { canary: 100%, bake: 1h, gate: never }
      gates:
        never: { file: never-there, every: 10s }`;

let stand: Stand;
before(async () => {
  stand = await startStand(
    {
      old: json({ id: 1, price: "1.50", address: { city: "Ulm", zip: "89073" } }),
      new: json({ id: 1, price: "1.5", address: { city: "Ulm" } }),
    },
    ROUTES,
  );
});
after(async () => {
  await stand[Symbol.asyncDispose]();
});

async function traffic(prefix: string, requests: number): Promise<void> {
  for (let id = 0; id < requests; id += 1) {
    const answer = await fetch(`${stand.gateway.proxyUrl}/${prefix}/${id}`);
    await answer.arrayBuffer();
  }
}

test("the numbers on the page are those of the API and of /metrics", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await traffic("profiles", 60);
  const { gateway } = stand;
  await until("all requests are counted, and pairs compared", async () => {
    const { comparisons, requests } = await gateway.route("profiles");
    return comparisons.mismatch >= 30 && requests.old + requests.new === 60;
  });
  await openDashboard(tab, gateway, "#/routes/profiles");
  const shown = async (name: string): Promise<number> => {
    const text = await tab.page.locator(`[data-number="${name}"]`).innerText();
    return Number(text.replaceAll(",", "").replace(/ .*$/, ""));
  };
  await tab.page.locator('[data-number="requests-old"]').waitFor();
  const status = await gateway.route("profiles");
  await until(
    "the page has the last numbers",
    async () => (await shown("requests-old")) === status.requests.old,
  );
  assert.equal(await shown("requests-new"), status.requests.new);
  assert.equal(status.requests.old + status.requests.new, 60);
  for (const side of ["old", "new"] as const) {
    const metric = await gateway.metric("cutover_requests_total", { route: "profiles", side });
    assert.equal(await shown(`requests-${side}`), metric);
    assert.equal(await shown(`errors-${side}`), 0);
  }
  await until("the page counts the mismatches", async () => {
    const { comparisons } = await gateway.route("profiles");
    return (await shown("mismatches")) === comparisons.mismatch;
  });
  await tab.page.getByText("Numbers: Requests a second").click();
  await tab.page.locator("details[open] tbody tr").first().waitFor();
  await screenshot(tab.page, "route");
  assert.deepEqual(tab.faults, []);
});

test("the overview says which side serves whom, and what comes next", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await openDashboard(tab, stand.gateway);
  const row = tab.page.locator(".route-row", { hasText: "search" });
  await row.getByText("waits for resume").waitFor();
  assert.deepEqual(await row.locator(".stage-name").allInnerTexts(), ["shadow", "10%", "100%"]);
  assert.match(await tab.page.locator(".route-row", { hasText: "profiles" }).innerText(), /new gets 25%/);
  await screenshot(tab.page, "overview");
  assert.deepEqual(tab.faults, []);
});

test("a rollback by click names its effect, asks the reason, and latches", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await openDashboard(tab, stand.gateway);
  await page.getByRole("button", { name: "Roll back profiles" }).click();
  const dialog = page.getByRole("dialog");
  assert.match(
    await dialog.locator("#confirm-effect").innerText(),
    /^25% of profiles.*will go back to old at once/,
  );
  const confirm = dialog.getByRole("button", { name: "Roll back" });
  assert.ok(await confirm.isDisabled(), "not without a reason");
  await dialog.getByLabel(/^Reason/).fill("prices are wrong");
  await screenshot(page, "confirmation");
  await confirm.click();
  const row = page.locator(".route-row.is-latched", { hasText: "profiles" });
  await row.getByText("ROLLED BACK").waitFor();
  const { latched, rollback, canary } = await stand.gateway.route("profiles");
  assert.deepEqual(
    [latched, rollback?.cause, rollback?.reason, canary],
    [true, "operator", "prices are wrong", 0],
  );
  await screenshot(page, "rolled-back");

  await row.getByRole("button", { name: "Reset profiles" }).click();
  await page
    .getByRole("dialog")
    .getByText(/25% of profiles.*will go to new at once/)
    .waitFor();
  await page.getByLabel(/^Reason/).fill("mended");
  await page.keyboard.press("Enter");
  await until("the latch is cleared", async () => !(await stand.gateway.route("profiles")).latched);
  await page.locator(".route-row:not(.is-latched)", { hasText: "profiles" }).waitFor();
  assert.deepEqual(tab.faults, []);
});

test("the keyboard alone is enough to roll back", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await openDashboard(tab, stand.gateway);
  await page.getByRole("button", { name: "Roll back keys" }).waitFor();
  const focused = (): Promise<string> =>
    page.evaluate("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.name ?? ''");
  for (let presses = 0; (await focused()) !== "Roll back keys"; presses += 1) {
    assert.ok(presses < 40, "the button is reached");
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await until("the reason has the focus", async () => (await focused()) === "reason");
  await page.keyboard.press("Escape");
  // A closed dialog has no role any more, a moment before the page has taken it away.
  await page.locator("dialog").waitFor({ state: "detached" });
  await until("the focus is back at the button", async () => (await focused()) === "Roll back keys");
  await page.keyboard.press("Enter");
  await until("the reason has the focus again", async () => (await focused()) === "reason");
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await until("it is latched", async () => (await stand.gateway.route("keys")).latched);
  assert.deepEqual(tab.faults, []);
});

test("everything can be rolled back from every view", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  for (const view of ["#/", "#/routes/all", "#/mismatches", "#/rules"]) {
    await openDashboard(tab, stand.gateway, view);
    await page.getByRole("button", { name: "Roll back all routes" }).waitFor();
  }
  await page.getByRole("button", { name: "Roll back all routes" }).click();
  await page
    .getByText(/^All traffic of 4 routes goes back to old at once.* New serves (no|about \d+) requests?/)
    .waitFor();
});

test("a rollout is resumed, promoted and paused, and a refusal is told in words", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  const { gateway } = stand;
  await openDashboard(tab, gateway, "#/routes/search");
  const act = async (button: string, effect: RegExp, to?: string): Promise<void> => {
    await page.getByRole("button", { name: `${button} search` }).click();
    await page.getByRole("dialog").waitFor();
    if (to !== undefined) await page.getByLabel(/^Straight to a share/).fill(to);
    await page.getByRole("dialog").getByText(effect).waitFor();
    await page.getByLabel(/^Reason/).fill("because");
    await page.getByRole("dialog").getByRole("button", { name: button }).click();
  };
  await act("Resume", /goes on at step 0|begins/);
  await until("it bakes", async () => (await gateway.route("search")).state === "baking");
  await act("Promote", /10% of search.*will go to new \(0% now\)/);
  await until("new serves 10%", async () => (await gateway.route("search")).canary === 0.1);
  await act("Promote", /5% of search/, "5%");
  await page
    .getByRole("alert")
    .getByText(/promote only raises a share/)
    .waitFor();
  await screenshot(page, "refusal");
  await page.getByRole("button", { name: "Cancel" }).click();
  await act("Pause", /The shares stay as they are/);
  await until("it is paused", async () => (await gateway.route("search")).state === "paused");
  await page.getByRole("cell", { name: "because" }).first().waitFor();
  assert.deepEqual(tab.faults, []);
});

test("from the clusters to a pair, the commands that ask again, and the lines that ignore it", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await openDashboard(tab, stand.gateway, "#/mismatches/profiles");
  await page.getByRole("cell", { name: "$.address.zip", exact: true }).waitFor();
  await screenshot(page, "mismatches");
  await page.getByRole("button", { name: "By field" }).click();
  assert.match(await page.locator(".tree").first().innerText(), /\.address[\s\S]*\.zip/);
  await screenshot(page, "fields");
  await page.getByRole("link", { name: /see one that differs at \$\.address\.zip/ }).click();
  await page.getByRole("heading", { name: /^GET \/profiles\// }).waitFor();
  assert.ok(
    (await page.locator(".delta mark").allInnerTexts()).some(
      (text) => text.includes("0") || text.includes("zip"),
    ),
  );
  const commands = await page.locator(".code pre").allInnerTexts();
  for (const [index, { url }] of [stand.old, stand.fresh].entries()) {
    assert.match(commands[index] ?? "", new RegExp(`^curl .*${url}/profiles/\\d+$`));
  }
  await page.getByRole("button", { name: "Ignore this $.address.zip" }).click();
  await page.getByText("cutover ignore profiles '$.address.zip'").waitFor();
  await page.getByText('- "$.address.zip"').waitFor();
  await screenshot(page, "pair");
  assert.deepEqual(tab.faults, []);
});

test("the rules in force, and why a request goes where it goes", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await openDashboard(tab, stand.gateway, "#/rules");
  const { rules } = await stand.gateway.status();
  await page.getByText(rules.version).waitFor();
  await page.getByLabel(/^Path/).fill("/profiles/7");
  await page.getByLabel(/^Headers/).fill("accept: text/plain\nx-many: a\nx-many: b");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText(/^Goes to (old|new)/).waitFor();
  await screenshot(page, "rules");
  await page.getByLabel(/^Headers/).fill("no such thing");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.locator(".refusal").waitFor();
  assert.deepEqual(tab.faults, []);
});
