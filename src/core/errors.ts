/**
 * Every failure Grid can name, as data. Words for people are made in one place,
 * `terminal/problem.ts`; here is only what happened, where, and what to do about it.
 */
import { missingPackage, refusalOf, refusedAction } from "./refusal.ts";

/** Exit code per error code. The bands are those of `grid --help`. */
export const EXIT_CODES = {
  // The caller's file or words are wrong.
  "usage": 2,
  "pipeline-invalid": 2,
  "cluster-invalid": 2,
  "input-invalid": 2,
  // No way to a node. One code per phase of a connection, so that retry policies can tell them apart.
  "dns": 3,
  "tcp": 3,
  "banner": 3,
  "kex": 3,
  // No algorithm in common: certain to fail again.
  "algorithm": 3,
  "host-key": 3,
  "auth": 3,
  "penalty": 3,
  "channel": 3,
  "lost": 3,
  "shell": 3,
  "no-node": 3,
  "workspace": 3,
  "answer-too-long": 3,
  "answer-invalid": 3,
  // A step's own work failed.
  "step-failed": 1,
  "exit": 1,
  "signal": 1,
  "sync": 1,
  "ray": 1,
  "missing-tool": 1,
  "output-invalid": 1,
  // Limits of time and of sharing.
  "timed-out": 4,
  "conflict": 5,
  // This machine refuses: no room, no right, no more open files, nowhere to write our output, no
  // way to packages that Grid itself consists of.
  "disk-full": 6,
  "permission": 6,
  "open-files": 6,
  "output-lost": 6,
  "packages": 6,
  // A wrong assumption of ours.
  "bug": 70,
  "interrupted": 130,
  "terminated": 143,
  "closed-pipe": 141,
} as const;

/** What kind of failure it is; each stands for one exit code. */
export type ErrorCode = keyof typeof EXIT_CODES;

/** A spot in a text file; line and column count from 1. */
export interface Place {
  /** As the user wrote it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** What a `GridError` is made of. */
export interface GridErrorOptions {
  /** What kind of failure; decides the exit code. */
  readonly code: ErrorCode;
  /** "Cannot <action>: <current state>", no full stop. */
  readonly message: string;
  /** What the reader can do now; a command where there is one. */
  readonly hint?: string | undefined;
  /** The node it happened on. */
  readonly node?: string | undefined;
  /** Where in a file it stands. */
  readonly place?: Place | undefined;
  /** What was thrown underneath. */
  readonly cause?: unknown;
}

/** A failure that Grid foresaw. Anything else that is thrown is a bug and exits with 70. */
export class GridError extends Error {
  /** Always `GridError`. */
  override readonly name = "GridError";
  /** What kind of failure; decides the exit code. */
  readonly code: ErrorCode;
  /** What can be done now; a command where there is one. */
  readonly hint: string | undefined;
  /** The node it happened on. */
  readonly node: string | undefined;
  /** Where in a file it stands. */
  readonly place: Place | undefined;

  /** With what happened, where, and what to do. */
  constructor(options: GridErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.node = options.node;
    this.place = options.place;
  }

  /** What `grid` exits with for it. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/** Codes that mean the way to the node failed, not the work: the retry class `transport`. */
const TRANSPORT_CODES: ReadonlySet<ErrorCode> = new Set([
  "dns",
  "tcp",
  "banner",
  "kex",
  "penalty",
  "channel",
  "lost",
]);

export function isTransportCode(code: ErrorCode): boolean {
  return TRANSPORT_CODES.has(code);
}

/** Codes that say that one node cannot be used, while others may. */
export function isAboutNode({ code }: GridError): boolean {
  return isTransportCode(code) || code === "host-key" || code === "auth" || code === "shell" ||
    code === "algorithm" || code === "workspace";
}

export function exitCodeOf(code: ErrorCode): number {
  return EXIT_CODES[code];
}

/**
 * Turns anything thrown into a `GridError`: what this machine refused into one that says so, what
 * Grid did not foresee into a `bug`.
 */
export function toGridError(thrown: unknown): GridError {
  if (thrown instanceof GridError) return thrown;
  // Closing something failed as well, often for the same reason: what came first is the cause.
  if (thrown instanceof SuppressedError) return toGridError(thrown.suppressed);
  const refused = refusedError(thrown);
  if (refused) return refused;
  const name = missingPackage(thrown);
  if (name !== undefined) return packageError(name, thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new GridError({ code: "bug", message, cause: thrown });
}

function packageError(name: string, cause: unknown): GridError {
  return new GridError({
    code: "packages",
    message: `Cannot load Grid: its package ${name} is not on this machine, and cannot be fetched`,
    hint: "fetch them where npm's registry is reached: deno install, in Grid's folder; " +
      "an installed Grid has them with it (docs/install.md)",
    cause,
  });
}

/**
 * The error as one that names what this machine refused (no room, no right, no more open files);
 * undefined where it is none of these.
 *
 * @param action what was being done, such as `write the report`; default: what the error says
 */
export function refusedError(thrown: unknown, action?: string): GridError | undefined {
  const refusal = refusalOf(thrown);
  if (refusal === undefined || !(thrown instanceof Error)) return undefined;
  const { code, state, hint } = refusal;
  const message = `Cannot ${action ?? refusedAction(thrown)}: ${state}`;
  return new GridError({ code, message, hint, cause: thrown });
}
