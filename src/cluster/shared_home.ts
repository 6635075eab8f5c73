/**
 * Nodes that share one home, as in most laboratories: their workspaces are one folder. Each workspace
 * has a random word in `.grid/token`. Equal words mean one folder, or a machine copied with all it had;
 * which of the two, a file tells that is made through one node and looked for through the others.
 */
import { randomWord } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import type { NodeHealth, OpenNode } from "./node.ts";

/** The word that a node's answer tells; undefined where it tells none, or none of ours. */
export function tokenIn(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const word = /^@(?:workspace-)?token ([A-Za-z0-9]{8,64})$/.exec(line)?.[1];
    if (word !== undefined) return word;
  }
  return undefined;
}

/** The word of this start of the machine, and its name, which containers have of their own. */
export function machineIn(lines: readonly string[]): string | undefined {
  return lines.map((line) => /^@machine ([0-9a-f-]{36} \S{1,255})$/.exec(line)?.[1])
    .find((word) => word !== undefined);
}

interface Workspace {
  readonly workspaceToken?: string | undefined;
  readonly machine?: string | undefined;
}

/** Of several names for one machine and workspace the first is the name: the others are told with it. */
class Names {
  readonly #first = new Map<string, string>();

  /** The one before; undefined where this is the first, or nobody can tell. */
  of(node: string, workspace: Workspace = {}): string | undefined {
    const key = machineKey(workspace);
    if (key === undefined) return undefined;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, node);
    return first;
  }
}

function machineKey({ workspaceToken, machine }: Workspace): string | undefined {
  if (workspaceToken === undefined || machine === undefined) return undefined;
  return `${workspaceToken} ${machine}`;
}

/** A name for a machine that has another name, too. */
export interface Twin {
  readonly node: string;
  readonly sameAs: string;
}

export interface OnceEach<N> {
  readonly nodes: readonly N[];
  /** Names that are left out. */
  readonly twins: readonly Twin[];
}

/** All other names of the machines that `known` names, where several of these are one under the first. */
export function otherNames(rows: readonly NodeHealth[], known: readonly string[]): Twin[] {
  if (known.length === 0) return [];
  const keys = new Map(rows.map(({ node, facts }) => [node, facts && machineKey(facts)]));
  const owners = new Map<string, string>();
  for (const node of known) {
    const key = keys.get(node);
    if (key !== undefined && !owners.has(key)) owners.set(key, node);
  }
  return [...keys].flatMap(([node, key]) => {
    const sameAs = key === undefined ? undefined : owners.get(key);
    return sameAs === undefined || sameAs === node ? [] : [{ node, sameAs }];
  });
}

/** Each machine once, where the config knows one by several names: what is in its workspace is there once. */
export function onceEach<N extends OpenNode>(nodes: readonly N[]): OnceEach<N> {
  const names = new Names();
  const twins = nodes.flatMap((each) => {
    const { name: node } = each.node;
    const sameAs = names.of(node, each);
    return sameAs === undefined ? [] : [{ node, sameAs }];
  });
  const left = new Set(twins.map(({ node }) => node));
  return { nodes: nodes.filter(({ node }) => !left.has(node.name)), twins };
}

/** Each row with the other nodes that told the same word, and the one whose machine it is. */
export function withSharers(rows: readonly NodeHealth[]): NodeHealth[] {
  const names = new Names();
  const byToken = new Map<string, string[]>();
  const places = rows.map(({ node, facts }) => {
    const token = facts?.workspaceToken;
    if (token === undefined) return undefined;
    const names = byToken.get(token) ?? [];
    byToken.set(token, names);
    return { names, index: names.push(node) - 1 };
  });
  // Of a thousand in one home each has a list of all others: copied as a whole, not name by name.
  return rows.map((row, at) => {
    const place = places[at];
    const sharesWith = place === undefined ? [] : place.names.toSpliced(place.index, 1);
    const sameAs = names.of(row.node, row.facts);
    return { ...row, sharesWith, ...(sameAs !== undefined && { sameAs }) };
  });
}

/**
 * The nodes in groups of one workspace each, in their order. What is done to a workspace is done through
 * the first of a group, and holds for the rest.
 */
export async function byWorkspace<N extends OpenNode>(
  nodes: readonly N[],
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly (readonly [N, ...N[]])[]> {
  const groups = Map.groupBy(nodes, (node) => node.workspaceToken ?? node);
  const checked = await Promise.all(
    [...groups.values()].map(([first, ...rest]) =>
      first === undefined ? [] : reallyOne([first, ...rest], signal)
    ),
  );
  return checked.flat();
}

async function reallyOne<N extends OpenNode>(
  [first, ...rest]: readonly [N, ...N[]],
  signal: AbortSignal | undefined,
): Promise<(readonly [N, ...N[]])[]> {
  if (rest.length === 0) return [[first]];
  // A name that nobody has looked for yet: network file systems remember what was not there.
  const name = `.grid/.shared-${randomWord(16)}`;
  const at = (node: N) => quote(`${node.root}/${name}`);
  const { code } = await first.transport.exec(`umask 077; set -C; : >${at(first)}`, { signal });
  if (code !== 0) return [first, ...rest].map((node) => [node] as const);
  try {
    const seen = await Promise.all(rest.map(async (node) => {
      const { code } = await node.transport.exec(`[ -e ${at(node)} ]`, { signal });
      return code === 0;
    }));
    const others = rest.filter((_, index) => !seen[index]);
    return [
      [first, ...rest.filter((_, index) => seen[index])],
      ...others.map((node) => [node] as const),
    ];
  } finally {
    await first.transport.exec(`rm -f ${at(first)}`, {}).catch(() => {
      // An empty file below .grid, which disturbs nothing.
    });
  }
}
