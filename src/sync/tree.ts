/** A tree: the code of one run on one node. */
import type { TreeOwner } from "./tree_owner.ts";

/** The run whose code is brought. */
export interface TreeRun {
  /** See `ProjectIdentity`. */
  readonly project: string;
  /** The same of `ProjectIdentity`. */
  readonly formerProjects?: readonly string[];
  readonly owner: TreeOwner;
  /** Runs that this one goes on from: their jobs are its own. */
  readonly lineage: readonly string[];
  /** Those of them whose runners are gone: what they pinned, this one frees. */
  readonly forerunners: readonly string[];
  /** How long the run may show no life before its trees are free. */
  readonly silenceMs: number;
  /** Number of the tree on that node where the run, or an earlier one of its line, has been at work. */
  readonly preferred?: ((place: { node: string; key: string }) => number | undefined) | undefined;
}

/** A run's code on one node, as a later step needs to know it. */
export interface TreeRef {
  /** Absolute `remote_root`. */
  readonly root: string;
  /** Below `<root>/.grid/sync/`. */
  readonly key: string;
  /** Absolute. */
  readonly folder: string;
  /** Digest of the manifest there. */
  readonly digest: string;
  /** Files, links and folders in it. */
  readonly entries: number;
  /** Patterns below the folder of what steps of the run may write over. */
  readonly writes: readonly string[];
}
