import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Compares `actual` with `tests/golden/<name>`. Run with `GRID_TEST_UPDATE=1` to write the file anew,
 * then read the difference before you commit it.
 */
export function assertGolden(name: string, actual: string): void {
  const path = join(dirname(fileURLToPath(import.meta.url)), "..", "golden", name);
  if (Deno.env.get("GRID_TEST_UPDATE") === "1") {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, actual);
    return;
  }
  assert.equal(actual, Deno.readTextFileSync(path), `differs from tests/golden/${name}`);
}
