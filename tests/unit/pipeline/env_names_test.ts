import assert from "node:assert/strict";
import { envNames } from "../../../src/pipeline/env_names.ts";
import { loadText } from "../../support/pipeline_files.ts";

Deno.test("envNames() finds what expressions ask for, but no source of a secret", async () => {
  const { pipeline } = await loadText(`
secrets: [TOKEN]
concurrency: { group: "\${{ env('GROUP') }}" }
steps:
  - id: a
    if: env("IF", "") == ""
    node: \${{ env('NODE') }}
    env: { X: "\${{ env('TOKEN', '') + env( 'LR', '1') + env.FIELD }}", Y: env.TEXT }
    run: python -c 'os.getenv("HOME"); env("NOT_ASKED")'
`);
  assert.deepEqual(envNames(pipeline).toSorted(), ["FIELD", "GROUP", "IF", "LR", "NODE"]);
});
