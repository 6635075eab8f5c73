/** `job.sh` and the calls into it. */
import { quoteAll } from "../core/shell.ts";

let text: string | undefined;

/** The functions that every call needs; read once per process. */
export async function jobLibrary(): Promise<string> {
  text ??= await Deno.readTextFile(new URL("./job.sh", import.meta.url));
  return text;
}

export type JobFunction =
  | "grid_start"
  | "grid_collect"
  | "grid_renew"
  | "grid_follow"
  | "grid_rest"
  | "grid_signal"
  | "grid_list";

/** A call as shell text; every argument is quoted. */
export function jobCall(name: JobFunction, args: readonly (string | number)[]): string {
  return `${name} ${quoteAll(args.map(String))}`;
}
