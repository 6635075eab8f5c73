/** Keeps an eye on trees of processes, each marked by a variable in its environment. */
import { allProcesses, descendantsOf, processesBy, type ProcessInfo } from "./processes.ts";

export interface WatchedTree {
  /** Every process that was ever seen of it. */
  readonly pids: Set<number>;
  /** When one of them was last seen alive, in milliseconds since the Unix epoch; 0 if never. */
  lastSeenAt: number;
}

export class TreeWatch {
  readonly #variable: string;
  readonly #trees = new Map<string, WatchedTree>();

  readonly #leadersOf: (value: string) => readonly number[];

  /**
   * @param variable its value tells the trees apart
   * @param leadersOf processes that belong to a tree although they may lack the variable
   */
  constructor(
    { variable, values, leadersOf }: {
      readonly variable: string;
      readonly values: readonly string[];
      readonly leadersOf: (value: string) => readonly number[];
    },
  ) {
    this.#variable = variable;
    this.#leadersOf = leadersOf;
    for (const value of values) this.#trees.set(value, { pids: new Set(), lastSeenAt: 0 });
  }

  tree(value: string): WatchedTree {
    const tree = this.#trees.get(value);
    if (!tree) throw new Error(`no tree is called ${value}`);
    return tree;
  }

  /** Looks at /proc. A child without its environment is known by its parents while they live. */
  look(): void {
    const marked = processesBy(this.#variable);
    const living = new Set(allProcesses().map(({ pid }) => pid));
    for (const [value, tree] of this.#trees) {
      const found = (marked.get(value) ?? []).map(({ pid }) => pid);
      const roots = [...found, ...this.#leadersOf(value).filter((pid) => living.has(pid))];
      const below = roots.flatMap((root) => descendantsOf(root)).map(({ pid }) => pid);
      for (const pid of [...roots, ...below]) tree.pids.add(pid);
      if ([...tree.pids].some((pid) => living.has(pid))) tree.lastSeenAt = Date.now();
    }
  }

  /** Processes of any tree that still run. */
  survivors(): readonly ProcessInfo[] {
    const known = new Set([...this.#trees.values()].flatMap(({ pids }) => [...pids]));
    return allProcesses().filter(({ pid }) => known.has(pid));
  }
}
