/** What is warned of in a sound pipeline. */
import { join } from "node:path";
import { loadPipeline } from "../../src/pipeline/load.ts";
import { tempDir } from "./temp_dir.ts";

/** `line:column message` of each warning. */
export async function warnings(text: string): Promise<string[]> {
  using folder = tempDir();
  const file = join(folder.path, "p.yaml");
  Deno.writeTextFileSync(file, text);
  const loaded = await loadPipeline({ file, project: folder.path, env: {} });
  return loaded.warnings.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
}
