/** Files that decide about a source and that no look at its own folders shows, with what they were when read. */
import { describeState, type FileState, readState } from "./file_state.ts";

/** Absolute path, and its state as `guardState` tells it. */
export type Guard = readonly [path: string, state: string];

export class Guards {
  readonly #states = new Map<string, string>();

  /** To be called before it is read: what happens to it later shows then. */
  add(path: string): void {
    if (!this.#states.has(path)) this.#states.set(path, guardState(path));
  }

  get all(): readonly Guard[] {
    return [...this.#states];
  }
}

/** Of a folder only that it is one; links are followed. */
export function guardState(path: string): string {
  const state = guardedFile(path);
  if (state === undefined) return "-";
  return state.kind === "folder" ? "folder" : describeState(state);
}

/** Undefined where there is none, or none that we can see: whoever reads it says so where it matters. */
export function guardedFile(path: string): FileState | undefined {
  try {
    return readState(path, true);
  } catch {
    return undefined;
  }
}
