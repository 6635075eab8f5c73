/**
 * One file per mistake in `tests/golden/broken/`, and what Grid says about it in `expected.txt`.
 * `GRID_TEST_UPDATE=1` writes that file anew; read the difference before you commit it.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Diagnostic, DiagnosticsError } from "../../../src/document/diagnostic.ts";
import { loadPipeline } from "../../../src/pipeline/load.ts";
import { assertGolden } from "../../support/golden.ts";

const FOLDER = join(import.meta.dirname ?? ".", "../../golden/broken");
const NAMES = [...Deno.readDirSync(FOLDER)].map((entry) => entry.name)
  .filter((name) => name.endsWith(".yaml")).sort();

async function mistakesIn(name: string): Promise<readonly Diagnostic[]> {
  try {
    const file = join(FOLDER, name);
    const { warnings } = await loadPipeline({
      file,
      project: FOLDER,
      env: {},
      nodes: [{ name: "gpu1", labels: ["a100"] }, { name: "gpu2", labels: [] }],
    });
    return warnings;
  } catch (error) {
    if (error instanceof DiagnosticsError) {
      assert.equal(error.exitCode, 2, name);
      return error.diagnostics;
    }
    throw error;
  }
}

/** The frame as a person sees it: line, caret, message, hint. */
function frame(entry: Diagnostic): string {
  const { line, column } = entry.place;
  const file = entry.place.file.slice(FOLDER.length + 1);
  const where = file.includes("/") ? `${file}:${line}:${column}` : `${line}:${column}`;
  const hint = entry.hint === undefined ? [] : [`    hint: ${entry.hint}`];
  const used = (entry.usedAt ?? []).map((place) =>
    `    used at ${place.file.slice(FOLDER.length + 1)}:${place.line}:${place.column}`
  );
  return [
    `  ${where} ${entry.severity} ${entry.rule}: ${entry.message}`,
    `    | ${visible(entry.sourceLine)}`,
    `    | ${" ".repeat(column - 1)}${"^".repeat(entry.length)}`,
    ...hint,
    ...used,
  ].join("\n");
}

/** So that the file of what is expected is plain text. */
function visible(line: string): string {
  // deno-lint-ignore no-control-regex
  return line.replaceAll("\t", "⇥").replace(/[\0-\x1f]/g, "¿");
}

Deno.test("loadPipeline() reports every broken file at the right line and column", async () => {
  assert.ok(NAMES.length >= 60, `${NAMES.length} files`);
  const blocks = [];
  for (const name of NAMES) {
    const found = await mistakesIn(name);
    assert.ok(found.some((entry) => entry.severity === "error"), `${name} is taken for sound`);
    blocks.push(`${name}\n${found.map(frame).join("\n")}\n`);
  }
  const text = blocks.join("\n").replaceAll(`${FOLDER}/`, "");
  assertGolden("broken/expected.txt", text);
});

Deno.test("loadPipeline() gives a hint for most mistakes", async () => {
  let hints = 0;
  for (const name of NAMES) {
    const found = await mistakesIn(name);
    if (found.some((entry) => entry.hint !== undefined)) hints++;
  }
  assert.ok(hints >= NAMES.length * 2 / 3, `${hints} of ${NAMES.length} have a hint`);
});

Deno.test("every caret covers something on its line", async () => {
  for (const name of NAMES) {
    for (const { place, length, sourceLine } of await mistakesIn(name)) {
      assert.ok(place.column >= 1 && length >= 1, name);
      assert.ok(place.column - 1 + length <= Math.max(1, sourceLine.length + 1), name);
    }
  }
});
