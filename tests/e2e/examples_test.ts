/** Every example runs as it stands, and prints what its comment promises. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project, REPOSITORY } from "../support/cli.ts";
import { type Part, testWith } from "../support/requires.ts";

interface Expectation {
  readonly needs?: readonly Part[];
  readonly args?: readonly string[];
  /** What the terminal shows, in this order. */
  readonly shows: readonly RegExp[];
}

const EXAMPLES: Readonly<Record<string, Expectation>> = {
  "hello.yaml": { args: ["-i", "who=Ada"], shows: [/hello Ada from local[12]/] },
  "outputs.yaml": { shows: [/loss 0\.25, top-1 0\.91, step-1200\.pt/] },
  "matrix.yaml": { shows: [/"lr":"?1e-4/, /4 succeeded/] },
  "retry.yaml": { shows: [/attempt 1/, /attempt 2/, /attempt 3/] },
  "conditions.yaml": {
    shows: [/lint allowed-failure, deploy skipped/, /done whatever happened/],
  },
  "secrets.yaml": { shows: [/the token has 12 characters and is \*\*\*/] },
  "batch.yaml": { needs: ["python3"], shows: [/81/] },
  "cache.yaml": { shows: [/count\.count +3/] },
  "template.yaml": { shows: [/9 characters/] },
};

Deno.test("every example has a test", () => {
  const files = [...Deno.readDirSync(join(REPOSITORY, "examples"))].map(({ name }) => name)
    .filter((name) => name.endsWith(".yaml"));
  assert.deepEqual(files.toSorted(), Object.keys(EXAMPLES).toSorted());
});

for (const [name, { needs = [], args = [], shows }] of Object.entries(EXAMPLES)) {
  testWith(needs, `examples/${name} runs and shows what it promises`, async () => {
    using folder = project({});
    Deno.symlinkSync(join(REPOSITORY, "examples"), join(folder.path, "examples"));
    const { code, stderr } = await grid(["run", `examples/${name}`, ...args], {
      cwd: folder.path,
    });
    assert.equal(code, 0, stderr);
    let rest = stderr;
    for (const pattern of shows) {
      const match = pattern.exec(rest);
      assert.ok(match, `${pattern} is not in:\n${rest}`);
      rest = rest.slice(match.index);
    }
    assert.ok(!stderr.includes("s3cret-value"), "the secret is shown");
  });
}
