/** What the pages are made from; who opens the app hands it in. */
import type { Clock } from "../core/clock.ts";
import type { RunState } from "../engine/reduce.ts";
import type { Store } from "../store/store.ts";

export interface WebSources {
  /** Absolute folder of the project. */
  readonly project: string;
  readonly store: Store;
  readonly clock: Clock;
  /** Who is named where somebody cancels a run here. */
  readonly account: string;
  /** Absolute folder of a run named by its full id. */
  folder(run: string): string;
  /** What is known of the nodes; asks none of them. */
  nodes(): Promise<NodesView>;
  /** Times at which runs begin by themselves. */
  schedules(): SchedulesView;
  /** Asks all nodes. */
  lookAtNodes(): Promise<void>;
  /** As `grid metrics` prints. */
  metrics(): Promise<string>;
  /** Writes the report of a run whose runner died before it could. */
  completeReport(state: RunState): Promise<void>;
  /**
   * Starts a runner that goes on from this run, and outlives us.
   *
   * @returns id of the new run
   * @throws {GridError} what the runner said where it did not begin
   */
  resume(run: string): Promise<string>;
}

export interface SchedulesView {
  readonly rows: readonly ScheduleView[];
  /** Files whose schedule cannot be read, in words. */
  readonly problems: readonly string[];
  /** Whether the process of the pages starts runs. */
  readonly isServing: boolean;
}

export interface ScheduleView {
  readonly pipeline: string;
  readonly file: string;
  readonly name: string;
  readonly cron: string;
  readonly zone: string;
  readonly isEnabled: boolean;
  /** By whom it was paused. */
  readonly paused: string | undefined;
  /** Nobody starts its runs. */
  readonly isLeft: boolean;
  /** In milliseconds since the Unix epoch, and as its zone's clocks show it. */
  readonly nextAt: number | undefined;
  readonly next: string | undefined;
  readonly missed: number;
  readonly skipped: number;
  readonly failed: number;
  /** The last of its times, the newest first. */
  readonly shown: readonly ScheduleTime[];
}

export interface ScheduleTime {
  /** As its zone's clocks show it. */
  readonly time: string;
  /** Of the run, or what became of the time. */
  readonly result: string;
  readonly run: string | undefined;
  /** Why its run could not begin. */
  readonly said: string | undefined;
}

export interface NodesView {
  readonly nodes: readonly NodeView[];
  readonly queue: readonly QueueView[];
}

export interface NodeView {
  readonly name: string;
  /** `unknown`: nobody looked at it yet. */
  readonly status: "ok" | "unusable" | "unreachable" | "unknown";
  /** When it was looked at, in milliseconds since the Unix epoch. */
  readonly at: number | undefined;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
  /** Lower is better. */
  readonly score: number | undefined;
  readonly cpuPercent: number | undefined;
  readonly gpuPercent: number | undefined;
  readonly memoryAvailableBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly diskFreeBytes: number | undefined;
  readonly gpus: readonly GpuView[];
  /** Accounts that asked for no new work there. */
  readonly drains: readonly string[];
  readonly remarks: readonly string[];
  /** Of the last looks, the oldest first; undefined where it could not be used. */
  readonly scores: readonly (number | undefined)[];
}

export interface GpuView {
  readonly index: number;
  readonly name: string | undefined;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly utilizationPercent: number | undefined;
  readonly sick: string | undefined;
  /** Who holds it, in words. */
  readonly holders: readonly string[];
}

export interface QueueView {
  readonly node: string;
  readonly place: number | "holds" | "reserved";
  readonly gpus: number;
  readonly account: string;
  readonly run: string;
  readonly step: string;
  readonly project: string;
  readonly ageMs: number;
  readonly leftMs: number | undefined;
}
