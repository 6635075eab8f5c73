/** What running costs: measured on nodes, kept in events, shown in reports. */

/** What a command used of its node. What is not known is absent. */
export interface Usage {
  /** Milliseconds on processors, of all that it started and waited for. */
  readonly cpuMs?: number;
  /** Of these, in programs. */
  readonly userMs?: number;
  /** Of these, in the system. */
  readonly systemMs?: number;
  /**
   * The most memory that its processes were seen to hold, resident; what several of them share counts
   * for each.
   */
  readonly peakBytes?: number;
  /** The most that was seen in use on the GPUs that it had claimed, together. */
  readonly gpuPeakBytes?: number;
  /** How busy these were on average, in per cent. */
  readonly gpuLoad?: number;
  /** How it went over time. */
  readonly samples?: UsageSamples;
}

/** Looks at a command: one number for each in every list. */
export interface UsageSamples {
  /** Milliseconds since it began. */
  readonly atMs: readonly number[];
  /** Used up to then. */
  readonly cpuMs: readonly number[];
  /** The most since the look before. */
  readonly memoryBytes: readonly number[];
  /** Of the GPUs that it had claimed; null where that look did not ask for them. */
  readonly gpuBytes?: readonly (number | null)[];
  /** Per cent. */
  readonly gpuLoad?: readonly (number | null)[];
}
