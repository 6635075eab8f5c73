/** What could not be made of a run's reports, as a warning. */
import { thrownWords } from "../core/refusal.ts";

export function cannot(action: string, error: unknown): string {
  return `Cannot ${action}: ${thrownWords(error)}`;
}
