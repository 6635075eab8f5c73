import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "../../support/cli.ts";
import { assertSamples } from "../../support/golden_blocks.ts";

Deno.test("docs/reports.md shows what reports hold", () => assertSamples("docs/reports.md"));

Deno.test("docs/reports.md names every field of report.json", () => {
  const page = Deno.readTextFileSync(join(REPOSITORY, "docs", "reports.md"));
  const names = new Set<string>();
  for (const name of ["succeeded", "failed"]) {
    const path = join(REPOSITORY, "tests", "golden", "report", `${name}.json`);
    collect(JSON.parse(Deno.readTextFileSync(path)), names);
  }
  const missing = [...names].filter((name) => !page.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});

/** Names of fields, without those that a pipeline's author chose. */
function collect(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) { for (const item of value) collect(item, names); }
  else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      names.add(name);
      if (!["inputs", "outputs", "counts", "passedOver"].includes(name)) collect(inner, names);
    }
  }
}
