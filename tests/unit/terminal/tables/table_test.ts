import assert from "node:assert/strict";
import { createPaint } from "../../../../src/terminal/style.ts";
import { type Column, renderTable } from "../../../../src/terminal/tables/table.ts";

const COLUMNS: readonly Column[] = [
  { title: "STEP", shrinkTo: 8, cutAt: "middle" },
  { title: "NOTE", shrinkTo: 4 },
  { title: "SIZE", align: "right", isOptional: true },
  { title: "STATE" },
  { title: "AGE", isOptional: true },
];

const ROWS = [
  { cells: ["sweep[rate=1e-4,seed=1]", "a long note", "12", "ok", "now"] },
  { cells: ["sweep[rate=1e-4,seed=2]", "", "7", "failed", "1h"] },
];

const render = (width: number) => renderTable(COLUMNS, ROWS, { width, paint: createPaint(false) });

Deno.test("renderTable() shows everything where there is room", () => {
  assert.equal(
    render(80),
    `STEP                     NOTE         SIZE  STATE   AGE
sweep[rate=1e-4,seed=1]  a long note    12  ok      now
sweep[rate=1e-4,seed=2]                  7  failed  1h
`,
  );
});

Deno.test("renderTable() shrinks columns before it leaves one out, and cuts names in their middle", () => {
  assert.equal(
    render(40),
    `STEP         NOTE      SIZE  STATE   AGE
swe…seed=1]  a long …    12  ok      now
swe…seed=2]               7  failed  1h
`,
  );
});

Deno.test("renderTable() leaves out what is optional, the last column first, where room is short", () => {
  const heads = (width: number) => render(width).split("\n")[0]?.split(/ +/);
  assert.deepEqual(heads(33), ["STEP", "NOTE", "SIZE", "STATE", "AGE"]);
  assert.deepEqual(heads(32), ["STEP", "NOTE", "SIZE", "STATE"]);
  assert.deepEqual(heads(27), ["STEP", "NOTE", "STATE"]);
  assert.deepEqual(heads(5), ["STEP", "NOTE", "STATE"]);
});
