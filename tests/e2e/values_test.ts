/** Values of every spelling go from a file through outputs, variables, a matrix and back, digit by digit. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson } from "../../src/core/exact_json.ts";
import { grid, project } from "../support/cli.ts";
import {
  asPython,
  fitsPython,
  INHERITED_NAMES,
  jsonText,
  numberText,
} from "../support/json_texts.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

/** Values altogether, and in one run; with GRID_TEST_VALUES=10000 ten runs on each node. */
const VALUES = Number(Deno.env.get("GRID_TEST_VALUES") ?? 200);
const PER_RUN = 1000;
/** Cells of a matrix in each run. */
const CELLS = 8;

function pipeline(node: string, numbers: readonly string[]): string {
  return `
steps:
  - { id: code, sync: { from: ., to: [${node}] } }
  - id: read
    needs: code
    node: ${node}
    run: ":"
    outputs: { all: { from: file, path: values.json, json: . } }
  - id: use
    needs: read
    node: ${node}
    env: { ALL: { file: "\${{ toJSON(steps.read.outputs.all) }}" } }
    run: cp "$ALL" back.json; printf 'text=%s\\n' "$(cat back.json)" >> "$GRID_OUTPUT"
    outputs: { again: { from: file, path: back.json, json: . } }
  - id: parsed
    needs: use
    node: ${node}
    env: { ALL: { file: "\${{ toJSON(fromJSON(steps.use.outputs.text)) }}" } }
    run: printf 'text=%s\\n' "$(cat "$ALL")" >> "$GRID_OUTPUT"
  - id: cells
    needs: code
    node: ${node}
    matrix: { v: [${numbers.map((text, at) => `{ at: ${at}, n: [${text}] }`).join(", ")}] }
    env: { V: "\${{ matrix.v.n[0] }}" }
    run: echo "v=$V" >> "$GRID_OUTPUT"
  - id: told
    needs: read
    node: ${node}
    ray-batch:
      command: printf "%s" "$GRID_TASK"
      tasks: "\${{ toJSON(steps.read.outputs.all.map(value, [value])) }}"
  - id: called
    needs: told
    node: ${node}
    ray-batch: { call: "work:same", tasks: { file: fitting.jsonl } }
`;
}

async function goRound(
  folder: string,
  { node, values, numbers }: {
    readonly node: string;
    readonly values: readonly string[];
    readonly numbers: readonly string[];
  },
): Promise<void> {
  const text = `[${values.join(",")}]`;
  Deno.writeTextFileSync(`${folder}/values.json`, text);
  const fitting = values.filter(fitsPython);
  Deno.writeTextFileSync(`${folder}/fitting.jsonl`, fitting.join("\n"));
  Deno.writeTextFileSync(`${folder}/work.py`, "def same(task):\n    return task\n");
  Deno.writeTextFileSync(`${folder}/values.yaml`, pipeline(node, numbers));
  const ran = await grid(["run", "values.yaml", "--json"], { cwd: folder, timeoutMs: 120_000 });
  assert.equal(ran.code, 0, ran.stderr);
  const report = parseJson(ran.stdout) as unknown as {
    readonly steps: readonly { readonly id: string; readonly outputs: Record<string, unknown> }[];
  };
  const outputs = (id: string) => report.steps.find((step) => step.id === id)?.outputs ?? {};
  assert.equal(JSON.stringify(outputs("read")["all"]), text);
  assert.equal(outputs("use")["text"], text);
  assert.equal(JSON.stringify(outputs("use")["again"]), text);
  assert.equal(outputs("parsed")["text"], text);
  const wrapped = `[${values.map((value) => `[${value}]`).join(",")}]`;
  assert.equal(JSON.stringify(outputs("told")["results"]), wrapped);
  const results = outputs("called")["results"];
  assert.equal(asPython(JSON.stringify(results)), asPython(`[${fitting.join(",")}]`));
  const cells = report.steps.filter(({ id }) => id.startsWith("cells["));
  assert.deepEqual(cells.map((cell) => cell.outputs["v"]), numbers);
}

testWith(
  ["sshd"],
  "values keep every digit on their way through a run, here and over SSH",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const name = lab.nodes[0]?.name ?? "";
    using here = project({});
    Deno.mkdirSync(`${here.path}/config`);
    const config = labConfig({ lab, rayMode: "embedded" });
    Deno.writeTextFileSync(`${here.path}/config/cluster_config.yaml`, config);
    for (let done = 0; done < VALUES; done += PER_RUN) {
      const count = Math.min(PER_RUN, VALUES - done);
      const values = fc.sample(jsonText({ finite: true }), count);
      const numbers = fc.sample(numberText(), CELLS);
      for (const node of ["local", name]) await goRound(here.path, { node, values, numbers });
    }
  },
);

/** Every name stands for everything that has a name: its step needs the one before it. */
function namesPipeline(names: readonly string[]): string {
  const map = (value: (name: string, at: number) => string) =>
    `{ ${names.map((name, at) => `${name}: ${value(name, at)}`).join(", ")} }`;
  const steps = names.map((name, at) => `
  - id: ${name}
    needs: ${at === 0 ? "start" : names[at - 1]}
    node: local
    env: ${map((_, at) => `e${at}`)}
    run: |
      ${names.map((each, at) => `echo ${each}=o${at} >> "$GRID_OUTPUT"`).join("\n      ")}
      echo "own=$${name} ${`\${{ steps["${
    names[at - 1] ?? "start"
  }"].outputs.${name} }}`}" >> "$GRID_OUTPUT"
`);
  return `
inputs: ${map((_, at) => `{ type: string, default: i${at} }`)}
steps:
  - id: start
    node: local
    run: |
      printf '%s' '{${names.map((name, at) => `"${name}":"f${at}"`).join(",")},"loss":1}' > m.json
      ${names.map((each, at) => `echo ${each}=o${at} >> "$GRID_OUTPUT"`).join("\n      ")}
    outputs: { m: { from: file, path: m.json, json: . } }
${steps.join("")}
  - id: cells
    needs: start
    node: local
    matrix: ${map((_, at) => `[m${at}]`)}
    run: |
      echo "cell=\${{ matrix["${names[0]}"] }}" >> "$GRID_OUTPUT"
  - id: all
    needs: [cells, ${names.at(-1)}]
    node: local
    env:
      SEEN: '\${{ [inputs, steps.start.outputs.m, steps.cells.matrix[0].params] }}'
    run: |
      echo "seen=$SEEN" >> "$GRID_OUTPUT"
      echo loss=\${{ steps.start.outputs.m.loss }} >> "$GRID_OUTPUT"
`;
}

Deno.test("a name that every object seems to hold is a name like any other", async () => {
  const names = [...INHERITED_NAMES];
  using here = project({ "names.yaml": namesPipeline(names) });
  const checked = await grid(["validate", "names.yaml"], { cwd: here.path });
  assert.equal(checked.code, 0, checked.stderr);
  const ran = await grid(["run", "names.yaml", "--json"], { cwd: here.path, timeoutMs: 120_000 });
  assert.equal(ran.code, 0, ran.stderr);
  assert.doesNotMatch(ran.stderr, /Cannot|bug/);
  const report = parseJson(ran.stdout) as unknown as {
    readonly steps: readonly { readonly id: string; readonly outputs: Record<string, unknown> }[];
  };
  const outputs = (id: string) => report.steps.find((step) => step.id === id)?.outputs ?? {};
  for (const [at, name] of names.entries()) {
    assert.equal(outputs(name)["own"], `e${at} o${at}`);
    for (const [at, each] of names.entries()) {
      assert.equal(Object.entries(outputs(name)).find(([key]) => key === each)?.[1], `o${at}`);
    }
  }
  const maps = (letter: string) => names.map((name, at) => `"${name}":"${letter}${at}"`).join(",");
  assert.equal(outputs("all")["seen"], `[{${maps("i")}},{${maps("f")},"loss":1},{${maps("m")}}]`);
  assert.equal(outputs("all")["loss"], "1");
  const run = [...Deno.readDirSync(`${here.path}/.grid/runs`)].find(({ isDirectory }) =>
    isDirectory
  );
  for (const file of ["report.html", "junit.xml"]) {
    const text = Deno.readTextFileSync(`${here.path}/.grid/runs/${run?.name}/${file}`);
    for (const name of names) assert.ok(text.includes(name), `${name} in ${file}`);
  }
});
