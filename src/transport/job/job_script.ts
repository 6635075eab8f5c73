/** The scripts that run on a node, and the calls into them. */
import { quote, quoteAll } from "../../core/shell.ts";

/** Read into the node's shell in this order. */
export const SHELL_SCRIPTS = [
  "job.sh",
  "job_start.sh",
  "job_launch.sh",
  "job_turn.sh",
  "job_mask.sh",
  "job_tree.sh",
];

let text: Promise<string> | undefined;

/** The functions that every call needs; read once per process. */
export function jobLibrary(): Promise<string> {
  text ??= readLibrary();
  return text;
}

async function readLibrary(): Promise<string> {
  const read = (name: string) => Deno.readTextFile(new URL(name, import.meta.url));
  const [launcher, ...parts] = await Promise.all(["launcher.pl", ...SHELL_SCRIPTS].map(read));
  return [`grid_launcher_program=${quote(launcher ?? "")}`, ...parts].join("\n");
}

export type JobFunction = "grid_mask" | "grid_start" | "grid_turn" | "grid_signal" | "grid_list";

/** A call as shell text; every argument is quoted. */
export function jobCall(name: JobFunction, args: readonly (string | number)[]): string {
  return `${name} ${quoteAll(args.map(String))}`;
}
