/** `grid run --all "command"`: on every node, with equal outputs folded. */
import { runEverywhere } from "../cluster/everywhere.ts";
import type { NodeHealth } from "../cluster/node.ts";
import { foldNames } from "../core/name_ranges.ts";
import { pathPrefix } from "../steps/placement.ts";
import { renderFolded } from "../terminal/folded_outputs.ts";
import { oneLine } from "../terminal/harmless.ts";
import { createPaint } from "../terminal/style.ts";
import type { CommandContext } from "./command_module.ts";
import { knownNodes, openNodes } from "./nodes.ts";
import type { Session } from "./session.ts";

export interface RunAllOptions {
  readonly command: string;
  readonly session: Session;
  readonly context: CommandContext;
  /** Undefined means all. */
  readonly names: readonly string[] | undefined;
  readonly timeoutMs: number | undefined;
  /** The exit code is the highest of the command's own. */
  readonly passThrough: boolean;
}

interface Missed {
  readonly node: string;
  readonly reason: string;
}

/** 0 where it ended well everywhere; else 1 for a failure, 4 for a time that was over, 3 for a dead node. */
export async function runAll(options: RunAllOptions): Promise<number> {
  const { session, context, command, names, timeoutMs } = options;
  const { grid, signal, settings } = session;
  const wanted = knownNodes(session, names).map(({ name }) => name);
  // Each node is asked once whether it lives, so that dead ones cost their deadline, not their retries.
  const rows = await grid.cluster.health({ fresh: true, among: wanted, signal });
  const alive = rows.filter(({ status }) => status !== "unreachable").map(({ node }) => node);
  const { open, failed } = await openNodes(session, { names: alive, withLocal: false });
  const missed: Missed[] = [
    ...rows.filter(({ status }) => status === "unreachable").map(missedRow),
    ...failed.map(({ node, error }) => ({ node, reason: error.message })),
  ];
  const progress = openProgress(options, open.length);
  const outputs = await runEverywhere(open, {
    command,
    pathPrefix,
    timeoutMs,
    signal,
    onEnd: () => progress.step(),
  }).finally(() => progress.clear());
  if (settings.json) {
    const nodes = outputs.map((output) => ({
      ...output,
      code: output.code ?? null,
      problem: output.problem ?? null,
    }));
    context.stdout(JSON.stringify({ nodes, notReached: missed }, null, 2) + "\n");
  } else {
    context.stdout(renderFolded(outputs, createPaint(settings.color.stdout)));
    if (missed.length > 0) context.stderr(missedWords(missed, wanted.length));
  }
  const codes = outputs.map(({ code }) => code ?? 0);
  const worst = Math.max(0, ...codes);
  if (options.passThrough && worst > 0) return worst;
  if (outputs.some(({ code, isTimeout }) => code !== 0 && !isTimeout)) return 1;
  if (outputs.some(({ isTimeout }) => isTimeout)) return 4;
  return missed.length > 0 ? 3 : 0;
}

function missedRow({ node, reason }: NodeHealth): Missed {
  return { node, reason: reason ?? "it does not answer" };
}

/** `not reached (2 of 6): gpu[5-6]: no answer within 3 s`. */
function missedWords(missed: readonly Missed[], count: number): string {
  const groups = [...Map.groupBy(missed, ({ reason }) => reason)].map(([reason, nodes]) =>
    `  ${foldNames(nodes.map(({ node }) => node))}: ${oneLine(reason)}\n`
  );
  return `not reached: ${missed.length} of ${count}\n${groups.join("")}`;
}

/** How many have ended, on a terminal that can take it back. */
function openProgress(
  { session: { settings }, context }: RunAllOptions,
  count: number,
): { step(): void; clear(): void } {
  const isShown = context.stderrIsTerminal && !settings.quiet && context.env["TERM"] !== "dumb";
  let ended = 0;
  const draw = (text: string) => isShown && context.stderr(`\r\x1b[K${text}`);
  draw(`0 of ${count} nodes`);
  return {
    step: () => void draw(`${++ended} of ${count} nodes`),
    clear: () => void draw(""),
  };
}
