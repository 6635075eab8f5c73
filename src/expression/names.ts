import type { Environment } from "./cel_library.ts";

/** What the names in an expression may mean where it stands. */
export interface Names {
  /** Undefined where the declarations could not be read, and anything may be meant. */
  readonly inputs: ReadonlySet<string> | undefined;
  readonly types: Environment;
  /** Steps of the file; empty where no step can be asked, as in the file's own `env`. */
  readonly steps: ReadonlySet<string>;
  /** What to do where no step can be asked. */
  readonly withoutSteps: string;
  /** The step that holds the expression. */
  readonly self: string | undefined;
  /** What an input may be, where it is a choice. */
  optionsOf(input: string): readonly string[] | undefined;
  isAncestor(step: string): boolean;
  /** Whether the step stands for the cells of a matrix, each with outputs of its own. */
  hasCells(step: string): boolean;
  /** Whether its command runs on many nodes. */
  hasRanks(step: string): boolean;
  /** Axes of another step's matrix; undefined where they are not all known. */
  axesOf(step: string): ReadonlySet<string> | undefined;
  /** Outputs where they are all known, as those of a template. */
  outputsOf(step: string): ReadonlySet<string> | undefined;
  /** Outputs that the step declares; it may write others. */
  declaredBy(step: string): ReadonlySet<string>;
  /** Values of the nodes that the expression may meet. */
  readonly node: NodeNames;
  /** Axes of the step's matrix. */
  readonly matrix: ReadonlySet<string> | undefined;
}

export interface NodeNames {
  /** The expression is evaluated once the node is chosen. */
  readonly isChosen: boolean;
  /** What the cluster config gives to any node; undefined where nobody knows it. */
  readonly vars: ReadonlySet<string> | undefined;
  /** Nodes that may be chosen and have no such value. */
  lacking(name: string): readonly string[];
  /** The expression's other names must be known before it is carried to the node. */
  readonly isCarried: boolean;
}

/** What a check of one part of an expression is told besides the part. */
export interface PartContext {
  readonly source: string;
  readonly names: Names;
}
