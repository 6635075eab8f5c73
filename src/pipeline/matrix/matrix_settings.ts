import { diagnostic } from "../../document/shape/check.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";
import { isContainer, type Source } from "../../document/source.ts";

/** Keys of `matrix:` that are no axes. */
export const MATRIX_SETTINGS = ["include", "exclude", "max-parallel", "fail-fast"];

/**
 * Takes out settings in another spelling, such as `max_parallel: 1`, and reports them. Any name may be
 * an axis, so that the schema can only say of them that an axis is a list.
 */
export function takeMisspeltSettings(source: Source): Diagnostic[] {
  const found: Diagnostic[] = [];
  const paths: PropertyKey[][] = [];
  const root = source.value as { readonly steps?: unknown } | null;
  const steps: unknown[] = Array.isArray(root?.steps) ? root.steps : [];
  for (const [index, step] of steps.entries()) {
    const matrix = (step as { readonly matrix?: unknown } | null)?.matrix;
    if (!isContainer(matrix) || Array.isArray(matrix)) continue;
    for (const [key, value] of Object.entries(matrix)) {
      const meant = MATRIX_SETTINGS.find((name) => folded(name) === folded(key));
      if (meant === undefined || meant === key || Array.isArray(value)) continue;
      paths.push(["steps", index, "matrix", key]);
      found.push(diagnostic({
        rule: "unknown-key",
        spot: source.keySpot(matrix, key),
        message: `unknown key "${key}"`,
        hint: `did you mean "${meant}"?`,
      }));
    }
  }
  source.prune(paths);
  return found;
}

/** `maxParallel`, `max_parallel` and `max-parallel` are the same. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}
