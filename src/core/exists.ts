/** False also for what is not ours to see. `node:fs` has the same, and takes as long to load as reading a pipeline. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
