/** Whether an environment is as asked for already: a look takes a fraction of what a job takes. */
import { monotonic } from "../core/clock.ts";
import { toGridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import { nodeProgram } from "../transport/node_program.ts";
import type { OpenNode } from "./node.ts";
import { contentsIn, resultOf, type SetupOptions, type SetupResult } from "./setup_result.ts";

/** Those where nothing is to be done. */
export async function lookAtAll(
  nodes: readonly OpenNode[],
  options: SetupOptions,
): Promise<ReadonlyMap<OpenNode, SetupResult>> {
  if (options.again || options.venv) return new Map();
  const looks = await Promise.all(
    nodes.map(async (open) => [open, await look(open, options)] as const),
  );
  return new Map(looks.flatMap(([open, seen]) => seen === undefined ? [] : [[open, seen]]));
}

async function look(open: OpenNode, options: SetupOptions): Promise<SetupResult | undefined> {
  const { signal } = options;
  const started = monotonic();
  const words = Object.entries({ root: open.root, ...wishOf(options) })
    .map(([name, value]) => `${name}=${quote(value)}`).join(" ");
  const command = `${words}\n${nodeProgram("setup_versions.sh", import.meta.url)}\nas_asked look`;
  try {
    const { stdout } = await open.transport.exec(command, { signal });
    const contents = contentsIn(stdout);
    return contents && resultOf(open, started, { state: "unchanged", ...contents });
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toGridError(thrown);
    if (error.code === "bug") throw error;
    // The job finds out why, and says it.
    return undefined;
  }
}

/** Names what was asked for, so that a second setup finds the same and does nothing. */
export function wishOf({ ray, venv = "", wheels = "", requirements = "" }: SetupOptions) {
  const ray_version = ray.mode === "managed" ? ray.version ?? "" : "-";
  // A shell drops the last newlines of what it reads from the file.
  const wish = `${ray_version}|${venv}|${wheels}|${requirements}`.replace(/\n+$/, "");
  return { ray_version, wish };
}
