/** A real browser in front of a real gateway. */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import sparticuz from "@sparticuz/chromium";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { startBackend, type TestBackend } from "../support/backend.ts";
import { TestGateway, type TestGatewayOptions, TOKEN } from "../support/gateway.ts";

/** With them closing one context kills the browser, or the browser forbids less than that of a user. */
const UNWANTED = [
  "--single-process",
  "--no-zygote",
  "--disable-web-security",
  "--allow-running-insecure-content",
  "--disable-site-isolation-trials",
];
/** Longest wait for anything on the page. */
const PATIENCE_MS = 20_000;

let launched: Promise<Browser | string> | undefined;
after(async () => {
  const browser = await launched;
  if (browser !== undefined && typeof browser !== "string") await browser.close();
});

/** One browser a file; a text says why there can be none. */
function browserOrWhy(): Promise<Browser | string> {
  launched ??= (async () => {
    try {
      const args = sparticuz.args.filter((arg) => !UNWANTED.includes(arg));
      return await chromium.launch({ executablePath: await sparticuz.executablePath(), args });
    } catch (error) {
      return `the browser cannot start here: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
    }
  })();
  return launched;
}

export interface Tab {
  readonly page: Page;
  /** What went wrong in the page: exceptions, violations of the policy, opened dialogs. */
  readonly faults: string[];
}

/** A tab of its own context, closed after the test. Undefined: there is no browser, and the test is skipped. */
export async function openTab(
  context: TestContext,
  options: BrowserContextOptions = {},
): Promise<Tab | undefined> {
  const browser = await browserOrWhy();
  if (typeof browser === "string") {
    context.skip(browser);
    return undefined;
  }
  const own = await browser.newContext({
    locale: "en-US",
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.after(() => own.close());
  own.setDefaultTimeout(PATIENCE_MS);
  const page = await own.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) faults.push(message.text());
  });
  return { page, faults };
}

/** The dashboard of a gateway, with the token from the link; `view` such as "#/rules". */
export async function openDashboard({ page }: Tab, gateway: TestGateway, view = "#/"): Promise<void> {
  await page.goto(`${gateway.adminUrl}/#token=${TOKEN}`);
  await page.getByRole("navigation").waitFor();
  if (view !== "#/") await page.evaluate(`location.hash = ${JSON.stringify(view)}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
}

export interface Stand extends AsyncDisposable {
  readonly old: TestBackend;
  readonly fresh: TestBackend;
  readonly gateway: TestGateway;
}

/** Two backends and a gateway between; `routes` is the list in the rules. */
export async function startStand(
  scripts: Readonly<Record<"old" | "new", Parameters<typeof startBackend>[0]>>,
  routes: string,
  options: Partial<TestGatewayOptions> = {},
): Promise<Stand> {
  const stack = new AsyncDisposableStack();
  const old = stack.use(await startBackend(scripts.old));
  const fresh = stack.use(await startBackend(scripts.new));
  const rules = rulesFor({ old, fresh }, routes);
  const gateway = stack.use(await TestGateway.start({ ...options, rules }));
  return { old, fresh, gateway, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export function rulesFor({ old, fresh }: Pick<Stand, "old" | "fresh">, routes: string): string {
  return `version: 1
backends:
  legacy: { url: "${old.url}" }
  modern: { url: "${fresh.url}" }
defaults: { old: legacy, new: modern }
routes:
${routes}
`;
}

/** Kept where CUTOVER_SCREENSHOTS names a folder. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.CUTOVER_SCREENSHOTS;
  if (folder === undefined || folder === "") return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Fails with what axe finds on the page as it is. */
export async function assertAccessible(page: Page, where: string): Promise<void> {
  await page.evaluate(axe.source);
  const violations = (await page.evaluate(
    "axe.run(document).then((result) => result.violations)",
  )) as Violation[];
  const found = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .slice(0, 3)
        .map(({ html, failureSummary }) => `${html}\n${failureSummary}`)
        .join("\n")}`,
  );
  assert.deepEqual(found, [], where);
}

/** Nothing must stand out to the right of a narrow screen. */
export async function assertFits(page: Page, where: string): Promise<void> {
  const wide = (await page.evaluate("document.documentElement.scrollWidth - innerWidth")) as number;
  assert.ok(wide <= 0, `${where} is ${wide} px wider than the screen`);
}
