import type { Checked } from "../../document/shape/check.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";
import type { Source } from "../../document/source.ts";

/**
 * Reports of one shape, where a key without a value and unknown keys right below it are one mistake:
 * they were meant to stand inside, and are not indented.
 */
export function joinUnindented(
  { diagnostics, faults }: Pick<Checked<unknown>, "diagnostics" | "faults">,
  source: Source,
): Diagnostic[] {
  const joined = new Map<Diagnostic, Diagnostic | undefined>();
  for (const [index, path] of faults.entries()) {
    const empty = diagnostics[index];
    if (empty === undefined || source.at(path) !== null) continue;
    const container = path.slice(0, -1).join("\0");
    let line = empty.place.line + 1;
    for (const [other, report] of diagnostics.entries()) {
      const isBelow = report.rule === "unknown-key" && report.place.line === line &&
        faults[other]?.slice(0, -1).join("\0") === container;
      // A slip of the pen in a key that does belong here is a mistake of its own.
      if (!isBelow || report.hint?.startsWith("did you mean")) continue;
      const hint = `indent it below ${String(path.at(-1))}:`;
      joined.set(report, joined.has(empty) ? undefined : { ...report, hint });
      joined.set(empty, undefined);
      line++;
    }
  }
  return diagnostics.flatMap((report) => joined.has(report) ? joined.get(report) ?? [] : report);
}
