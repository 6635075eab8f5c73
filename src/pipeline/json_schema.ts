/**
 * `config/pipeline.schema.json`, from the zod schema: completion and explanations in editors.
 * Written by `deno task schema`; a test holds the checked-in file to it.
 */
import { z } from "../document/shape/zod.ts";
import { pipelineSchema } from "./schema.ts";
import { STEP_KINDS } from "./step_kinds.ts";

export const SCHEMA_FILE = "config/pipeline.schema.json";

type Schema = Record<string, unknown>;

/** The schema as JSON text, with the rules that zod leaves to the loader where JSON Schema has words. */
export function pipelineJsonSchema(): string {
  const schema = z.toJSONSchema(pipelineSchema) as Schema;
  // `x-…` at the top is a place for anchors.
  schema["patternProperties"] = { "^x-": {} };
  const definitions = schema["$defs"] as Record<string, Schema> | undefined;
  for (const definition of [schema, ...Object.values(definitions ?? {})]) visit(definition);
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Every step has exactly one kind. */
function visit(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value)) visit(inner);
  const schema = value as Schema;
  const properties = schema["properties"];
  if (typeof properties !== "object" || properties === null) return;
  if (!STEP_KINDS.every((kind) => kind in properties)) return;
  schema["oneOf"] = STEP_KINDS.map((kind) => ({ required: [kind] }));
}

if (import.meta.main) {
  await Deno.writeTextFile(SCHEMA_FILE, pipelineJsonSchema());
}
