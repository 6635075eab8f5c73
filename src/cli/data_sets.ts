/** The data sets on all nodes, and those that somebody means. */
import { byWorkspace } from "../cluster/shared_home.ts";
import type { OpenNode } from "../cluster/node.ts";
import { nearest } from "../core/did_you_mean.ts";
import { GridError } from "../core/errors.ts";
import { type KeptSet, keptSets } from "../data/kept.ts";
import type { DataRow } from "../terminal/tables/data_table.ts";
import { type OpenedNodes, openNodes } from "./nodes.ts";
import type { Session } from "./session.ts";

export interface PlacedSet extends KeptSet {
  /** Whose workspace it lies in; with those that share it. */
  readonly on: readonly [OpenNode, ...OpenNode[]];
}

export interface FoundSets {
  readonly sets: readonly PlacedSet[];
  readonly failed: OpenedNodes["failed"];
}

/** @throws {GridError} `usage` for a node that is not configured */
export async function findSets(session: Session, names?: readonly string[]): Promise<FoundSets> {
  const { signal } = session;
  const { open, failed } = await openNodes(session, { names, withLocal: false });
  const groups = await byWorkspace(open, { signal });
  const lists = await Promise.all(groups.map(async (on) => {
    const [{ node, transport, root }] = on;
    const sets = await keptSets({ target: { node: node.name, transport, root }, signal });
    return sets.map((set): PlacedSet => ({ ...set, on }));
  }));
  return { sets: lists.flat(), failed };
}

/** A name means all sets of that name, old ones too; a digest may be cut after six characters. */
export function meantSets(sets: readonly PlacedSet[], words: readonly string[]): PlacedSet[] {
  return words.flatMap((word) => {
    const isDigest = /^[0-9a-f]{6,64}$/.test(word);
    const found = sets.filter(({ name, digest }) =>
      name === word || (isDigest && digest.startsWith(word))
    );
    if (found.length > 0) return found;
    const names = sets.map(({ name }) => name);
    const near = nearest(word, names);
    throw new GridError({
      code: "usage",
      message: `Cannot find the data set "${word}": no node that answered has it`,
      hint: near === undefined ? "see: grid data" : `did you mean "${near}"?`,
    });
  });
}

/** One row per set, wherever it lies; the one used last first. */
export function dataRows(sets: readonly PlacedSet[]): DataRow[] {
  const rows = [...Map.groupBy(sets, ({ digest }) => digest).values()].map((same) => {
    const [first] = same;
    const users = same.flatMap(({ users }) => users);
    return {
      name: first?.name ?? "",
      digest: first?.digest ?? "",
      files: first?.files ?? 0,
      bytes: first?.bytes ?? 0,
      nodes: same.flatMap(({ on }) => on.map(({ node }) => node.name)),
      ageSeconds: Math.min(...same.map(({ ageSeconds }) => ageSeconds)),
      usedSeconds: Math.min(
        ...users.map(({ agoSeconds }) => agoSeconds),
        ...same.map((it) => it.ageSeconds),
      ),
      users: [...new Set(users.map(({ folder }) => folder))],
      isPinned: same.some(({ isPinned }) => isPinned),
      isBusy: same.some(({ isBusy }) => isBusy),
      isWhole: same.every(({ isWhole }) => isWhole),
    };
  });
  return rows.toSorted((a, b) => a.usedSeconds - b.usedSeconds);
}
