import assert from "node:assert/strict";
import { join } from "node:path";
import { pipelineJsonSchema, SCHEMA_FILE } from "../../../src/pipeline/json_schema.ts";

type Schema = Record<string, unknown>;
const ROOT = join(import.meta.dirname ?? ".", "../../..");

Deno.test("config/pipeline.schema.json is what deno task schema writes", () => {
  const checkedIn = Deno.readTextFileSync(join(ROOT, SCHEMA_FILE));
  assert.equal(checkedIn, pipelineJsonSchema(), "run deno task schema");
});

Deno.test("the JSON schema explains every key", () => {
  const schema = JSON.parse(pipelineJsonSchema()) as Schema;
  const definitions = schema["$defs"] as Record<string, Schema>;
  const silent: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    const { properties } = value as { properties?: Record<string, Schema> };
    for (const [key, property] of Object.entries(properties ?? {})) {
      const target = typeof property["$ref"] === "string"
        ? definitions[property["$ref"].replace("#/$defs/", "")]
        : undefined;
      if (!property["description"] && !target?.["description"]) silent.push(`${path}.${key}`);
    }
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  visit(schema, "");
  assert.deepEqual(silent, []);
});

Deno.test("the JSON schema wants exactly one kind per step and lets x- keys stand", () => {
  const schema = JSON.parse(pipelineJsonSchema()) as Schema;
  const { step } = schema["$defs"] as Record<string, Schema>;
  assert.equal((step?.["oneOf"] as unknown[]).length, 7);
  assert.deepEqual(schema["patternProperties"], { "^x-": {} });
});
