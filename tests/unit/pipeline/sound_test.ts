/** Files in `tests/golden/sound/` use the language to the full; no check may find anything in them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadPipeline } from "../../../src/pipeline/load.ts";

const FOLDER = join(import.meta.dirname ?? ".", "../../golden/sound");

Deno.test("loadPipeline() takes sound files without a word", async () => {
  for (const { name } of Deno.readDirSync(FOLDER)) {
    const file = join(FOLDER, name);
    const { warnings } = await loadPipeline({ file, project: FOLDER, env: {} });
    assert.deepEqual(warnings.map(({ message }) => message), [], name);
  }
});
