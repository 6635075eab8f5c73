/** What a step's kind tells of its attempt while it lasts. */
import type {
  BatchProgressed,
  DataFinished,
  FetchFinished,
  JobStarted,
  NodeChosen,
  RankEnded,
  SyncFinished,
  SyncProgressed,
  Warned,
} from "./event.ts";

/** An event without what the engine adds. */
type Noted<E> = Omit<E, "at" | "step" | "attempt">;

export type StepNote =
  | Noted<NodeChosen>
  | Noted<JobStarted>
  | Noted<RankEnded>
  | Noted<SyncFinished>
  | Noted<FetchFinished>
  | Noted<DataFinished>
  | Noted<BatchProgressed>
  | Noted<SyncProgressed>
  | Noted<Warned>;
