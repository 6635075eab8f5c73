/** The table of a sweep on a page that lives, in a real browser. */
import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import type { Event } from "../../../src/engine/event.ts";
import { serveApp } from "../../../src/web/server.ts";
import { complaintsOf, openChromium } from "../../support/browser.ts";
import { sweepRun } from "../../support/page_runs.ts";
import { testWith } from "../../support/requires.ts";
import { TOKEN, webRig } from "../../support/web_app.ts";

testWith(
  ["chromium"],
  "a sweep that is sorted stays so while its cells end, with what is marked and focused",
  async () => {
    using rig = webRig();
    const [started, ...rest] = sweepRun();
    assert.ok(started?.type === "run.started");
    const { run } = started;
    rig.writer.append(run, [started]);
    rig.writer.enter(run);
    const ended = cellsOf(rest);
    const end = (cell: number) => rig.writer.append(run, ended[cell] ?? []);
    [0, 1, 2, 3].forEach(end);
    await using server = serveApp(rig.app, { port: 0, host: "127.0.0.1" });
    await using browser = await openChromium();
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const complaints = complaintsOf(page);
    const origin = `http://127.0.0.1:${server.port}`;
    await page.goto(`${origin}/?token=${TOKEN}`);
    await page.goto(`${origin}/runs/${run}`);
    await page.locator("#live.on").waitFor();

    const accuracies = page.locator(".sweep tbody tr td:nth-child(5)");
    const shown = async () => await numbers(accuracies);
    const head = page.getByRole("button", { name: /^accuracy/ });
    await head.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    assert.deepEqual(await shown(), [0.912, 0.911, 0.899, 0.898]);
    await page.locator(".sweep a").first().focus();
    const first = await page.evaluate("document.activeElement.closest('tr').id");
    await page.evaluate(`(() => {
      const cell = document.querySelector(".sweep tbody tr:nth-child(2) td:nth-child(5)");
      getSelection().selectAllChildren(cell);
    })()`);
    const marked = await page.evaluate("getSelection().toString()");

    // Better than all before, worse than all before, and between.
    for (const cell of [10, 7, 4]) {
      end(cell);
      await page.locator(`#ws${cell + 1} td:nth-child(5):not(:empty)`).waitFor();
      assert.deepEqual(await shown(), (await shown()).toSorted((a, b) => b - a));
      assert.equal(await page.evaluate("document.activeElement.closest('tr').id"), first);
      assert.equal(await page.evaluate("getSelection().toString()"), marked);
    }
    assert.equal((await shown()).length, 7);
    // Cells without a value stay below; the axis is sorted by them all.
    await page.getByRole("button", { name: /^seed/ }).click();
    const seeds = await numbers(page.locator(".sweep tbody tr td:nth-child(4)"));
    assert.deepEqual(seeds, seeds.toSorted((a, b) => a - b));
    assert.equal(await page.locator(".sweep th[aria-sort=ascending]").count(), 1);
    assert.deepEqual(complaints, []);
  },
);

async function numbers(cells: Locator): Promise<number[]> {
  const texts = await cells.allInnerTexts();
  return texts.map((text) => text.replace("best:", "").replace("★", "").trim())
    .filter((text) => text !== "").map(Number);
}

/** What happens in each cell, to its end. */
function cellsOf(events: readonly Event[]): readonly (readonly Event[])[] {
  const ofCells = events.filter((event) => "step" in event && event.step !== "try");
  return [...Map.groupBy(ofCells, (event) => "step" in event ? event.step : "").values()];
}
