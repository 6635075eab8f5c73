/** The nodes as the rest of Grid sees them; made by `openCluster`. */
import type { ClaimOptions, ClaimWish, JobClaim, JobWords } from "./claim_wish.ts";
import type { NodeSelector } from "./node_selector.ts";
import type { Node, NodeHealth, OpenNode } from "./node.ts";
import type { Twin } from "./shared_home.ts";

/** Dispose it before the pool: what a closing connection looks like says nothing about a node. */
export interface Cluster extends Disposable {
  /** Configured nodes in file order, without `local`. */
  readonly nodes: readonly Node[];

  /**
   * Connects where needed and makes sure that the workspace exists. `local` is always there: this
   * machine, with the project folder as its workspace.
   *
   * @throws {GridError} `usage` for a name that is not configured (with "did you mean"), a transport
   * code, or `workspace`
   */
  open(name: string, options?: { readonly signal?: AbortSignal }): Promise<OpenNode>;

  /** All nodes at once, from the cache where it is fresh; never throws for a node that is down. */
  health(options?: HealthOptions): Promise<readonly NodeHealth[]>;

  /**
   * The best node that fits, waiting up to the selector's time for one.
   *
   * @throws {GridError} `no-node` with every node's reason
   */
  select(selector: NodeSelector, options?: SelectOptions): Promise<Placement>;

  /**
   * Nodes that fit, all or none, held from then on by `gangHolder` of each rank. Nothing is kept while
   * waiting, so that two that want the same nodes never block each other.
   *
   * @throws {GridError} `no-node` with every node's reason
   */
  gather(selector: NodeSelector, options: GatherOptions): Promise<readonly Placement[]>;

  /** The work that `holder` was given a place for is over. */
  release(holder: string): void;

  /** So is all that was placed by holders whose names begin with `run` and a space. */
  releaseAll(run: string): void;

  /** Resolves when the nodes have heard of all that was released, or cannot be told. */
  released(): Promise<void>;

  /**
   * What makes a job hold GPUs of its node, or say that it is there, for as long as it lives.
   *
   * @throws {GridError} `no-node` where not enough GPUs became free in time
   */
  claim(node: OpenNode, wish: ClaimWish, options?: ClaimOptions): Promise<JobClaim>;
}

export interface HealthOptions {
  /** Probe even where the cache is fresh. */
  readonly fresh?: boolean;
  /** False: what the last look saw, however old; nodes that nobody looked at are left out. */
  readonly ask?: boolean;
  readonly signal?: AbortSignal;
  /** Only these nodes. */
  readonly among?: readonly string[];
  /** Called with the rows so far as nodes answer, a few times each second. */
  readonly onRows?: (rows: readonly NodeHealth[]) => void;
  /** Nothing is asked of these nodes afterwards: each is let go as soon as it has answered. */
  readonly isLast?: boolean;
}

export interface SelectOptions {
  readonly signal?: AbortSignal;
  /** Taken only if nothing else fits. */
  readonly avoid?: readonly string[];
  /** Names the work for `release`; without it the choice counts for nobody else. */
  readonly holder?: string;
  /** Under which the work will claim its GPUs; whose claims are no obstacle. */
  readonly group?: string | undefined;
  /** What the work is, as others see it. With these its GPUs are held from the choice on. */
  readonly words?: JobWords | undefined;
  /** Called with what is waited for, again when its place in the line changes. */
  readonly onWait?: ((words: string) => void) | undefined;
}

/** What several nodes are chosen for together. */
export interface GatherOptions extends SelectOptions {
  readonly holder: string;
  readonly group: string;
  readonly words: JobWords;
  /** How many. */
  readonly count: number;
  /** All GPUs of all of them are of one model. */
  readonly sameModel: boolean;
  /** Names of machines that have another name, as was found when they were opened: none of them is taken. */
  readonly twins?: readonly Twin[];
}

/** Under which a rank holds its node; ranks count in the order of the config. */
export function gangHolder(holder: string, rank: number): string {
  return `${holder} rank ${rank}`;
}

/** A node that was chosen, and why. */
export interface Placement {
  /** Its name. */
  readonly node: string;
  /** How it was when it was chosen. */
  readonly health: NodeHealth;
  /** Every other node, and why not. */
  readonly passedOver: readonly { readonly node: string; readonly reason: string }[];
}

/** Rows that outlive the process; keyed by node and account, so that two configs do not mix. */
export interface HealthCache {
  load(keys: readonly string[]): ReadonlyMap<string, CachedRow>;
  save(rows: ReadonlyMap<string, CachedRow>): void;
}

export interface CachedRow {
  readonly at: number;
  /** JSON text; what it means is the cluster's business. */
  readonly json: string;
}
