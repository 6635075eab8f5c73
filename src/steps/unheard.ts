/** A command that may run although nobody will ever hear of it: the node's answers cannot be read. */
import { toGridError } from "../core/errors.ts";
import { isUnheard, killUnheard } from "../transport/job/job_start.ts";
import { survivorWords } from "./run_failure.ts";

export { isUnheard };

/** Ends it, and says what became of it. */
export async function endUnheard(...job: Parameters<typeof killUnheard>): Promise<string> {
  try {
    return survivorWords(await killUnheard(...job));
  } catch (error) {
    return `its processes could not be ended: ${toGridError(error).message}`;
  }
}
