/** What `grid sync` was told. */
import type { GridError } from "../core/errors.ts";
import { renderProblem } from "../terminal/problem.ts";
import type { CommandContext } from "./command_module.ts";
import type { Session } from "./session.ts";
import type { GlobalFlags } from "./settings.ts";

export interface SyncFlags extends GlobalFlags {
  readonly to?: readonly string[];
  readonly as?: string;
  readonly explain?: true;
  readonly exclude: readonly string[];
  readonly excludeFrom?: string;
  readonly noDelete?: true;
  readonly force?: true;
  readonly onDrift?: "fail" | "keep" | "backup";
  readonly dryRun?: true;
  readonly verify?: true;
  readonly undo?: true;
  readonly input: readonly string[];
}

export interface SyncCall {
  /** Absolute. */
  readonly source: string;
  readonly flags: SyncFlags;
  readonly context: CommandContext;
  readonly session: Session;
}

/** Says what is wrong with nodes that could not be asked; the exit code. */
export function tellFailed(
  failed: readonly { readonly error: GridError }[],
  { context, session }: SyncCall,
): number {
  for (const { error } of failed) {
    context.stderr(renderProblem(error, { color: session.settings.color.stderr }));
  }
  return failed.length > 0 ? 3 : 0;
}
