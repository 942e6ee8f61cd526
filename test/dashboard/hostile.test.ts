import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ask } from "../support/ask.ts";
import { until } from "../support/until.ts";
import { openDashboard, openTab, rulesFor, type Stand, screenshot, startStand, type Tab } from "./browser.ts";

/** Each would run, load or close something if it ever became markup. */
const PAYLOADS = [
  "<img src=x onerror=alert(1)>",
  "</script><script>alert(2)</script>",
  "'\"><svg onload=alert(3)>",
  "javascript:alert(4)",
  "{{7*7}}<b>bold</b>",
] as const;
/** Turns the rest of a line around where it is shown as it is. */
const REVERSED = "\u202etxt.exe";

const hostileBody = (side: string): string =>
  JSON.stringify({
    ...Object.fromEntries(PAYLOADS.map((payload, index) => [payload, `${side} ${index} ${payload}`])),
    reversed: `${side}${REVERSED}`,
    long: side.repeat(50_000),
  });

const answerAs = (side: string) => (_req: unknown, res: import("node:http").ServerResponse) => {
  res.writeHead(200, { "content-type": "application/json", "x-note": `${side} ${PAYLOADS[0]}` });
  res.end(hostileBody(side));
};

const ROUTES = `  - name: profiles
    match: { path: "/profiles/**" }
    key: [header:x-tenant-id]
    canary: 50%
    shadow: 100%
    compare: { headers: [content-type, x-note] }`;

let stand: Stand;
before(async () => {
  stand = await startStand({ old: answerAs("old"), new: answerAs("new") }, ROUTES);
  for (const payload of PAYLOADS) {
    await ask(stand.gateway.proxyUrl, {
      path: `/profiles/${payload.replaceAll(" ", "%20")}?q=${payload.replaceAll(" ", "+")}`,
      headers: { "x-tenant-id": payload, accept: payload, "user-agent": payload },
    });
  }
  await until("pairs are compared and kept", async () => {
    const { body } = await stand.gateway.admin("GET", "/api/v1/samples");
    return (body as unknown[]).length >= 1;
  });
});
after(async () => {
  await stand[Symbol.asyncDispose]();
});

/** No element that the dashboard does not make itself, no handler, nothing that ran. */
async function assertStillText({ page, faults }: Tab, where: string): Promise<void> {
  const strangers =
    "#app :is(img, script, iframe, object, embed, b:has(b), svg[onload], [onerror], [href^=javascript])";
  assert.equal(await page.locator(strangers).count(), 0, where);
  assert.equal(await page.evaluate("document.scripts.length"), 1, where);
  assert.deepEqual(faults, [], where);
}

test("what clients and backends send stays text in the list and in a pair", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  await openDashboard(tab, stand.gateway, "#/mismatches");
  await page.getByText("header:x-note", { exact: true }).waitFor();
  await assertStillText(tab, "mismatches");
  await page.getByRole("button", { name: "By field" }).click();
  await page.locator(".tree").first().waitFor();
  await assertStillText(tab, "fields");
  await screenshot(page, "hostile-fields");
  const samples = (await stand.gateway.admin("GET", "/api/v1/samples")).body as { id: number }[];
  for (const { id } of samples.slice(0, 3)) {
    await openDashboard(tab, stand.gateway, `#/pairs/${id}`);
    await page.getByRole("heading", { name: "Side by side" }).waitFor();
    assert.match(await page.locator("#app").innerText(), /onerror=alert\(1\)/);
    assert.ok(
      !(await page.locator("#app").innerText()).includes("\u202e"),
      "what turns text around is spelled out",
    );
    for (const button of await page.getByRole("button", { name: /^Ignore/ }).all()) await button.click();
    await assertStillText(tab, `pair ${id}`);
  }
  await screenshot(page, "hostile-pair");
});

test("a hostile address, key or reason stays text", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  for (const payload of PAYLOADS) {
    await openDashboard(tab, stand.gateway, `#/routes/${encodeURIComponent(payload)}`);
    await page.getByText("The rules name no route like this").waitFor();
    await assertStillText(tab, payload);
  }
  await openDashboard(tab, stand.gateway, "#/rules");
  await page.getByLabel(/^Path/).fill("/profiles/7");
  await page.getByLabel(/^Headers/).fill(`x-tenant-id: ${PAYLOADS[0]}`);
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText(PAYLOADS[0]).first().waitFor();
  await assertStillText(tab, "explain");
  await stand.gateway.act("profiles", "rollback", PAYLOADS[1]);
  await openDashboard(tab, stand.gateway, "#/routes/profiles");
  await page.getByText(PAYLOADS[1]).first().waitFor();
  await assertStillText(tab, "route");
});

test("hostile names in the rules, and in whatever the API might say, stay text", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  const { page } = tab;
  const broken = ROUTES.replace("name: profiles", `name: ${JSON.stringify(PAYLOADS[0])}`);
  await writeFile(stand.gateway.rulesFile, rulesFor(stand, broken));
  await until("the rules are found broken", async () => (await stand.gateway.status()).rules.error !== null);
  await openDashboard(tab, stand.gateway);
  await page.locator(".warning", { hasText: "onerror" }).waitFor();
  await assertStillText(tab, "broken rules");
  await screenshot(page, "broken-rules");

  const status = await stand.gateway.status();
  const [route] = status.routes;
  const [evil] = PAYLOADS;
  const named = {
    ...status,
    store: evil,
    backends: [{ name: evil, endpoints: [{ url: "javascript:alert(1)", healthy: false }] }],
    routes: PAYLOADS.map((name) => ({
      ...route,
      name,
      waitingFor: name,
      gates: [{ name, answer: "no", why: name }],
    })),
  };
  await page.route("**/api/v1/status", (call) => call.fulfill({ json: named }));
  for (const view of ["#/", `#/routes/${encodeURIComponent(evil)}`, "#/rules", "#/mismatches"]) {
    await openDashboard(tab, stand.gateway, view);
    await page.getByText(evil).first().waitFor();
    await assertStillText(tab, view);
  }
});

test("the browser is told to run nothing but the dashboard's own script", async (context) => {
  const tab = await openTab(context);
  if (tab === undefined) return;
  await openDashboard(tab, stand.gateway);
  await tab.page.evaluate(`(() => {
    const image = document.createElement("div");
    document.body.append(image);
    try { image.innerHTML = "<img src=x onerror='window.ran = true'>"; } catch { /* refused, as it should be */ }
    const script = document.createElement("script");
    try { script.textContent = "window.ran = true"; document.body.append(script); } catch { /* refused, as it should be */ }
  })()`);
  assert.equal(await tab.page.evaluate("window.ran === undefined"), true);
  await until("the browser says what it did not allow", () => tab.faults.length > 0);
});
