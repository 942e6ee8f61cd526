import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { json } from "../support/backend.ts";
import { TestGateway, TOKEN } from "../support/gateway.ts";
import { steadyPort } from "../support/ports.ts";
import { until } from "../support/until.ts";
import { openDashboard, openTab, rulesFor, type Stand, screenshot, startStand } from "./browser.ts";

const ROUTES = `  - { name: profiles, match: { path: "/profiles/{id}" }, canary: 5% }`;

let stand: Stand;
before(async () => {
  stand = await startStand({ old: json({}), new: json({}) }, ROUTES);
});
after(async () => {
  await stand[Symbol.asyncDispose]();
});

test("the token of the link is taken out of the address, and kept for this tab", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await openDashboard(tab, stand.gateway);
  assert.equal(page.url(), `${stand.gateway.adminUrl}/#/`);
  await page.reload();
  await page.getByRole("link", { name: "profiles" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Admin token").waitFor();
  assert.equal(
    await page.evaluate("sessionStorage.length + localStorage.length + document.cookie.length"),
    0,
  );
  assert.deepEqual(tab.faults, []);
});

test("without a token it is asked for, a wrong one is refused in words, the right one opens", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await page.goto(stand.gateway.adminUrl);
  await screenshot(page, "token");
  await page.getByLabel("Admin token").fill("guess");
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("alert").getByText("the token is wrong").waitFor();
  await page.getByLabel("Admin token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "profiles" }).waitFor();
  assert.deepEqual(tab.faults, []);
});

test("a link with a wrong token leads to the question", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await tab.page.goto(`${stand.gateway.adminUrl}/#token=old%20token`);
  await tab.page.getByRole("alert").getByText(/token/).waitFor();
  await tab.page.getByLabel("Admin token").waitFor();
  assert.ok(!tab.page.url().includes("token="), tab.page.url());
  assert.deepEqual(tab.faults, []);
});

test("no request carries the token in its address", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const asked: string[] = [];
  tab.page.on("request", (request) => asked.push(request.url()));
  await openDashboard(tab, stand.gateway);
  await until("the API is asked", () => asked.some((url) => url.includes("/api/v1/events")));
  // A browser keeps the fragment to itself; the page's own address is told with it here.
  assert.deepEqual(
    asked.filter((url) => url.replace(/#.*$/, "").includes(TOKEN)),
    [],
  );
});

test("what another operator does is seen at once, without a reload", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await openDashboard(tab, stand.gateway, "#/routes/profiles");
  await tab.page
    .getByText("Nothing has been done yet")
    .or(tab.page.getByText("What was done"))
    .first()
    .waitFor();
  await stand.gateway.act("profiles", "rollback", "seen by all");
  await tab.page.getByText("seen by all").first().waitFor();
  await stand.gateway.act("profiles", "reset", "and back");
  await tab.page.getByText("and back").first().waitFor();
  assert.deepEqual(tab.faults, []);
});

test("behind a proxy that holds event streams back, it is seen all the same", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await tab.page.route("**/api/v1/events", () => {}); // neither passed on nor refused
  await openDashboard(tab, stand.gateway, "#/routes/profiles");
  await tab.page.getByText("● live").waitFor();
  await stand.gateway.act("profiles", "rollback", "without a stream");
  await tab.page.getByText("without a stream").first().waitFor();
  await stand.gateway.act("profiles", "reset", "back again");
  assert.deepEqual(tab.faults, []);
});

test("a hidden page asks nothing and holds no stream, and is up to date when it is seen again", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  const asked: string[] = [];
  const ended: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("requestfailed", (request) => ended.push(request.url()));
  page.on("requestfinished", (request) => ended.push(request.url()));
  await openDashboard(tab, stand.gateway);
  await until("the stream is open", () => asked.some((url) => url.endsWith("/events")));
  const turn = (hidden: boolean): Promise<unknown> =>
    page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"))`);
  await turn(true);
  await until("the stream is closed", () => ended.some((url) => url.endsWith("/events")));
  // What was asked before may be answered still, and would tell of the rollback.
  await until("nothing is under way", () => ended.length === asked.length);
  await stand.gateway.act("profiles", "rollback", "while nobody looked");
  // Longer than the page waits between two questions: nothing comes of it, so there is nothing to wait for.
  await page.waitForTimeout(500);
  const before = asked.length;
  await page.waitForTimeout(2_500);
  assert.equal(asked.length, before);
  assert.equal(await page.getByText("ROLLED BACK").count(), 0);
  await turn(false);
  await page.getByText("ROLLED BACK").first().waitFor();
  await stand.gateway.act("profiles", "reset", "looked again");
  await page.locator(".route-row:not(.is-latched)").waitFor();
  assert.deepEqual(tab.faults, []);
});

test("after a restart of the gateway the page goes on by itself, and says so meanwhile", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  const rules = rulesFor(stand, ROUTES);
  const flags = ["--admin", `127.0.0.1:${await steadyPort()}`];
  const first = await TestGateway.start({ rules, flags });
  context.after(() => first[Symbol.asyncDispose]());
  const resumed: (string | undefined)[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/v1/events")) resumed.push(request.headers()["last-event-id"]);
  });
  await openDashboard(tab, first);
  await page.getByText("● live").waitFor();
  await first.act("profiles", "rollback", "before the restart");
  await page.getByText("ROLLED BACK").first().waitFor();
  await first.act("profiles", "reset", "again");
  await page.locator(".route-row:not(.is-latched)").waitFor();
  const [last] = await first.audit();
  await first.stop();
  await page.getByText(/no answer: the gateway cannot be reached/).waitFor();
  await screenshot(page, "no-answer");
  const second = await TestGateway.start({ rules, folder: first.folder, flags });
  context.after(() => second[Symbol.asyncDispose]());
  await page.getByText("● live").waitFor();
  await second.act("profiles", "rollback", "after the restart");
  await page.getByText("ROLLED BACK").first().waitFor();
  await until("the stream goes on where it was", () => resumed.includes(String(last?.id)));
  await second.stop();
  assert.deepEqual(tab.faults, []);
});

test("a gateway that hangs is not shown as live", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await openDashboard(tab, stand.gateway);
  await page.getByText("● live").waitFor();
  await page.route("**/api/v1/status", () => {}); // never answered
  await page.getByText(/no answer yet; shown is from \d+ s ago/).waitFor();
  assert.equal(await page.getByRole("alert").innerText(), "✕ no answer yet", "no seconds are read out");
  assert.deepEqual(tab.faults, []);
});
