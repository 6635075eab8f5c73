/** Whatever else happens to the folder on the node, a step sees its own run's code or does not start. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type CliResult, grid, type RunningGrid, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshNode, startOpenSsh } from "../support/openssh.ts";
import { type Account, findAccount, testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

/** 20 takes some minutes. In every other one somebody edits what is on the node. */
const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 1);

const PIPELINE = `name: own
inputs: { tag: { default: none } }
steps:
  - { id: code, sync: { from: ., to: [node1], as: app } }
  - id: wait
    needs: code
    node: node1
    env: { TAG: "\${{ inputs.tag }}" }
    run: |
      echo "v=$(cat v.txt)" >> "$GRID_OUTPUT"
      : > ~/began-"$TAG"
      while [ "$TAG" != none ] && [ ! -e ~/go ]; do sleep 0.05; done
  - id: cached
    needs: wait
    node: node1
    cache: { files: [] }
    run: echo "v=$(cat v.txt)" >> "$GRID_OUTPUT"
  - id: use
    needs: wait
    node: node1
    run: echo "v=$(cat v.txt)" >> "$GRID_OUTPUT"
`;

interface Project {
  readonly folder: string;
  readonly config: string;
  readonly node: OpenSshNode;
  /** Whose it is here; both log in to the node as one. */
  readonly account: Account | undefined;
}

function makeProject(folder: string, where: Omit<Project, "folder">): Project {
  Deno.mkdirSync(join(folder, ".grid"), { recursive: true });
  Deno.writeTextFileSync(join(folder, "own.yaml"), PIPELINE);
  const { account } = where;
  if (account !== undefined) {
    const names = [join(folder, ".."), folder, join(folder, ".grid"), join(folder, "own.yaml")];
    for (const path of names) Deno.chownSync(path, account.uid, account.gid);
  }
  return { folder, ...where };
}

/** Runs are under way when this returns: their first step has begun. */
async function begin(
  { folder, config, node, account }: Project,
  { version, tag }: { readonly version: string; readonly tag: string },
): Promise<RunningGrid> {
  Deno.writeTextFileSync(join(folder, "v.txt"), version);
  const args = ["run", "own.yaml", "-i", `tag=${tag}`, "--json", "--config", config];
  const run = startGrid(args, { cwd: folder, account });
  await until(() => existsSync(join(node.home, `began-${tag}`)) || run.isOver(), { what: tag });
  return run;
}

/** What each step said that it saw, by step; undefined for one that did not start. */
function seen({ stdout, stderr }: CliResult): Record<string, string | undefined> {
  assert.notEqual(stdout, "", stderr);
  const { steps } = JSON.parse(stdout) as {
    steps: {
      id: string;
      state: string;
      outputs: Record<string, string>;
      failure: { message: string } | null;
    }[];
  };
  const found: Record<string, string | undefined> = {};
  for (const { id, state, outputs, failure } of steps) {
    if (id === "code") continue;
    if (state !== "succeeded" && state !== "reused") {
      assert.match(failure?.message ?? "", /changed since this run brought it|it is of \S+@\S+/);
    }
    found[id] = outputs["v"];
  }
  return found;
}

function assertOwn(result: CliResult, version: string, isEdited: boolean): void {
  for (const [step, saw] of Object.entries(seen(result))) {
    if (isEdited && saw === undefined) continue;
    assert.equal(saw, version, `${step} of the run with ${version}: ${result.stderr}`);
  }
}

testWith(
  ["sshd"],
  "two runs with other code, a project of the same name, a sync and an edit: every step sees its own code",
  () => playRounds({ rounds: 1, isEdited: (round) => round % 2 === 0 }),
);

testWith(
  ["sshd", "root", "setpriv", "account", "fish-account"],
  "the same where the two projects are those of two accounts",
  async () => {
    const [ann, bob] = [findAccount("grid-test"), findAccount("grid-fish")];
    assert.ok(ann && bob);
    await playRounds({ rounds: ROUNDS, isEdited: (round) => round % 2 === 1, ann, bob });
  },
);

interface Play {
  readonly rounds: number;
  readonly isEdited: (round: number) => boolean;
  readonly ann?: Account;
  readonly bob?: Account;
}

async function playRounds({ rounds, isEdited, ann, bob }: Play): Promise<void> {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  using folder = tempDir();
  const [node] = lab.nodes;
  assert.ok(node);
  // Whoever else works here must be able to come by.
  Deno.chmodSync(folder.path, 0o755);
  const config = join(folder.path, "lab.yaml");
  Deno.writeTextFileSync(config, labConfig({ lab, rayMode: "embedded" }));
  const ours = makeProject(join(folder.path, "ours", "app"), { config, node, account: ann });
  const theirs = makeProject(join(folder.path, "theirs", "app"), { config, node, account: bob });
  for (let round = 0; round < rounds; round++) {
    await playRound({ ours, theirs, round, isEdited: isEdited(round) });
  }
}

async function playRound({ ours, theirs, round, isEdited }: {
  readonly ours: Project;
  readonly theirs: Project;
  readonly round: number;
  readonly isEdited: boolean;
}): Promise<void> {
  const { node, config } = ours;
  const [a, b, c, d] = [`A${round}`, `B${round}`, `C${round}`, `D${round}`];
  await using one = await begin(ours, { version: a, tag: `one${round}` });
  await using two = await begin(ours, { version: b, tag: `two${round}` });
  await using other = await begin(theirs, { version: d, tag: `other${round}` });
  Deno.writeTextFileSync(join(ours.folder, "v.txt"), c);
  const args = ["sync", ".", "--as", "app", "--to", "node1", "--config", config];
  const sync = await grid(args, { cwd: ours.folder, account: ours.account });
  assert.equal(sync.code, 0, sync.stderr);
  assert.match(sync.stderr, /a run with other code is under way in "app" on node1/);
  const plain = join(node.home, "grid_workspace", "app", "v.txt");
  assert.equal(Deno.readTextFileSync(plain), a);
  if (isEdited) Deno.writeTextFileSync(plain, "edited");
  Deno.writeTextFileSync(join(node.home, "go"), "");
  const ends = await Promise.all([one.ended, two.ended, other.ended]);
  assert.deepEqual(ends.map(({ code }) => code), isEdited ? [5, 0, 0] : [0, 0, 0]);
  assertOwn(ends[0], a, isEdited);
  assertOwn(ends[1], b, false);
  assertOwn(ends[2], d, false);
  const owner = ours.account?.name ?? userInfo().username;
  assert.ok(
    ends[2].stderr.includes(`"app" on node1 belongs to another project, of ${owner}@`),
    ends[2].stderr,
  );
  Deno.removeSync(join(node.home, "go"));
  // What was kept for others is what this code gives.
  for (const [project, version] of [[ours, a], [ours, b], [theirs, d]] as const) {
    Deno.writeTextFileSync(join(project.folder, "v.txt"), version);
    const alone = await grid(["run", "own.yaml", "--json", "--config", config], {
      cwd: project.folder,
      account: project.account,
    });
    assert.equal(alone.code, 0, alone.stderr);
    assertOwn(alone, version, false);
  }
}
