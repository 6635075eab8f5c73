/** What runs that were submitted to a node left there: their folders, and Grids of older versions. */
import type { OpenNode } from "../../cluster/node.ts";
import { systemClock } from "../../core/clock.ts";
import { quote } from "../../core/shell.ts";
import { nodeProgram } from "../../transport/node_program.ts";
import type { Session } from "../session.ts";

interface CleanOptions {
  readonly session: Session;
  readonly minutes: number;
  /** Only say what. */
  readonly dryRun: boolean;
}

const REMOVE_MS = 15 * 60_000;

/** Only what this project has submitted, and what came home whole; names below `.grid` on the node. */
export async function cleanSubmitted(
  { node, transport, root }: Pick<OpenNode, "node" | "transport" | "root">,
  { session: { grid: { store }, signal }, minutes, dryRun }: CleanOptions,
): Promise<readonly string[]> {
  const before = systemClock.now() - minutes * 60_000;
  const own = store.nodeRunners.all().filter(({ node: name }) => name === node.name);
  const over = [...Map.groupBy(own, ({ folder }) => folder)].filter(([folder, runs]) =>
    folder.startsWith(`${root}/.grid/submitted/`) &&
    runs.every(({ run, isAlive, seenAt }) => {
      const row = store.row(run);
      const hasEnd = row?.finishedAt !== undefined || row?.resumedAs !== undefined;
      // By this machine's clock, whatever the node's says.
      return !isAlive && hasEnd && seenAt <= before;
    })
  );
  const words = over.map(([folder]) => quote(folder.slice(folder.lastIndexOf("/") + 1)));
  const go = dryRun ? "no" : "yes";
  const { stdout } = await transport.exec(
    [
      `(base=${quote(`${root}/.grid`)} minutes=${minutes} go=${go}`,
      `set -- ${words.join(" ")}`,
      nodeProgram("clean_submitted.sh", import.meta.url),
      ")",
    ].join("\n"),
    { signal, timeoutMs: REMOVE_MS },
  );
  if (!dryRun) {
    for (const { run } of over.flatMap(([, runs]) => runs)) store.nodeRunners.forget(run);
  }
  return stdout.split("\n").filter((line) => /^(?:submitted|runtime)\/[\w.-]{1,255}$/.test(line));
}
