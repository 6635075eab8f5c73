/** Keeps the trees of one run pinned for as long as the run lives, and frees them at its end. */
import { getLogger } from "../core/log.ts";
import { quoteAll } from "../core/shell.ts";
import { placeOf } from "./place.ts";
import type { AskedTree, HeldTree, SyncTarget } from "./sync.ts";
import type { TreeRun } from "./tree.ts";
import { treeLibrary, treeWords } from "./tree_choice.ts";

/** Looks per time of silence. */
const SIGNS = 4;
/** The code of a new pin is told soon: only then can others with the same code share the tree. */
const SETTLE_MS = 1000;
/** Trees beside the main one are emptied when nobody used them for so long, in minutes. */
const IDLE_MINUTES = 24 * 60;

interface Held {
  readonly target: SyncTarget;
  readonly as: string;
  /** Key of the place → digest of the run's code there. */
  readonly trees: Map<string, string>;
  /** Keys of plain folders: the node may have pinned them, or a tree beside, and the answer is lost. */
  readonly asked: Set<string>;
}

export class TreeKeeper implements AsyncDisposable {
  readonly run: TreeRun;
  readonly #held = new Map<string, Held>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #keeping: Promise<unknown> = Promise.resolve();

  constructor(run: TreeRun) {
    this.run = run;
  }

  /** The tree that this run last used there for code of that name. */
  treeOn(node: string, key: string): string | undefined {
    const keys = [...this.#held.values()].filter(({ target }) => target.node === node)
      .flatMap(({ trees }) => [...trees.keys()]);
    return keys.findLast((it) => it === key || it.startsWith(`${key}@`));
  }

  /** From now on the node may pin a tree for code of that name. */
  ask({ target, as }: AskedTree): void {
    this.#heldOn({ target, as }).asked.add(placeOf(target.root, as).key);
  }

  /** The tree is pinned already; `digest` is what it holds now. */
  hold({ target, as, key, digest }: HeldTree): void {
    const held = this.#heldOn({ target, as });
    held.trees.delete(key);
    held.trees.set(key, digest);
    clearTimeout(this.#timer);
    this.#schedule(Math.min(SETTLE_MS, this.run.silenceMs / SIGNS));
  }

  #heldOn({ target, as }: AskedTree): Held {
    const place = `${target.node} ${target.root}`;
    const held = this.#held.get(place) ?? { target, as, trees: new Map(), asked: new Set() };
    this.#held.set(place, held);
    return held;
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#keeping = this.#each((held) => `grid_tree_keep ${quoteAll([...held.trees].flat())}`);
      this.#schedule(this.run.silenceMs / SIGNS);
    }, ms);
  }

  async #each(call: (held: Held) => string): Promise<void> {
    await Promise.all([...this.#held.values()].map(async (held) => {
      try {
        await held.target.transport.exec(
          `${treeWords({ ...held, run: this.run })}; ${call(held)}`,
          { library: treeLibrary() },
        );
      } catch (error) {
        // A node that stays away frees the tree by itself; the next step there finds out.
        getLogger("sync").debug(`${error}`);
      }
    }));
  }

  /** Nothing is said to any node any more, as if the runner had died. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#held.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#keeping;
    await this.#each((held) =>
      `grid_tree_free ${IDLE_MINUTES} ${
        quoteAll([...new Set([...held.asked, ...held.trees.keys()])])
      }`
    );
    this.#held.clear();
  }
}
