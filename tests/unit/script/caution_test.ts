import assert from "node:assert/strict";
import { join } from "node:path";
import type { JsonValue } from "../../../src/core/json.ts";
import { loadPipeline } from "../../../src/pipeline/load.ts";
import { run, SHELLS, splice } from "../../support/spliced_scripts.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function warnings(script: string): Promise<string[]> {
  using folder = tempDir();
  const file = join(folder.path, "p.yaml");
  const inputs = "inputs: { n: { type: integer, default: 1 }, s: { default: x } }\n";
  const step = { id: "a", run: script };
  Deno.writeTextFileSync(file, `${inputs}steps:\n  - ${JSON.stringify(step)}\n`);
  const loaded = await loadPipeline({ file, project: folder.path, env: {} });
  return loaded.warnings.map(({ rule, message }) => `${rule}: ${message}`);
}

const CODE = [
  'bash -c "echo @"',
  "sudo FOO=1 /bin/sh -e -c 'echo @' name",
  'eval "echo @"',
  'ssh -p 22 host "echo @"',
  'trap "rm -r @" EXIT',
  "bash <<E\necho @\nE\n",
];

Deno.test("text that another shell reads as code is warned of, a number is not", async () => {
  for (const script of CODE) {
    const [warning = "", ...more] = await warnings(script.replace("@", "${{ inputs.s }}"));
    assert.match(warning, /^unsafe-value: a value cannot stand in .* code$/, script);
    assert.deepEqual(more, []);
    assert.deepEqual(await warnings(script.replace("@", "${{ inputs.n }}")), [], script);
  }
});

Deno.test("a harmless value is written as it is, any other is refused at run time", async () => {
  for (const value of [3, -1.5, true, "v1.2", "path/to/file", "a@b:c"]) {
    for (const script of CODE) assert.equal(splice(script, value), script.replace("@", `${value}`));
  }
  const harmful: JsonValue[] = ["a b", "$(x)", "a;b", "", "-rf", "~", "a=b*", ["a", "b"], null];
  for (const value of harmful.filter((each) => each !== null)) {
    for (const script of CODE) assert.throws(() => splice(script, value), /reads? (it|again)/);
  }
  for (const shell of SHELLS) {
    const found = await run(shell, [splice(`${shell} -c "printf %s @"`, "v1.2")]);
    assert.deepEqual(found, ["v1.2"]);
  }
});
