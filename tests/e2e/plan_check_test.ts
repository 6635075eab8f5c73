import assert from "node:assert/strict";
import { grid, project } from "../support/cli.ts";

/** One node that is there, and one where nothing listens. */
const CLUSTER = `nodes:
  - { name: here, transport: local, labels: [a100], remote_root: node }
  - { name: down, host: 127.0.0.1, port: 9, user: nobody }
ray: { mode: embedded }
`;

async function check(steps: string, files: Readonly<Record<string, string>> = {}) {
  using folder = project({
    "config/cluster_config.yaml": CLUSTER,
    "p.yaml": steps,
    ...files,
  });
  const options = { cwd: folder.path, env: { GRID_TEST_TOKEN: "" } };
  const { code, stdout, stderr } = await grid(["plan", "p.yaml", "--check"], options);
  return { code, words: stdout + stderr };
}

Deno.test("grid plan --check chooses as a run does, by labels too", async () => {
  const { code, words } = await check(`steps:
  - { id: l, node: { labels: [h100] }, run: "true" }
  - { id: s, select-node: { labels: [h100] } }
  - { id: fits, node: { labels: [a100] }, run: "true" }
`);
  assert.equal(code, 3, words);
  assert.match(words, /✖ step l +no node fits now: here, down: it lacks the label h100/);
  assert.match(words, /✖ step s +no node fits now/);
  assert.match(words, /✔ step fits +here would be chosen now/);
});

Deno.test("grid plan --check minds a node that is down only where a step names it", async () => {
  const fine = await check(`inputs: { go: { type: boolean, default: false } }
steps:
  - { id: a, node: here, run: "true" }
  - { id: b, run: "true" }
  - { id: never, if: inputs.go, node: down, run: "true" }
`);
  assert.equal(fine.code, 0, fine.words);
  assert.match(fine.words, /! node down .*refused.*no step names it/);
  const named = await check(`steps:
  - { id: a, node: here, run: "true" }
hooks:
  exit: [{ node: down, run: "true" }]
`);
  assert.equal(named.code, 3, named.words);
  assert.match(named.words, /✖ node down .*on-exit-1 needs it/);
});

Deno.test("grid plan --check exits as the run would for files and secrets", async () => {
  const file = await check(`steps:
  - { id: code, sync: { to: here, exclude-from: nofile } }
`);
  assert.equal(file.code, 1, file.words);
  assert.match(file.words, /✖ step code +nofile does not exist/);
  const secret = await check(`secrets:
  A: { from: command, run: [grid-no-such-program] }
  GRID_TEST_TOKEN: { from: env }
  UNUSED: { from: file, path: nowhere }
steps:
  - { id: a, node: here, secrets: [A, GRID_TEST_TOKEN], run: "true" }
`);
  assert.equal(secret.code, 2, secret.words);
  assert.match(secret.words, /✖ secret A +there is no program grid-no-such-program/);
  assert.match(secret.words, /✖ secret GRID_TEST_TOKEN +GRID_TEST_TOKEN is not set/);
  assert.doesNotMatch(secret.words, /UNUSED/);
});

Deno.test("grid plan --check warns of a script that begins with a program that is not there", async () => {
  const { code, words } = await check(
    `steps:
  - { id: code, sync: { from: src, to: here } }
  - { id: good, needs: code, node: here, run: ./there.sh }
  - { id: bad, needs: code, node: here, run: ./gone.sh }
  - { id: tool, node: here, run: grid-no-such-tool --version }
  - { id: sweep, matrix: { x: [1, 2] }, node: here, run: grid-no-such-tool }
  - { id: made, needs: tool, node: here, run: grid-no-such-tool }
  - { id: shell, node: here, run: "set -x; grid-no-such-tool" }
`,
    { "src/there.sh": "" },
  );
  assert.equal(code, 0, words);
  assert.match(words, /! step bad +\.\/gone\.sh is neither in src nor on here/);
  assert.match(words, /! step tool +grid-no-such-tool is not found on here/);
  assert.equal(words.match(/! step sweep/g)?.length, 1);
  assert.doesNotMatch(words, /step (good|made|shell) /);
});

Deno.test("grid plan --check sees that the Ray is not there that a batch wants", async () => {
  const steps = `steps:
  - { id: score, ray-batch: { call: "tasks:score", tasks: [1, 2] } }
`;
  const cluster = CLUSTER.replace("embedded", "managed");
  const { code, words } = await check(steps, { "config/cluster_config.yaml": cluster });
  assert.equal(code, 1, words);
  assert.match(words, /✖ step score +no Ray of ours is running on here: grid cluster start/);
  assert.equal((await check(steps)).code, 0, "embedded batches want none");
});
