/** The scripts that run on a node, and the calls into them. */
import { quote, quoteAll } from "../../core/shell.ts";
import { nodePrelude, nodeProgram } from "../node_program.ts";

/** Read into the node's shell in this order. */
const SHELL_SCRIPTS = [
  "job.sh",
  "job_start.sh",
  "job_input.sh",
  "job_launch.sh",
  "job_turn.sh",
  "job_mask.sh",
  "job_tree.sh",
  "job_meter.sh",
];

let text: string | undefined;

/** The functions that every call needs; read once per process. */
export function jobLibrary(): string {
  text ??= readLibrary();
  return text;
}

function readLibrary(): string {
  const launcher = jobProgram("launcher.pl");
  const scripts = SHELL_SCRIPTS.map(jobProgram);
  return [nodePrelude(), `grid_launcher_program=${quote(launcher)}`, ...scripts].join("\n");
}

/** A file of this folder, for a node to run. */
export function jobProgram(name: string): string {
  return nodeProgram(name, import.meta.url);
}

export type JobFunction =
  | "grid_expect_many"
  | "grid_take_input"
  | "grid_take_life"
  | "grid_mask"
  | "grid_put"
  | "grid_start"
  | "grid_turn"
  | "grid_signal"
  | "grid_list";

/** A call as shell text; every argument is quoted. */
export function jobCall(name: JobFunction, args: readonly (string | number)[]): string {
  return `${name} ${quoteAll(args.map(String))}`;
}
