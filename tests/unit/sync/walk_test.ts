import assert from "node:assert/strict";
import { join } from "node:path";
import { monotonic } from "../../../src/core/clock.ts";
import type { IgnoreRules } from "../../../src/sync/ignore.ts";
import { walkSource } from "../../../src/sync/walk.ts";
import { tempDir } from "../../support/temp_dir.ts";

const FILES = 1500;

Deno.test("walkSource() lets others be heard in the middle of one large folder", async () => {
  using folder = tempDir();
  for (let at = 0; at < FILES; at++) Deno.writeTextFileSync(join(folder.path, `file${at}`), "");
  let isHeard = false;
  let asked = 0;
  let heardAt = FILES;
  const rules: IgnoreRules = {
    find() {
      const end = monotonic() + 0.1;
      while (monotonic() < end);
      asked++;
      if (isHeard && heardAt === FILES) heardAt = asked;
      return undefined;
    },
    tracked: () => undefined,
    enter: () => {},
    guards: () => [],
  };
  const signal = AbortSignal.timeout(60_000);
  const { found } = await walkSource({
    source: folder.path,
    rules,
    followSymlinks: false,
    signal,
    // Heard only where the walk waits for something; what that lets in is the matter of `Turns`.
    looked: () => void Promise.resolve().then(() => isHeard = true),
  });
  assert.equal(found.length, FILES);
  assert.ok(heardAt < FILES, `heard at ${heardAt}`);
});
