/** Tells a run to the page that GitHub shows of a job. */
import { join } from "node:path";
import type { Grid } from "../grid.ts";
import type { CliContext } from "./context.ts";

export interface JobSummaryOptions {
  readonly grid: Grid;
  readonly run: string;
  readonly context: CliContext;
}

/**
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
 *
 * A page that cannot be written is told, and changes nothing about the run.
 */
export function appendJobSummary({ grid, run, context }: JobSummaryOptions): void {
  const page = context.env["GITHUB_STEP_SUMMARY"];
  if (!page) return;
  try {
    const summary = Deno.readFileSync(join(grid.project, ".grid", "runs", run, "summary.md"));
    Deno.writeFileSync(page, summary, { append: true });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    context.stderr(`warning: Cannot write the job's summary: ${error.message}\n`);
  }
}
