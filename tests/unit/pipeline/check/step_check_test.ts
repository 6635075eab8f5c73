import assert from "node:assert/strict";
import { join } from "node:path";
import { loadPipeline } from "../../../../src/pipeline/load.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { warnings } from "../../../support/warnings.ts";

Deno.test("a step that is listed twice is warned of at the second place", async () => {
  assert.deepEqual(
    await warnings(`
steps:
  - { id: a, run: "true" }
  - { id: b, needs: [a, a], run: "true" }
`),
    ['4:25 "a" is listed twice'],
  );
});

Deno.test("a variable that a secret of the same name hides is warned of", async () => {
  assert.deepEqual(
    await warnings(`
secrets: [TOKEN]
steps:
  - { id: a, secrets: [TOKEN], env: { TOKEN: plain, OTHER: x }, run: "true" }
`),
    ["4:39 the secret TOKEN takes the place of this variable"],
  );
});

Deno.test("outputs of a step that gives its own are warned of", async () => {
  assert.deepEqual(
    await warnings(`
steps:
  - { id: a, sync: {}, outputs: { z: { from: stdout, match: x } } }
`),
    ["3:24 outputs: has no effect on sync: it gives folder, files, bytes"],
  );
});

Deno.test("an input that is required and has a default is warned of", async () => {
  assert.deepEqual(
    await warnings(`
inputs:
  n: { type: integer, required: true, default: 3 }
steps:
  - { id: a, run: "true" }
`),
    ["3:23 required: has no effect beside a default"],
  );
});

Deno.test("a label that no node carries is warned of, unless no node carries any", async () => {
  using folder = tempDir();
  const file = join(folder.path, "p.yaml");
  Deno.writeTextFileSync(
    file,
    `steps:
  - { id: gpu, select-node: { labels: [A100] } }
  - { id: a, node: { labels: tpu }, run: "true" }
`,
  );
  const load = async (labels: string[]) => {
    const nodes = [{ name: "gpu1", labels }];
    const { warnings } = await loadPipeline({ file, project: folder.path, env: {}, nodes });
    return warnings.map(({ place, message, hint }) =>
      `${place.line}:${place.column} ${message}; ${hint}`
    );
  };
  assert.deepEqual(await load(["a100"]), [
    '2:40 no node of the cluster carries the label "A100"; did you mean "a100"?',
    '3:30 no node of the cluster carries the label "tpu"; known labels: a100',
  ]);
  assert.deepEqual(await load([]), []);
});
