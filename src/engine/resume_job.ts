/** What a resumed run is told of jobs that may still run. */
/** A job that an earlier runner started. */
export interface ResumeJob {
  readonly node: string;
  readonly job: string;
  /** Of a step on many nodes: all of its jobs, the one above among them. */
  readonly ranks?: readonly ResumeRank[] | undefined;
}

export interface ResumeRank {
  readonly rank: number;
  readonly node: string;
  readonly job: string;
  /** The earlier runner has ended it, or was about to. */
  readonly isOver: boolean;
}
