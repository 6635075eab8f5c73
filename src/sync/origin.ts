/** Of a project that was brought from another machine: which one it is, and the state of its repository there. */
import { join } from "node:path";

export interface Origin {
  /** Word for nodes. */
  readonly id: string;
  readonly account: string;
  readonly machine: string;
  /** Absolute, on that machine. */
  readonly folder: string;
  readonly commit: string | undefined;
  /** Whether the files were other than in that commit. */
  readonly changed: boolean | undefined;
}

/** From the project. Whatever is in `.grid` is its owner's. */
export const ORIGIN_FILE = ".grid/origin.json";

/** Undefined for a project that was made where it is. */
export function originOf(project: string): Origin | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(join(project, ORIGIN_FILE));
  } catch {
    return undefined;
  }
  return JSON.parse(text);
}
