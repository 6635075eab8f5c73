/** A real Chromium, and what may be asked of every page in it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { findProgram } from "./requires.ts";

export async function openChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath: findProgram("chromium") ?? "chromium",
    args: ["--no-sandbox"],
  });
}

/** What a page complains of, as it comes. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() !== "log") complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

/** Findings of any weight, in words. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  return await page.evaluate(
    `${axe.source}; axe.run(document).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`,
  );
}

/** Nothing to complain of, and nothing wider than the window. */
export async function assertSound(page: Page, name: string): Promise<void> {
  assert.deepEqual(await axeFindings(page), [], name);
  const beyond = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  assert.ok(beyond <= 0, `${name} is ${beyond} pixels wider than the window`);
  const folder = Deno.env.get("GRID_TEST_SCREENSHOTS");
  if (folder === undefined) return;
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
