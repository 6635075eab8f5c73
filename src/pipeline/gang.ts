/** More than these start nothing together. */
export const MOST_NODES = 1000;

/** What makes a command run on many nodes at once; `T` is what an expression is before it has a value. */
export interface Gang<T = never> {
  /** Nodes, and ranks: one command on each. */
  readonly count: number | T;
  /** All GPUs of all nodes are of one model. */
  readonly sameModel: boolean;
  /** How long it may take until every rank stands ready, from the choice of the nodes on. */
  readonly startWithinMs: number;
  /** Each rank prints something at least that often. */
  readonly idleMs?: number;
  /** After the first rank has ended well, the others may take so long. */
  readonly exitTogetherMs?: number;
  /** Other tools by whose names the variables are given, too. */
  readonly aliases: readonly GangAlias[];
}

export type GangAlias = "skypilot" | "dstack";

/** Below the shortest time that launchers wait for each other: torch's c10d gives up after 60 s. */
export const START_WITHIN_MS = 60_000;
