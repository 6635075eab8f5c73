/** Samples in documentation that are parts of golden files, so that they can never be out of date. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "./cli.ts";

const SAMPLE = /<!-- golden: (\S+) -->\s+```\w*\n([\s\S]*?)```/g;

/** Fails unless every sample of the page stands in its golden file line by line. */
export function assertSamples(page: string): void {
  const text = Deno.readTextFileSync(join(REPOSITORY, page));
  const samples = [...text.matchAll(SAMPLE)];
  assert.ok(samples.length > 0, `${page} has no samples`);
  for (const [, name = "", sample = ""] of samples) {
    const golden = Deno.readTextFileSync(join(REPOSITORY, "tests", "golden", name));
    const isThere = unindented(golden).includes(unindented(sample));
    assert.ok(isThere, `${page}: not in tests/golden/${name}:\n${sample}`);
  }
}

/** Formatting a page moves samples to its margin. */
function unindented(text: string): string {
  return text.trim().split("\n").map((line) => line.trim()).join("\n");
}
