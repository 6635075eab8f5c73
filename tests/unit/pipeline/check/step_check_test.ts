import assert from "node:assert/strict";
import { join } from "node:path";
import { loadPipeline } from "../../../../src/pipeline/load.ts";
import { containerFault } from "../../../../src/pipeline/container.ts";
import { diagnosticsOf } from "../../../support/pipeline_files.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { warnings } from "../../../support/warnings.ts";

Deno.test("a step that is listed twice is warned of at the second place", async () => {
  assert.deepEqual(
    await warnings(`
steps:
  - { id: a, run: "true" }
  - { id: b, needs: [a, a], run: "true" }
`),
    ['4:25 "a" is listed twice'],
  );
});

Deno.test("a variable that a secret of the same name hides is warned of", async () => {
  assert.deepEqual(
    await warnings(`
secrets: [TOKEN]
steps:
  - { id: a, secrets: [TOKEN], env: { TOKEN: plain, OTHER: x }, run: "true" }
`),
    ["4:39 the secret TOKEN takes the place of this variable"],
  );
});

Deno.test("outputs of a step that gives its own are warned of", async () => {
  assert.deepEqual(
    await warnings(`
steps:
  - { id: a, sync: {}, outputs: { z: { from: stdout, match: x } } }
`),
    ["3:24 outputs: has no effect on sync: it gives folder, files, bytes"],
  );
});

Deno.test("an input that is required and has a default is warned of", async () => {
  assert.deepEqual(
    await warnings(`
inputs:
  n: { type: integer, required: true, default: 3 }
steps:
  - { id: a, run: "true" }
`),
    ["3:23 required: has no effect beside a default"],
  );
});

Deno.test("a label that no node carries is warned of, unless no node carries any", async () => {
  using folder = tempDir();
  const file = join(folder.path, "p.yaml");
  Deno.writeTextFileSync(
    file,
    `steps:
  - { id: gpu, select-node: { labels: [A100] } }
  - { id: a, node: { labels: tpu }, run: "true" }
`,
  );
  const load = async (labels: string[]) => {
    const nodes = [{ name: "gpu1", labels }];
    const { warnings } = await loadPipeline({ file, project: folder.path, env: {}, nodes });
    return warnings.map(({ place, message, hint }) =>
      `${place.line}:${place.column} ${message}; ${hint}`
    );
  };
  assert.deepEqual(await load(["a100"]), [
    '2:40 no node of the cluster carries the label "A100"; did you mean "a100"?',
    '3:30 no node of the cluster carries the label "tpu"; known labels: a100',
  ]);
  assert.deepEqual(await load([]), []);
});

const NODES = [
  { name: "a", labels: ["x"], environment: { vars: { scratch: "/a", only: "1" } } },
  { name: "b", labels: [], environment: { vars: { scratch: "/b" } } },
];
const LOCAL = { vars: { home: "/h" } };

Deno.test("a value of the node is known on every node that the step may run on", async () => {
  const rules = async (steps: string, more: Readonly<Record<string, string>> = {}) =>
    (await diagnosticsOf({ main: `steps:\n${steps}\n`, more }, { nodes: NODES, local: LOCAL }))
      .map(({ rule, message }) => `${rule}: ${message}`);
  const sound = [
    '  - { id: s, env: { A: "${{ node.scratch }}" }, run: "ls ${{ node.scratch }}" }',
    '  - { id: s, node: a, before: ["cd ${{ node.only }}"], run: ls }',
    '  - { id: s, node: { labels: [x] }, working-directory: "${{ node.only }}/x", run: ls }',
    '  - { id: s, node: local, run: "ls ${{ node.home }}" }',
    '  - { id: s, select-node: { exclude: [b] } }\n  - { id: t, needs: s, run: "ls ${{ node.only }}" }',
    "  - { id: s, select-node: { among: [a] } }\n" +
    '  - { id: t, needs: s, node: "${{ steps.s.outputs.node }}", run: "ls ${{ node.only }}" }',
    '  - { id: s, run: "true" }\n' +
    '  - { id: t, needs: s, node: "${{ steps.s.node }}", fetch: { from: "${{ node.only }}/x" } }',
  ];
  for (const steps of sound) assert.deepEqual(await rules(steps), [], steps);
  const unsound: [string, RegExp][] = [
    ['  - { id: s, run: "ls ${{ node.scrach }}" }', /^unknown-value: .*"scrach"/],
    ['  - { id: s, run: "ls ${{ node.only }}" }', /^missing-value: .*"only": b$/],
    ['  - { id: s, node: local, run: "ls ${{ node.scratch }}" }', /"scratch": local$/],
    ["  - { id: s, if: \"${{ node.only == '1' }}\", node: a, run: ls }", /^not-before: /],
    ['  - { id: s, node: "${{ node.only }}", run: ls }', /^not-before: /],
    ['  - { id: s, node: a, cache: { key: "${{ node.only }}" }, run: ls }', /^not-before: /],
    ['  - { id: s, sync: { as: "${{ node.only }}" } }', /^not-before: /],
    [
      '  - { id: s, env: { A: "${{ node.only + run.id }}" }, uses: ./t.yaml }',
      /^not-before: node and run cannot/,
    ],
  ];
  const more = { "t.yaml": 'steps: [{ id: go, run: "ls ${{ node.only }} $A" }]\n' };
  for (const [steps, report] of unsound) {
    const found = await rules(steps, more);
    assert.equal(found.length, 1, found.join());
    assert.match(found.join(), report);
  }
  // Where it is used says where it runs.
  assert.deepEqual(await rules("  - { id: s, node: a, uses: ./t.yaml }", more), []);
  const none = await diagnosticsOf('steps: [{ id: s, run: "ls ${{ node.x }}" }]\n', {
    nodes: [{ name: "a", labels: [] }],
  });
  assert.match(
    none.map(({ message, hint }) => `${message} ${hint}`).join(),
    /gives no node.*vars: \{ x/,
  );
});

Deno.test("lines that hide a failure, a terminal, a container or output are warned of where they stand", async () => {
  const found = async (line: string) =>
    (await warnings(
      `defaults: { before: 'true' }\nsteps:\n  - id: a\n    run: |\n      cd x\n${
        line.split("\n").map((one) => `      ${one}`).join("\n")
      }\n`,
    )).map((words) => words.slice(0, 40));
  const traps: Readonly<Record<string, string>> = {
    'eval "$(conda shell.bash hook)"': "6:7 an activation that fails",
    "docker run -it --rm image sh": "6:18 a step has no terminal",
    "podman run --rm -d image": "6:23 the container goes on",
    "sudo docker exec -t name ls": "6:24 a step has no terminal",
    "conda run -n x python": "6:7 conda run keeps all output",
    "docker run --name x -v a:b --detach image": "6:34 the container goes on",
  };
  for (const [line, words] of Object.entries(traps)) {
    const [first, ...more] = await found(line);
    assert.ok(first?.startsWith(words), `${line}: ${first}`);
    assert.deepEqual(more, []);
    assert.deepEqual(await found(`${line} # grid: meant`), []);
    assert.deepEqual(await found(`# grid: meant\n${line}`), []);
  }
  const sound = [
    'eval "$hook"',
    "docker run --rm image -t -d",
    "docker run --tmpfs /t image tar -t",
    "docker ps -d",
    "conda run --no-capture-output -n x python",
    "# docker run -t",
    "docker run --rm image tar -td",
  ];
  for (const line of sound) assert.deepEqual(await found(line), [], line);
  assert.equal(
    (await warnings(
      'defaults: { before: [\'eval "$(x)"\'] }\nsteps: [{ id: a, before: "docker run -t x", run: ls }]\n',
    )).length,
    2,
  );
});

Deno.test("a container is one of a run step, and keeps its job's name and end", async () => {
  const found = async (step: string) =>
    (await diagnosticsOf(`steps: [{ id: a, ${step} }]\n`)).map(({ rule, place }) =>
      `${place.column} ${rule}`
    );
  assert.deepEqual(await found('run: ls, container: "python:3.12"'), []);
  assert.deepEqual(
    await found("run: ls, container: { image: x, options: [--shm-size=8g, -e, A=1, --gpus=all] }"),
    [],
  );
  assert.deepEqual(await found("run: ls, container: { image: x, options: [--name=y, -it] }"), [
    "60 container-option",
    "70 container-option",
  ]);
  // Another label of Grid's name would take its place.
  for (const label of ["--label, grid.job=x", "--label=grid.job=x", "-l=grid.job", "-Plgrid.x=1"]) {
    const found = await diagnosticsOf(
      `steps: [{ id: a, run: ls, container: { image: x, options: [${label}] } }]\n`,
    );
    assert.deepEqual(found.map(({ rule }) => rule), ["container-option"], label);
    assert.match(found[0]?.message ?? "", /^the label grid\.\w+ is Grid's own/);
  }
  assert.deepEqual(
    await found("run: ls, container: { image: x, options: [--label, team.grid=x, -v, grid:/x] }"),
    [],
  );
  for (const image of ['""', '"a b"', '"-v/:/x"', '"x\\ny"', '{ image: "" }']) {
    const [fault = ""] = await found(`run: ls, container: ${image}`);
    assert.match(fault, /container-image$/, image);
  }
  const volumes = (words: string) => found(`run: ls, container: { image: x, volumes: ${words} }`);
  assert.deepEqual(await volumes('["/a:/b", "./out:/out:ro", "name:/data", "/a:/b:rw,z"]'), []);
  for (const volume of ["/a", "a:b", "/a:/b:c:d", ":/b"]) {
    assert.deepEqual(await volumes(`["${volume}"]`), ["60 container-volume"], volume);
  }
  const known = { image: "x", volumes: ["/a:/b"], options: ["--ipc=host"] };
  assert.equal(containerFault(known), undefined);
  assert.equal(containerFault({ ...known, image: "--privileged" })?.rule, "container-image");
  assert.equal(containerFault({ ...known, options: ["-d"] })?.rule, "container-option");
  assert.deepEqual(await found("run: ls, shell: bash -l, container: x"), ["34 container-shell"]);
  assert.deepEqual(await found("select-node: {}, container: x"), ["35 idle-container"]);
  assert.deepEqual(await found("run: ls, container: { image: x, engine: dockre }"), [
    "58 invalid-value",
  ]);
});

Deno.test("what is wrong in a service is said of the key that has it", async () => {
  const found = async (service: string) =>
    (await diagnosticsOf(`steps: [{ id: a, run: ls, service: ${service} }]\n`))
      .map(({ message }) => message)
      .filter((message) => !message.startsWith("nobody can tell"));
  assert.deepEqual(await found("{ port: 99999999 }"), ["must be at most 65535, is 99999999"]);
  assert.deepEqual(await found("{ prot: 3 }"), ['unknown key "prot"']);
  assert.deepEqual(await found("{ ready: { run: true } }"), ["expected text, found true"]);
  assert.deepEqual(await found("{ port: 3, ready: 8 }"), [
    "8 does not say when the service is ready",
  ]);
  assert.deepEqual(await found("x"), ['"x" is no port']);
});

Deno.test("a container for what Ray's workers do is refused with what to do", async () => {
  const [first] = await diagnosticsOf(
    "steps: [{ id: a, ray-batch: { call: a:b, tasks: [1] }, container: x }]\n",
  );
  assert.equal(first?.message, "container: is not possible on ray-batch");
  assert.match(first?.hint ?? "", /install what it needs beside Ray, or move it to a run step/);
});

Deno.test("the way to end a container that is left running names the engine that the script calls", async () => {
  using folder = tempDir();
  const file = join(folder.path, "p.yaml");
  Deno.writeTextFileSync(file, 'steps:\n  - { id: a, run: "podman run -d --name x image" }\n');
  const { warnings } = await loadPipeline({ file, project: folder.path, env: {} });
  assert.match(warnings[0]?.hint ?? "", /trap 'podman rm -f NAME' EXIT/);
});
