/** Every YAML example of the pages about pipelines is a pipeline without a mistake. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { codeBlocks } from "../../support/markdown.ts";
import { loadText } from "../../support/pipeline_files.ts";
import { pipelineSchema } from "../../../src/pipeline/schema.ts";
import { STEP_KINDS } from "../../../src/pipeline/step_kinds.ts";
import { FUNCTIONS } from "../../../src/expression/functions.ts";

const DOCS = join(import.meta.dirname ?? ".", "../../../docs");

for (const page of ["pipeline.md", "expressions.md"]) {
  const blocks = codeBlocks(Deno.readTextFileSync(join(DOCS, page)))
    .filter((block) => block.language === "yaml");
  const more = Object.fromEntries(
    blocks.flatMap((block) => block.file === undefined ? [] : [[block.file, block.text]]),
  );
  for (const block of blocks) {
    Deno.test(`docs/${page}:${block.line} is a pipeline without a mistake`, async () => {
      const { warnings } = await loadText({ main: block.text, more }, { requireInputs: false });
      assert.deepEqual(warnings, []);
    });
  }
}

Deno.test("docs/pipeline.md names every key of a step and of the file", () => {
  const page = Deno.readTextFileSync(join(DOCS, "pipeline.md"));
  const step = pipelineSchema.shape.steps.element.shape;
  const keys = [...Object.keys(pipelineSchema.shape), ...Object.keys(step), ...STEP_KINDS];
  const missing = keys.filter((key) => !page.includes(`\`${key}\``) && !page.includes(`${key}:`));
  assert.deepEqual(missing, []);
});

Deno.test("docs/expressions.md names every function that Grid adds", () => {
  const page = Deno.readTextFileSync(join(DOCS, "expressions.md"));
  const own = Object.keys(FUNCTIONS).slice(0, Object.keys(FUNCTIONS).indexOf("size"));
  assert.deepEqual(own.filter((name) => !page.includes(`\`${name}(`)), []);
});
