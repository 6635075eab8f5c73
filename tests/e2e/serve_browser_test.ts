/** The pages of `grid serve` in a real browser: live, by keyboard, on a phone, at night. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { project, startGrid } from "../support/cli.ts";
import { assertSound, complaintsOf, openChromium } from "../support/browser.ts";
import { testWith } from "../support/requires.ts";
import { startServing } from "../support/serve.ts";

const PIPELINE = `name: "<b>work</b>"
steps:
  - { id: bad, node: local, allow-failure: true, run: 'printf "\\033[31m<i>red</i>\\033[0m\\n"; exit 3' }
  - id: long
    node: local
    timeout: { kill-grace: 1s }
    run: |
      echo begins
      while [ ! -f more ]; do sleep 0.05; done
      echo "<u>more</u>"
      sleep 60
  - id: sweep
    needs: bad
    node: local
    matrix: { x: ["<a>", 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], max-parallel: 2 }
    run: sleep 60
`;

testWith(
  ["chromium"],
  "the pages live, are sound by axe, and lose nothing of what a person does",
  async () => {
    using home = project({ "work.yaml": PIPELINE });
    await using serving = await startServing(home.path);
    await using browser = await openChromium();
    const context = await browser.newContext();
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(serving.address);
    // The token does not stay in the address.
    assert.equal(page.url(), `${serving.origin}/`);
    await page.locator("#live.on").waitFor();

    await using run = startGrid(["run", "work.yaml", "--quiet"], { cwd: home.path });
    const link = page.locator("#runs a").first();
    await link.waitFor();
    // By keyboard: to the content, to the run, and there.
    await page.locator("body").press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "to the content");
    // What is marked and where one is stays while news come.
    const id = await link.textContent() ?? "";
    const mark = page.locator("#runs input");
    await mark.check();
    await mark.focus();
    {
      using store = openStore(join(home.path, ".grid", "grid.db"));
      store.setNote(id, "a note");
    }
    await page.locator("#runs", { hasText: "a note" }).waitFor();
    assert.ok(await mark.isChecked());
    assert.equal(await page.evaluate("document.activeElement.name"), "run");
    await link.focus();
    await page.keyboard.press("Enter");
    await page.locator("#steps .dot.running").first().waitFor();
    await page.locator("#s1 .dot.allowed-failure").waitFor();
    assert.equal(await page.locator("h1 b, #steps i:not(.dot)").count(), 0);
    // What the report will show is there while it goes on.
    await page.locator("#sweep tbody tr", { hasText: "<a>" }).waitFor();
    await page.locator("#graph svg.graph .allowed-failure").waitFor();
    await page.locator("#s2 rect.run.running").waitFor();
    await page.locator("#s1 > summary").click();
    await page.locator("#s1 .body", { hasText: /code 3/ }).waitFor();
    const width = await page.locator("#s2 rect.run").getAttribute("width");
    await page.locator(`#s2 rect.run:not([width="${width}"])`).waitFor();
    assert.equal(await page.locator("#s1[open]").count(), 1);
    await page.locator("#sweep tbody a").last().click();
    await page.locator("body").press("/");
    await page.keyboard.type("x=7");
    const found = page.locator("#steps .step:not(:has(.step)):not([hidden])");
    assert.deepEqual(await found.locator("b").allTextContents(), ["sweep[x=7]"]);
    await page.locator("#sieve").fill("");
    await assertSound(page, "running");

    await page.locator("#steps a", { hasText: "long" }).click();
    await page.locator("#log", { hasText: "begins" }).waitFor();
    await page.evaluate("window.stays = true");
    Deno.writeTextFileSync(`${home.path}/more`, "");
    await page.locator("#log", { hasText: "<u>more</u>" }).waitFor();
    assert.ok(await page.evaluate("window.stays"));
    await assertSound(page, "log");
    await page.goBack();

    // What is marked or focused stays while news come.
    await page.locator("#live.on").waitFor();
    await page.locator("button", { hasText: "cancel this run" }).click();
    await page.locator(".badge.cancelled").waitFor();
    assert.equal((await run.ended).code, 130);
    await page.locator("button", { hasText: "resume" }).waitFor();
    await page.locator("a", { hasText: "full report" }).click();
    await page.waitForURL(/report\.html$/);

    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 360, height: 740 });
    const path = `/runs/${id}`;
    for (
      const [name, to] of Object.entries({
        "runs-phone": "/",
        "run-phone": path,
        "nodes-phone": "/nodes",
        "schedule-phone": "/schedule",
        "compare-phone": "/compare?a=last&b=last",
      })
    ) {
      await page.goto(`${serving.origin}${to}`);
      await assertSound(page, name);
    }
    assert.deepEqual(complaints, []);
    // Another browser that knows only where it is.
    const stranger = await (await browser.newContext()).newPage();
    await stranger.goto(serving.origin);
    assert.match(await stranger.textContent("body") ?? "", /it needs the token/);
  },
);
