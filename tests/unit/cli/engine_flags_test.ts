import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY, V8_FLAGS } from "../../support/cli.ts";

/** What Deno has compiled for one set of flags, it does not take for another. */
Deno.test("every launcher sets the engine alike", () => {
  for (
    const launcher of [
      "bin/grid",
      "deno.json",
      "release/launcher.sh",
      "src/cli/submitted/runtime_source.ts",
    ]
  ) {
    const text = Deno.readTextFileSync(join(REPOSITORY, launcher));
    assert.deepEqual(text.match(/--v8-flags=[^\s"]+/g), [V8_FLAGS], launcher);
  }
});
