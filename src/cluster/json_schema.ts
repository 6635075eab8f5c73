/**
 * `config/cluster_config.schema.json`, from the zod schema: completion in editors, and a quick look
 * at whether a file is right. Written by `deno task schema`; a test holds the checked-in file to it.
 */
import { z } from "../document/shape/zod.ts";
import { clusterSchema } from "./schema.ts";

export const SCHEMA_FILE = "config/cluster_config.schema.json";

export function clusterJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(clusterSchema), null, 2)}\n`;
}

if (import.meta.main) {
  await Deno.writeTextFile(SCHEMA_FILE, clusterJsonSchema());
}
