/** When a pipeline is started by itself, as its file says. */

/** What becomes of a time that comes while a run of the same schedule still goes on. */
export const OVERLAPS = ["skip", "queue", "parallel", "cancel-oldest"] as const;
/** What becomes of times at which nobody was there to start a run. */
export const CATCH_UPS = ["last", "none", "all"] as const;

export interface Schedule {
  /** Tells it from others of the same file. */
  readonly name: string;
  /** Five fields of cron, or six with seconds in front. */
  readonly cron: string;
  /** By its name in the IANA time zone database. */
  readonly zone: string;
  readonly overlap: typeof OVERLAPS[number];
  readonly catchUp: typeof CATCH_UPS[number];
  /** A run that could begin only later than this does not begin; undefined: however late. */
  readonly startWithinMs: number | undefined;
  /** Inputs of its runs, as text. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly isEnabled: boolean;
}
