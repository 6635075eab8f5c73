/** What the readers of GPU tools are given, and what they make of it. */
import type { GpuFacts, NodeFacts } from "./node.ts";

/** One question to a tool. */
export interface ToolAnswer {
  readonly lines: readonly string[];
  /** Undefined where the tool did not end. */
  readonly exit: number | undefined;
}

/** What the readers need besides the tool's own words. */
export interface Kernel {
  /** Makers of devices on the bus, or whose driver is there. */
  readonly makers: ReadonlySet<string>;
  /** Memory of AMD's GPUs as the kernel gives it, by its own node number. */
  readonly kfdBytes: ReadonlyMap<number, number>;
  /** A device that all jobs need and that this account may not open. */
  readonly denied: string | undefined;
  /** Of the machine; what GPUs without memory of their own share. */
  readonly memory: Pick<NodeFacts, "memoryTotalBytes" | "memoryAvailableBytes">;
}

/** What one tool's answers say. */
export interface ToolFacts {
  readonly gpus: readonly GpuFacts[];
  /**
   * The tool's own words about what is wrong, also where it named some GPUs; none where a tool was
   * left over on a machine without a GPU.
   */
  readonly problem: string | undefined;
}

/** The answers to a question, in the order in which it was asked; none where it was not. */
export type Ask = (question: string) => readonly ToolAnswer[];
