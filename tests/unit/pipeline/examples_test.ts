import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { loadPipeline } from "../../../src/pipeline/load.ts";

const ROOT = join(import.meta.dirname ?? ".", "../../..");

function* yamlFiles(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* yamlFiles(path);
    else if (/\.ya?ml$/.test(entry.name)) yield path;
  }
}

const FILES = [...yamlFiles(join(ROOT, "pipelines"))].sort();

for (const file of FILES) {
  Deno.test(`${relative(ROOT, file)} has no mistake and no warning`, async () => {
    const { warnings } = await loadPipeline({
      file,
      project: ROOT,
      env: {},
      requireInputs: false,
    });
    assert.deepEqual(warnings, []);
  });

  Deno.test(`${relative(ROOT, file)} names the schema for editors by a path that exists`, () => {
    const path = /^# yaml-language-server: \$schema=(.*)$/m.exec(Deno.readTextFileSync(file))?.[1];
    assert.ok(path, "no # yaml-language-server: line");
    assert.ok(Deno.statSync(join(file, "..", path)).isFile);
  });
}
