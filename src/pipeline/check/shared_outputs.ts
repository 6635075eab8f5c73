/** Cells of a matrix that read one and the same file: what is read may be what another cell has just written. */
import type { TextReader } from "../../expression/reader.ts";
import type { MatrixEntry } from "../schema.ts";
import type { WrittenStep } from "../written_step.ts";

const OF_THE_CELL = /\$\{\{.*?\bmatrix\b/s;

/** Warns where cells may run at the same time in one folder and give the content of one file as their output. */
export function checkSharedOutputs({ entry, matrix }: WrittenStep, reader: TextReader): void {
  const { outputs, run, node, nodes, "working-directory": folder } = entry;
  if (run === undefined || outputs === undefined || !isWide(matrix)) return;
  if (OF_THE_CELL.test(JSON.stringify([node, nodes, folder]))) return;
  for (const [name, output] of Object.entries(outputs)) {
    if (typeof output !== "object" || output.from !== "file") continue;
    const path = String(output.path);
    if (OF_THE_CELL.test(path)) continue;
    const axis = Object.keys(matrix ?? {}).find((key) => Array.isArray(matrix?.[key])) ?? "axis";
    reader.report({
      severity: "warning",
      rule: "shared-output",
      spot: reader.source.valueSpot(output, "path"),
      message:
        `cells on one node run in one folder, so "${name}" may be read from a file that another ` +
        "cell wrote",
      hint:
        `name the file after the cell, such as ${namedAfter(path, axis)}; or echo "${name}=…" >> ` +
        '"$GRID_OUTPUT"; or max-parallel: 1',
    });
  }
}

/** More than one cell at a time. */
function isWide(matrix: MatrixEntry | undefined): boolean {
  if (matrix === undefined || Number(matrix["max-parallel"]) === 1) return false;
  const { include = [], exclude: _, ...axes } = matrix;
  return include.length > 1 ||
    Object.values(axes).some((values) =>
      Array.isArray(values) ? values.length > 1 : typeof values === "string"
    );
}

/** `out/metrics.json` → `out/metrics-${{ matrix.lr }}.json`. */
function namedAfter(path: string, axis: string): string {
  const [, stem = path, ending = ""] = /^(.*?[^/])(\.[^./]*)?$/s.exec(path) ?? [];
  return `${stem}-\${{ matrix.${axis} }}${ending}`;
}
