import assert from "node:assert/strict";
import { createPaint } from "../../../../src/terminal/style.ts";
import type { Column } from "../../../../src/terminal/tables/columns.ts";
import { renderTable } from "../../../../src/terminal/tables/table.ts";

const COLUMNS: readonly Column[] = [
  { title: "STEP", shrinkTo: 8, fit: "names" },
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

Deno.test("renderTable() shrinks columns before it leaves one out, and keeps names apart", () => {
  assert.equal(
    render(40),
    `STEP        NOTE       SIZE  STATE   AGE
sweep[…,1]  a long n…    12  ok      now
sweep[…,2]                7  failed  1h
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

const PLAIN = createPaint(false);

Deno.test("renderTable() never cuts what is meant to be pasted", () => {
  const columns: readonly Column[] = [
    { title: "NODE" },
    { title: "JOB", shrinkTo: 6, fit: "pasted" },
    { title: "AGE", align: "right" },
  ];
  const rows = [{ cells: ["n1", "short", "1s"] }, { cells: ["n2", "a-job-with-a-long-id", "12s"] }];
  assert.equal(
    renderTable(columns, rows, { width: 17, paint: PLAIN }),
    `NODE  JOB     AGE
n1    short    1s
n2    a-job-with-a-long-id
              12s
`,
  );
});

Deno.test("renderTable() breaks words over lines, in their column", () => {
  const columns: readonly Column[] = [
    { title: "STEP" },
    { title: "NODE", shrinkTo: 8, fit: "words" },
    { title: "AFTER" },
  ];
  const rows = [{ cells: ["a", "best of gpu1, gpu2", "b"] }, { cells: ["b", "local", ""] }];
  assert.equal(
    renderTable(columns, rows, { width: 21, paint: PLAIN }),
    `STEP  NODE      AFTER
a     best of   b
      gpu1,
      gpu2
b     local
`,
  );
});

Deno.test("renderTable() sets remarks in below their column, and what follows a little further", () => {
  const columns: readonly Column[] = [{ title: "WAVE", align: "right" }, { title: "STEP" }];
  const rows = [{ cells: ["1", "a"], below: ["reuse: nothing changed", "hint: look"] }];
  assert.equal(
    renderTable(columns, rows, { width: 22, paint: PLAIN, remarksBelow: "STEP" }),
    `WAVE  STEP
   1  a
        reuse: nothing
          changed
        hint: look
`,
  );
});

Deno.test("renderTable() cuts nothing where there is no width", () => {
  const rows = [{ cells: [...ROWS[0]?.cells ?? []], below: ["x ".repeat(200).trim()] }];
  const lines = renderTable(COLUMNS, rows, { width: Number.POSITIVE_INFINITY, paint: PLAIN });
  assert.equal(lines.split("\n").length, 4);
  assert.ok(!lines.includes("…"), lines);
});
