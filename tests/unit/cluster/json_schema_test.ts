import assert from "node:assert/strict";
import { join } from "node:path";
import { clusterJsonSchema, SCHEMA_FILE } from "../../../src/cluster/json_schema.ts";

const ROOT = join(import.meta.dirname ?? ".", "../../..");

Deno.test("config/cluster_config.schema.json is what deno task schema writes", () => {
  const checkedIn = Deno.readTextFileSync(join(ROOT, SCHEMA_FILE));
  assert.equal(checkedIn, clusterJsonSchema(), "run deno task schema");
});
