/** What each step of a run brought here: of two cells that bring the same file the last would win, silently. */
import { join } from "node:path";
import { GridError } from "../core/errors.ts";

export class FetchedFiles {
  /** Absolute path → step. */
  readonly #by = new Map<string, string>();

  /** @throws {GridError} `sync` where another cell of the same matrix has brought one of them */
  claim(
    paths: readonly string[],
    { step, to }: { readonly step: string; readonly to: string },
  ): void {
    for (const path of paths) {
      const place = join(to, path);
      const other = this.#by.get(place);
      if (other !== undefined && other !== step && withoutCells(other) === withoutCells(step)) {
        throw new GridError({
          code: "sync",
          message:
            `Cannot fetch "${path}" to ${to}: ${other} has brought another file of that name`,
          hint: "Give every cell a folder of its own: ${{ matrix.… }} or {node} in fetch.to",
        });
      }
    }
    for (const path of paths) this.#by.set(join(to, path), step);
  }
}

/** `sweep[seed=1]/results` and `sweep[seed=2]/results` are the same step of two cells. */
function withoutCells(step: string): string {
  return step.replaceAll(/\[[^\]]*\]/g, "[]");
}
