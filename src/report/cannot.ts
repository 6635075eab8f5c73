/** What could not be made of a run's reports, as a warning. */
export function cannot(action: string, error: unknown): string {
  return `Cannot ${action}: ${error instanceof Error ? error.message : String(error)}`;
}
