/** `report.html` in a real Chromium, as people open it: a file, without a network. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Event } from "../../../src/engine/event.ts";
import { createReport } from "../../../src/report/report.ts";
import { assertSound, complaintsOf, openChromium } from "../../support/browser.ts";
import {
  COLOURED,
  HOSTILE_WORDS,
  hostileRun,
  hundredFailures,
  sweepRun,
} from "../../support/page_runs.ts";
import { feed } from "../../support/reader_feed.ts";
import { testWith } from "../../support/requires.ts";
import { failedRun, longRun, succeededRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";

const EPOCHS = Array.from({ length: 60 }, (_, at) => `epoch ${at + 1} of 60`).join("\n");
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

interface Situation {
  readonly events: readonly Event[];
  /** What each attempt prints. */
  readonly text: string;
}

const SITUATIONS: Readonly<Record<string, Situation>> = {
  succeeded: { events: succeededRun(), text: `${EPOCHS}\n${COLOURED}\n` },
  failed: { events: failedRun(), text: `${COLOURED}\n` },
  "under way": { events: succeededRun().slice(0, 17), text: "half a line" },
  sweep: { events: sweepRun(), text: "done\n" },
  "hundred failures": { events: hundredFailures(), text: `${COLOURED}\n` },
  hostile: { events: hostileRun(), text: `${HOSTILE_WORDS}\n` },
};

async function writePage(folder: string, { events, text }: Situation): Promise<string> {
  const stats = { handshakes: 1, reconnects: 0, channels: 7, bytesSent: 2e6, bytesReceived: 4e4 };
  const report = createReport({
    folder,
    stats: () => new Map([["gpu1", { ...stats, roundTripMs: 0.42 }]]),
  });
  const show = feed(report);
  for (const event of events) {
    if (event.type === "attempt.finished" && text !== "") {
      const { step, attempt } = event;
      report.output({ step, attempt, stream: "stdout", bytes: new TextEncoder().encode(text) });
    }
    show(event);
  }
  await report.close();
  return pathToFileURL(join(folder, "report.html")).href;
}

interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: readonly string[];
  /** Addresses that were asked for. */
  readonly requests: readonly string[];
}

async function open(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  const complaints = complaintsOf(page);
  await page.goto(address);
  return { page, complaints, requests, [Symbol.asyncDispose]: () => context.close() };
}

const unfold = `for (const one of document.querySelectorAll("details")) one.open = true`;

testWith(["chromium"], "report.html in a browser", async (t) => {
  using dir = tempDir();
  await using browser = await openChromium();
  const pages: Record<string, string> = {};
  for (const [name, situation] of Object.entries(SITUATIONS)) {
    const folder = join(dir.path, name.replaceAll(" ", "-"));
    Deno.mkdirSync(folder);
    pages[name] = await writePage(folder, situation);
  }
  const addressOf = (name: string) => pages[name] ?? "";

  for (const name of Object.keys(SITUATIONS)) {
    await t.step(`of a run: ${name}; wide and light, then on a phone, dark, unfolded`, async () => {
      for (const isDark of [false, true]) {
        const viewport = isDark ? PHONE : WIDE;
        const colorScheme = isDark ? "dark" : "light";
        await using opened = await open(browser, addressOf(name), { viewport, colorScheme });
        const { page, complaints, requests } = opened;
        // A hundred logs at once would only cost time.
        if (isDark && name !== "hundred failures") await page.evaluate(unfold);
        await assertSound(page, `report of ${name}, ${isDark ? "phone" : "wide"}`);
        assert.deepEqual(complaints, []);
        assert.deepEqual(requests, [addressOf(name)]);
      }
    });
  }

  await t.step("hostile words stay words", async () => {
    await using opened = await open(browser, addressOf("hostile"));
    const { page } = opened;
    assert.equal(await page.evaluate("window.broken"), undefined);
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.locator("script").count(), 1);
    const shown = await page.locator("h1").innerText();
    assert.ok(shown.includes("</pre></script><script>window.broken = 1</script>"), shown);
    await page.evaluate(unfold);
    const log = await page.locator(".step pre.log").first().innerText();
    assert.ok(log.includes(`<img src=x onerror="window.broken = 2">`), log);
    await page.fill("#search", "</script>");
    await page.locator("#found", { hasText: "2 lines" }).waitFor();
    assert.equal(await page.evaluate("window.broken"), undefined);
  });

  await t.step("the search finds steps and lines, and goes from one to the next", async () => {
    await using opened = await open(browser, addressOf("succeeded"));
    const { page } = opened;
    await page.keyboard.press("/");
    await page.keyboard.type("EPOCH 5");
    // 5 and 50 to 59, in every log; what it counted after fewer letters may stand there for a moment.
    await page.locator("#found", { hasText: "5 steps, 66 lines" }).waitFor();
    assert.equal(await page.locator(".step:visible").count(), 5);
    await page.keyboard.press("Enter");
    const first = page.locator(".log .at");
    assert.equal((await first.innerText()).trim(), "epoch 5 of 60");
    assert.ok(await first.isVisible());
    await page.keyboard.press("Enter");
    assert.equal((await page.locator(".log .at").innerText()).trim(), "epoch 50 of 60");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator(".step:visible").count(), 6);
    await page.fill("#search", "score");
    await page.locator("#found", { hasText: "1 step" }).waitFor();
    assert.deepEqual(await page.locator(".step:visible b").first().innerText(), "score");
  });

  await t.step("steps can be had by their state", async () => {
    await using opened = await open(browser, addressOf("failed"));
    const { page } = opened;
    const failed = page.getByRole("button", { name: "1 failed" });
    await failed.click();
    assert.equal(await failed.getAttribute("aria-pressed"), "true");
    assert.deepEqual(await page.locator(".step:visible .name b").allInnerTexts(), ["train"]);
    await failed.click();
    assert.equal(await page.locator(".step:visible").count(), 6);
  });

  await t.step("a line has an address, which unfolds what it lies in", async () => {
    await using opened = await open(browser, `${addressOf("succeeded")}#L3-2-17`);
    const { page } = opened;
    const line = page.locator("#L3-2-17");
    assert.ok(await line.isVisible());
    assert.equal((await line.innerText()).trim(), "epoch 17 of 60");
    assert.match(await line.getAttribute("class") ?? "", /\bat\b/);
    await page.locator("#L3-2-19").click({ position: { x: 20, y: 8 } });
    assert.ok(page.url().endsWith("#L3-2-19"), page.url());
    assert.match(await page.locator("#L3-2-19").getAttribute("class") ?? "", /\bat\b/);
  });

  await t.step("a sweep is sorted by any column, by keys too, up and down", async () => {
    await using opened = await open(browser, addressOf("sweep"));
    const { page } = opened;
    const column = () => page.locator(".sweep tbody tr td:nth-child(5)").allInnerTexts();
    const head = page.getByRole("button", { name: /^accuracy/ });
    await head.focus();
    await page.keyboard.press("Enter");
    const up = await column();
    assert.deepEqual(up, up.toSorted((a, b) => numberOf(a) - numberOf(b)));
    assert.equal(numberOf(up[0]), 0.898);
    await page.keyboard.press("Enter");
    assert.deepEqual(await column(), up.toReversed());
    const sorted = page.locator('.sweep th[aria-sort="descending"]');
    assert.match(await sorted.innerText(), /^accuracy/);
    await page.locator(".sweep tbody a").first().click();
    assert.match(page.url(), /#s10$/);
  });

  await t.step("all of it can be read without the script, and by keys alone", async () => {
    await using opened = await open(browser, addressOf("failed"), { javaScriptEnabled: false });
    const { page, complaints } = opened;
    assert.ok(await page.locator("#tools").isHidden());
    await page.keyboard.press("Tab");
    assert.equal(await page.locator(":focus").innerText(), "Skip to the steps");
    const summary = page.locator("#s3 > summary");
    await summary.focus();
    await page.keyboard.press("Enter");
    assert.match(await page.locator("#s3 pre.log").innerText(), /CUDA out of memory/);
    assert.deepEqual(complaints, []);
  });

  await t.step("a thousand steps are no burden", async () => {
    const folder = join(dir.path, "long");
    Deno.mkdirSync(folder);
    const address = await writePage(folder, { events: longRun(1000), text: "" });
    const { size } = Deno.statSync(join(folder, "report.html"));
    assert.ok(size < 1_000_000, `${size} bytes`);
    await using opened = await open(browser, address);
    const { page } = opened;
    await page.fill("#search", "step-99");
    await page.locator("#found", { hasText: "11 steps" }).waitFor();
    // What is far down is not laid out yet.
    await page.goto(`${address}#s990`);
    await page.locator("#s990 .body", { hasText: "began" }).waitFor();
    assert.deepEqual(opened.complaints, []);
  });
});

function numberOf(text = ""): number {
  return Number(text.replace(/best: |★/g, "").trim());
}
