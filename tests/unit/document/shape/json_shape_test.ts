import assert from "node:assert/strict";
import { join } from "node:path";
import { KNOWN_KEYWORDS, ShapeChecker } from "../../../../src/document/shape/json_shape.ts";
import { readSource } from "../../../../src/document/source.ts";
import type { z } from "../../../../src/document/shape/zod.ts";
import { clusterSchema } from "../../../../src/cluster/schema.ts";
import { pipelineSchema } from "../../../../src/pipeline/schema.ts";
import CLUSTER from "../../../../config/cluster_config.schema.json" with { type: "json" };
import PIPELINE from "../../../../config/pipeline.schema.json" with { type: "json" };

const ROOT = join(import.meta.dirname ?? ".", "../../../..");

const SCHEMAS: Readonly<Record<string, unknown>> = {
  "pipeline.schema.json": PIPELINE,
  "cluster_config.schema.json": CLUSTER,
};

for (const [name, schema] of Object.entries(SCHEMAS)) {
  Deno.test(`every keyword of ${name} is understood`, () => {
    assert.deepEqual([...keywordsOf(schema)].filter((key) => !KNOWN_KEYWORDS.has(key)), []);
  });
}

/** Keywords at every level; names of properties are no keywords. */
function keywordsOf(schema: unknown): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      found.add(key);
      if (key === "examples" || key === "const" || key === "enum") continue;
      const isByName = ["properties", "patternProperties", "$defs"].includes(key);
      if (isByName) Object.values(inner).forEach(visit);
      else visit(inner);
    }
  };
  visit(schema);
  return found;
}

const files = (folder: string) =>
  [...Deno.readDirSync(join(ROOT, folder))].map(({ name }) => join(folder, name))
    .filter((path) => path.endsWith(".yaml"));

/** As the loader hands it on: without `x-` keys, which belong to the author. */
function read(path: string): unknown {
  const { value } = readSource(Deno.readTextFileSync(join(ROOT, path)), path);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("x-")));
}

const EVERY_KEY = "tests/unit/document/every_key.yaml";
const PIPELINES = [
  ...files("examples"),
  ...files("pipelines"),
  ...files("tests/golden/broken"),
  EVERY_KEY,
];
const CLUSTERS = ["config/cluster_config.yaml", "config/cluster_config.example.yaml"];

Deno.test("fits() takes every sound pipeline and cluster config of the repository", () => {
  const pipeline = new ShapeChecker(PIPELINE);
  for (const path of [...files("examples"), ...files("pipelines"), EVERY_KEY]) {
    assert.ok(pipeline.fits(read(path)), path);
  }
  const cluster = new ShapeChecker(CLUSTER);
  for (const path of CLUSTERS) assert.ok(cluster.fits(read(path)), path);
});

Deno.test("fits() takes nothing that the zod schema of pipelines refuses", () => {
  for (const path of PIPELINES) compare(path, { shape: PIPELINE, schema: pipelineSchema });
});

Deno.test("fits() takes exactly what the zod schema of cluster configs takes", () => {
  for (const path of CLUSTERS) {
    compare(path, { shape: CLUSTER, schema: clusterSchema, isExact: true });
  }
});

interface Pair {
  readonly shape: ConstructorParameters<typeof ShapeChecker>[0];
  readonly schema: z.ZodType;
  /** The JSON Schema of pipelines is narrower: it also wants exactly one kind per step. */
  readonly isExact?: boolean;
}

/** The file itself, and the file with every one of its values replaced by every odd value. */
function compare(path: string, { shape, schema, isExact = false }: Pair): void {
  const checker = new ShapeChecker(shape);
  const root = read(path);
  const check = (what: string) => {
    const fits = checker.fits(root);
    if (!fits && !isExact) return;
    assert.equal(schema.safeParse(root).success, fits, `${path} with ${what}`);
  };
  check("no change");
  for (const { container, key, name } of spotsOf(root)) {
    const before = container[key];
    for (const odd of ODD_VALUES) {
      container[key] = odd;
      check(`${name} = ${Deno.inspect(odd)}`);
    }
    container[key] = before;
    if (Array.isArray(container)) continue;
    delete container[key];
    check(`no ${name}`);
    container[key] = before;
    container["unheard-of"] = 1;
    check(`unheard-of beside ${name}`);
    delete container["unheard-of"];
  }
}

const ODD_VALUES = [
  ...[null, true, 0, -1, 1.5, 70_000, 2 ** 60, Number.NaN, Number.POSITIVE_INFINITY],
  ...["", "x", "a b", "-x", "30m", "16GiB", "exit:75", "bash", "${{ inputs.x }}", "with\nlines"],
  ...[[], [null], ["x"], [1, { a: [] }], {}, { x: 1 }, { from: "file" }, { range: 3 }, { gpus: 1 }],
];

interface Where {
  // deno-lint-ignore no-explicit-any
  readonly container: any;
  readonly key: string | number;
  readonly name: string;
}

function spotsOf(value: unknown, name = ""): Where[] {
  if (typeof value !== "object" || value === null) return [];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => {
    const inner = `${name}/${key}`;
    return [
      { container: value, key, name: inner },
      ...spotsOf((value as Record<string | number, unknown>)[key], inner),
    ];
  });
}
