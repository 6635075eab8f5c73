/** Runs that bring code to one node, each with its own pins. */
import { syncFolders } from "../../src/sync/folders.ts";
import type { SyncOptions, SyncReport } from "../../src/sync/sync.ts";
import type { TreeRun } from "../../src/sync/tree.ts";
import { TreeKeeper } from "../../src/sync/tree_keeper.ts";
import { verifyTree } from "../../src/sync/tree_proof.ts";
import type { SyncRig } from "./sync_rig.ts";

export interface TreeRunRig extends AsyncDisposable {
  readonly run: TreeRun;
  readonly keeper: TreeKeeper;
  /** What the user was told. */
  readonly told: string[];
  sync(options?: Partial<SyncOptions>): Promise<SyncReport>;
  /** Why the tree is not the run's; undefined where it is. */
  prove(report: SyncReport): Promise<string | undefined>;
}

export interface TreeRunOptions extends Partial<Omit<TreeRun, "owner">> {
  readonly folder?: string;
  readonly machine?: string;
  readonly writes?: readonly string[];
}

export function treeRun(rig: SyncRig, name: string, options: TreeRunOptions = {}): TreeRunRig {
  const { folder = rig.source, machine = "desk", writes = [], ...more } = options;
  const keeper: TreeKeeper = new TreeKeeper({
    project: "11111111",
    owner: { account: "ann", machine, folder, run: name, at: Date.now() },
    lineage: [],
    forerunners: [],
    silenceMs: 60_000,
    ...more,
  });
  const told: string[] = [];
  const tell = (message: string) => void told.push(message);
  return {
    run: keeper.run,
    keeper,
    told,
    async sync(given = {}) {
      const tree = { run: keeper.run, keeper, writes, tell };
      const [result] = await syncFolders([rig.target], { ...rig.options, tree, ...given });
      if (result?.ok) return result.report;
      throw result?.error ?? new Error("no result");
    },
    async prove({ tree }) {
      if (tree === undefined) throw new Error("the report has no tree");
      return await verifyTree(tree, {
        run: keeper.run,
        transport: rig.transport,
        signal: AbortSignal.timeout(20_000),
      });
    },
    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  };
}
