import { formatSize } from "../../core/size.ts";
import { pinSet, removeSet } from "../../data/kept.ts";
import { renderProblem } from "../../terminal/problem.ts";
import { DIGEST_SHOWN, renderData } from "../../terminal/tables/data_table.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { dataRows, findSets, meantSets, type PlacedSet } from "../data_sets.ts";
import { silentNodes } from "../nodes.ts";
import { nameList } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface DataFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
}

interface RemoveFlags extends DataFlags {
  readonly force?: true;
}

const NODES = [
  "--nodes <names>",
  "only these, separated by commas",
  { read: nameList },
] as const;
const SETS = "names of sets, or digests of at least six characters";

export function define(command: Command, context: CommandContext): void {
  command
    .option(...NODES)
    .close("Data sets come by data: steps; grid clean --nodes removes what nobody uses any more.")
    .action<DataFlags>((flags) => list(flags, context));
  for (const pin of [true, false]) {
    const [verb, summary] = pin
      ? ["pin", "keep sets, whoever uses them"]
      : ["unpin", "let sets go again once nobody uses them"];
    command.command(verb!, summary!)
      .argument("<sets...>", SETS)
      .option(...NODES)
      .action<DataFlags>((words, flags) =>
        change({ words, flags, context }, async (set, session) => {
          const done = await pinSet({ ...placeOf(set, session), digest: set.digest, pin });
          return { verdict: done ? `${verb}ned` : `not ${verb}ned`, isDone: true };
        })
      );
  }
  command.command("remove", "remove sets from nodes")
    .argument("<sets...>", SETS)
    .option(...NODES)
    .option("--force", "also pinned ones, and those that a job uses")
    .action<RemoveFlags>((words, flags) =>
      change({ words, flags, context }, async (set, session) => {
        const { digest } = set;
        const force = flags.force === true;
        const removed = await removeSet({ ...placeOf(set, session), digest, force });
        if (removed?.kept === undefined) return { verdict: "removed", isDone: true };
        return { verdict: `kept: ${removed.kept}`, isDone: false };
      })
    );
}

async function list(flags: DataFlags, context: CommandContext): Promise<void> {
  await using session = await openSession(flags, context);
  const { settings } = session;
  const { sets, failed } = await findSets(session, flags.nodes);
  const rows = dataRows(sets);
  if (settings.json) {
    const found = { data: sets.map(document), silent: silentNodes(failed) };
    context.stdout(JSON.stringify(found, null, 2) + "\n");
  } else {
    const width = context.columns("stdout");
    context.stdout(renderData(rows, { color: settings.color.stdout, width }));
  }
  tellFailed(failed, { session, context });
}

interface Change {
  readonly words: readonly string[];
  readonly flags: DataFlags;
  readonly context: CommandContext;
}

interface Verdict {
  readonly verdict: string;
  readonly isDone: boolean;
}

async function change(
  { words, flags, context }: Change,
  work: (set: PlacedSet, session: Session) => Promise<Verdict>,
): Promise<void> {
  await using session = await openSession(flags, context);
  const { sets, failed } = await findSets(session, flags.nodes);
  const changed = [];
  for (const set of meantSets(sets, words)) {
    const { verdict, isDone } = await work(set, session);
    const node = set.on.map((each) => each.node.name).join(", ");
    const size = formatSize(set.bytes);
    if (!isDone) context.setExitCode(1);
    context.stderr(
      `${set.name} ${set.digest.slice(0, DIGEST_SHOWN)} (${size}) on ${node}: ${verdict}\n`,
    );
    changed.push({ ...document(set), verdict });
  }
  if (session.settings.json) {
    const done = { data: changed, silent: silentNodes(failed) };
    context.stdout(JSON.stringify(done, null, 2) + "\n");
  }
  tellFailed(failed, { session, context });
}

function tellFailed(
  failed: Awaited<ReturnType<typeof findSets>>["failed"],
  { session, context }: { readonly session: Session; readonly context: CommandContext },
): void {
  for (const { error } of failed) {
    context.stderr(renderProblem(error, { color: session.settings.color.stderr }));
  }
  if (failed.length > 0) context.setExitCode(3);
}

function placeOf({ on: [{ node, transport, root }] }: PlacedSet, { signal }: Session) {
  return { target: { node: node.name, transport, root }, signal };
}

function document({ on, ...set }: PlacedSet) {
  return { nodes: on.map(({ node }) => node.name), ...set };
}
