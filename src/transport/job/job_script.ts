/** The scripts that run on a node, and the calls into them. */
import { quoteAll } from "../../core/shell.ts";

const FILES = ["job.sh", "job_turn.sh", "job_mask.sh", "job_tree.sh"];

let text: Promise<string> | undefined;

/** The functions that every call needs; read once per process. */
export function jobLibrary(): Promise<string> {
  text ??= readLibrary();
  return text;
}

async function readLibrary(): Promise<string> {
  const parts = FILES.map((name) => Deno.readTextFile(new URL(name, import.meta.url)));
  return (await Promise.all(parts)).join("\n");
}

export type JobFunction = "grid_mask" | "grid_start" | "grid_turn" | "grid_signal" | "grid_list";

/** A call as shell text; every argument is quoted. */
export function jobCall(name: JobFunction, args: readonly (string | number)[]): string {
  return `${name} ${quoteAll(args.map(String))}`;
}
