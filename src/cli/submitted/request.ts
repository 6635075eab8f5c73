/** What this machine asks the Grid that it has brought to a node; one line of JSON over its stdin. */
import type { GridError } from "../../core/errors.ts";
import type { Finding } from "../../steps/preflight/finding.ts";

/** Word that starts it so; it stands in no help. */
export const SUBMITTED = "__submitted";

export type Request =
  | CheckRequest
  | BeginRequest
  | FeedRequest
  | CancelRequest;

interface Given {
  /** Environment variables that its expressions ask for. */
  readonly env: Readonly<Record<string, string>>;
}

/** What would keep the run from going well there; nodes that are not reached are taken out of its config. */
export interface CheckRequest extends Given {
  readonly ask: "check";
  /** Names of the nodes, its own aside. */
  readonly others: readonly string[];
  /** Pipeline file, from the project; undefined for a command. */
  readonly file: string | undefined;
  /** As on a command line. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of secrets that it is given. */
  readonly secrets: readonly string[];
}

/** Starts a runner, which goes on by itself. */
export interface BeginRequest extends Given {
  readonly ask: "begin";
  /** Id of the run. */
  readonly run: string;
  /** For `grid`. */
  readonly words: readonly string[];
  /** Values by name; they get onto no disk and onto no command line. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly restart: boolean;
}

/** What is new in all runs there. */
export interface FeedRequest {
  readonly ask: "feed";
  /** By run: how much is known. */
  readonly known: Readonly<Record<string, Known>>;
  /** Goes on until all is over. */
  readonly follow: boolean;
  /** It says first what time it is there. */
  readonly tellsClock?: true;
}

export interface Known {
  /** Number of its last event. */
  readonly seq: number;
  /** Bytes by file, from the run's folder. */
  readonly files: Readonly<Record<string, number>>;
}

export interface CancelRequest {
  readonly ask: "cancel";
  readonly run: string;
  readonly reason: string;
}

/** `Problem` is its record on the way. */
export interface CheckAnswer<Problem = GridError> {
  readonly unreached: readonly { readonly node: string; readonly why: string }[];
  readonly findings: readonly Finding[];
  /** Where the pipeline cannot be read there. */
  readonly problem?: Problem;
}

export type BeginAnswer<Problem = GridError> =
  | { readonly pid: number; readonly restart?: string }
  | { readonly problem: Problem };

export interface CancelAnswer {
  readonly asked: boolean;
}

/** Folders below a run's that come home, and files; reports are made here from the journal. */
export const FED = /^(?:runner\.log|(?:logs|results)\/[^\/\0]{1,255})$/;
