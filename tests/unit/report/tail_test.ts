import assert from "node:assert/strict";
import { join } from "node:path";
import { lastLines } from "../../../src/report/tail.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("lastLines() reads the end of a file, however long it is", async () => {
  using dir = tempDir();
  const path = join(dir.path, "log");
  const all = Array.from({ length: 50_000 }, (_, at) => `line ${at}`);
  Deno.writeTextFileSync(path, all.join("\n") + "\n");
  assert.deepEqual(await lastLines(path, 3), ["line 49997", "line 49998", "line 49999"]);
});

Deno.test("lastLines() gives short files whole, and half a line never", async () => {
  using dir = tempDir();
  const path = join(dir.path, "log");
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["", []],
    ["\n", []],
    ["one", ["one"]],
    ["one\ntwo\n", ["one", "two"]],
    ["one\n\n", ["one", ""]],
    ["10%\r50%\r100%\ndone\r\n", ["100%", "done"]],
    ["10%\r50%\r", ["50%"]],
  ];
  for (const [text, lines] of cases) {
    Deno.writeTextFileSync(path, text);
    assert.deepEqual(await lastLines(path, 30), lines, JSON.stringify(text));
  }
  Deno.writeTextFileSync(path, `${"x".repeat(40_000)}\nlast\n`);
  assert.deepEqual(await lastLines(path, 30), ["last"]);
  Deno.writeTextFileSync(path, "y".repeat(40_000));
  assert.deepEqual(await lastLines(path, 30), [`${"y".repeat(1000)}…`]);
});

Deno.test("lastLines() of a file that is not there is empty", async () => {
  using dir = tempDir();
  assert.deepEqual(await lastLines(join(dir.path, "gone"), 30), []);
});
