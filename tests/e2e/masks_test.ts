/** Which values of a secret are masked, and what is said of those that are not. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";

const CLOUD = JSON.stringify({ project: "vision", pin: 471100, token: "jws-4711-abcdef-0815" });
const PIPELINE = `name: masks
secrets:
  CLOUD: { from: env, mask: [.pin, .project] }
  PIN: { from: env }
steps:
  - id: show
    node: local
    secrets: [CLOUD, PIN]
    run: |
      echo "$CLOUD"
      echo "$CLOUD" | tr ',' '\\n' | sed 's/^/> /'
      echo "pin $PIN"
  - { id: stars, node: local, run: "echo '*** no secret ***'" }
`;

Deno.test("mask: says which values of a JSON secret to mask; short ones are warned of", async () => {
  using folder = project({ "masks.yaml": PIPELINE });
  const env = { CLOUD, PIN: "42" };
  const ran = await grid(["run", "masks.yaml", "--json"], { cwd: folder.path, env });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stderr, /secret PIN has fewer than 4 characters, so that it is not masked/);
  const report = JSON.parse(ran.stdout);
  assert.deepEqual(report.steps.map((step: { maskedLines: number }) => step.maskedLines), [3, 0]);
  const html = Deno.readTextFileSync(join(folder.path, ".grid/runs", report.run, "report.html"));
  assert.match(html, /masked: 3 lines of its log/);
  const log = join(folder.path, ".grid/runs", report.run, report.steps[0].attempts[0].log);
  assert.deepEqual(Deno.readTextFileSync(log).trim().split("\n").map((line) => line.trim()), [
    "***",
    '> {"project":"***"',
    '> "pin":***',
    '> "token":"jws-4711-abcdef-0815"}',
    "pin 42",
  ]);
});

Deno.test("a mask that finds nothing refuses the run, before anything starts", async () => {
  using folder = project({ "masks.yaml": PIPELINE });
  const env = { CLOUD: '{"project": "vision"}', PIN: "42" };
  const ran = await grid(["run", "masks.yaml"], { cwd: folder.path, env });
  assert.equal(ran.code, 2, ran.stderr);
  assert.match(ran.stderr, /Cannot mask secret "CLOUD": it has no text at \.pin/);
});
