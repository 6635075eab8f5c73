import assert from "node:assert/strict";
import { warnings } from "../../support/warnings.ts";

Deno.test("a choice compared with what is no option of it is warned of", async () => {
  assert.deepEqual(
    await warnings(`
inputs: { m: { options: [small, large], default: small }, free: {} }
steps:
  - { id: a, if: "inputs.m == 'medium'", run: "true" }
  - { id: b, if: "'medium' != inputs.m", run: "true" }
  - { id: c, if: "inputs.m in ['large', 'huge']", run: "true" }
`),
    [
      "4:31 never true: the options of m are small, large",
      "5:19 always true: the options of m are small, large",
      "6:41 never true: the options of m are small, large",
    ],
  );
});

Deno.test("a choice compared with its options, or with nothing, is not warned of", async () => {
  assert.deepEqual(
    await warnings(`
inputs: { m: { options: [small, large] }, free: {} }
steps:
  - { id: a, if: "inputs.m == 'small' || inputs.m == ''", run: "true" }
  - { id: b, if: "inputs.free == 'medium' || inputs.m == inputs.free", run: "true" }
`),
    [],
  );
});

Deno.test("an output whose name is near a declared one is warned of, others may be written", async () => {
  assert.deepEqual(
    await warnings(`
steps:
  - { id: a, run: "true", outputs: { accuracy: { from: stdout, match: "(.)" } } }
  - { id: b, needs: a, run: "echo \${{ steps.a.outputs.acuracy }}" }
  - { id: c, needs: a, run: "echo \${{ steps.a.outputs.loss }} \${{ steps.a.outputs.accuracy }}" }
`),
    ['4:55 "a" declares no output "acuracy"'],
  );
});

Deno.test("a value that only some cells of a matrix have is warned of, unless has() asks for it", async () => {
  assert.deepEqual(
    await warnings(`
steps:
  - id: u
    matrix: { os: [a, b], include: [{ os: a, x: 9 }] }
    run: echo \${{ matrix.os }} \${{ matrix.x }}
  - id: v
    matrix: { os: [a, b], include: [{ os: a, x: 9 }] }
    run: |
      echo \${{ has(matrix.x) ? matrix.x : "" }}
`),
    ['5:43 cell u[os=b] has no "x"'],
  );
});
