/** What earlier attempts have finished, for a retry that lands on a node without their results. */
import { pythonJson } from "../core/exact_json.ts";
import type { TaskResult } from "./batch.ts";

export class FinishedTasks {
  /** By results key and fingerprint of the work; successes only, by index. */
  readonly #known = new Map<string, ReadonlyMap<number, TaskResult>>();

  remember(key: string, results: readonly (TaskResult | undefined)[]): void {
    const known = new Map(this.#known.get(key));
    results.forEach((result, index) => {
      if (result?.ok) known.set(index, result);
    });
    this.#known.set(key, known);
  }

  /** As lines of a results file; empty where nothing is known. */
  lines(key: string): string {
    const known = [...this.#known.get(key) ?? []];
    // In the very words of the driver, which copies them without reading them.
    return known.map(([index, result]) =>
      `{"index": ${index}, "ok": true, "value": ${pythonJson(result.ok ? result.value : null)}}\n`
    ).join("");
  }
}
