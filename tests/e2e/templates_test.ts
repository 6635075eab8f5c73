/** The templates that the repository ships run as they are, in a copy of the project. */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = join(import.meta.dirname ?? ".", "../..");

testWith(
  ["python3"],
  "nightly.yaml runs the other templates, matrix and batch included",
  async () => {
    using folder = tempDir();
    for (const part of ["pipelines", "examples", "config"]) {
      cpSync(join(ROOT, part), join(folder.path, part), { recursive: true });
    }
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", join(ROOT, "src/cli/main.ts"), "run", "pipelines/templates/nightly.yaml"],
      cwd: folder.path,
      env: { HOME: folder.path, NO_COLOR: "1", DENO_DIR: denoDir() },
      signal: AbortSignal.timeout(120_000),
    }).output();
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 0, text);
    assert.match(text, /sweep succeeded, train succeeded, evaluate succeeded/);
    const metrics = JSON.parse(
      Deno.readTextFileSync(join(folder.path, "results/nightly/metrics.json")),
    );
    assert.ok(metrics.accuracy >= 0.9, `accuracy ${metrics.accuracy}`);
  },
);

/** The packages are in the cache of the real home. */
function denoDir(): string {
  return Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "", ".cache/deno");
}
