/** `grid run --again`: exactly the pipeline, the inputs and the code of an earlier run, or a refusal. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CliResult, grid, project } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";
import type { TempDir } from "../support/temp_dir.ts";

const PIPELINE = `name: again
inputs: { x: { default: a } }
steps:
  - { id: code, sync: { from: ., to: [here], as: app } }
  - id: use
    needs: code
    node: here
    env: { X: "\${{ inputs.x }}" }
    run: echo "saw=$(cat v.txt) $X" >> "$GRID_OUTPUT"
`;

function git(folder: string, ...args: string[]): void {
  const identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"];
  const { success, stderr } = new Deno.Command("git", {
    args: ["-C", folder, ...identity, ...args],
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
}

function committed(): TempDir {
  const folder = project({
    "p.yaml": PIPELINE,
    "v.txt": "one",
    ".gitignore": ".grid/\ncluster.yaml\nwork/\n",
    "cluster.yaml": "nodes: [{ name: here, transport: local }]\nremote_root: work\n",
  });
  git(folder.path, "init", "--quiet");
  git(folder.path, "add", "--all");
  git(folder.path, "commit", "--quiet", "--message", "one");
  return folder;
}

function write(folder: TempDir, name: string, text: string): void {
  Deno.writeTextFileSync(join(folder.path, name), text);
}

function run(folder: TempDir, ...args: string[]): Promise<CliResult> {
  return grid(["run", "--json", "--config", "cluster.yaml", ...args], { cwd: folder.path });
}

interface Report {
  readonly run: string;
  readonly steps: readonly {
    readonly outputs: Readonly<Record<string, string>>;
    readonly attempts: readonly {
      readonly syncs: readonly { readonly digest: string; readonly commit: string }[];
    }[];
  }[];
}

function report({ code, stdout, stderr }: CliResult): Report {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function sawOf(found: Report): string | undefined {
  return found.steps[1]?.outputs["saw"];
}

testWith(
  ["git"],
  "run --again takes the files where they are as they were, else the commit's",
  async () => {
    using folder = committed();
    const first = report(await run(folder, "p.yaml", "-i", "x=b"));
    assert.match(first.steps[0]?.attempts[0]?.syncs[0]?.commit ?? "", /^[0-9a-f]{40}$/);
    const same = await run(folder, "--again", first.run);
    assert.equal(sawOf(report(same)), "one b");
    assert.match(same.stderr, /its code as it is here/);
    write(folder, "v.txt", "two");
    write(folder, "p.yaml", PIPELINE.replace("saw=", "saw=new "));
    const again = await run(folder, "--again", first.run);
    assert.equal(sawOf(report(again)), "one b");
    assert.match(again.stderr, /its code from commit [0-9a-f]{7}\n/);
    // The same code by the same digest.
    assert.equal(
      report(again).steps[0]?.attempts[0]?.syncs[0]?.digest,
      first.steps[0]?.attempts[0]?.syncs[0]?.digest,
    );
    assert.equal(Deno.readTextFileSync(join(folder.path, "v.txt")), "two");
  },
);

testWith(["git"], "run --again refuses where the code cannot be had, and says why", async () => {
  using folder = committed();
  write(folder, "v.txt", "uncommitted");
  const first = report(await run(folder, "p.yaml"));
  write(folder, "v.txt", "other");
  const gone = await run(folder, "--again", first.run);
  assert.equal(gone.code, 2);
  assert.match(
    gone.stderr,
    /Cannot run \S+ again: "code" would bring other files here, and in commit/,
  );
  assert.match(gone.stderr, /hint: it ran with changes that were in no commit/);
  write(
    folder,
    "bare.yaml",
    "inputs: { x: { default: a b }, y: {} }\nsteps:\n  - { id: a, run: echo }\n",
  );
  const bare = await run(folder, "--again", report(await run(folder, "bare.yaml")).run);
  assert.match(bare.stderr, /it synced no code.*\nhint: .*: grid run bare\.yaml -i 'x=a b'\n/);
  const changed = await run(folder, "--again", first.run, "-i", "x=c");
  assert.equal(changed.code, 2);
  assert.match(changed.stderr, /Cannot run --again with --input: the earlier run says all that/);
});

testWith(
  ["git"],
  "run --again finds in a commit all that travelled from it: submodules, what is ignored, folders without files",
  async () => {
    using folder = committed();
    git(folder.path, "init", "--quiet", "library");
    write(folder, "library/l.txt", "library");
    git(join(folder.path, "library"), "add", "--all");
    git(join(folder.path, "library"), "commit", "--quiet", "--message", "library");
    write(folder, ".gitignore", ".grid/\ncluster.yaml\nwork/\n*.bin\n");
    write(folder, ".gitattributes", "v.txt export-ignore\n");
    write(folder, "tracked.bin", "tracked");
    git(folder.path, "add", "--force", "tracked.bin");
    git(folder.path, "add", "--all");
    git(folder.path, "commit", "--quiet", "--message", "all kinds");
    for (const name of ["empty", "ignored"]) Deno.mkdirSync(join(folder.path, name));
    write(folder, "ignored/large.bin", "ignored");
    const first = report(await run(folder, "p.yaml"));
    write(folder, "v.txt", "two");
    write(folder, "library/l.txt", "two");
    Deno.mkdirSync(join(folder.path, "new"));
    write(folder, "new/file", "new");
    git(join(folder.path, "library"), "commit", "--quiet", "--all", "--message", "two");
    git(folder.path, "add", "--all");
    git(folder.path, "commit", "--quiet", "--message", "two");
    const again = report(await run(folder, "--again", first.run));
    assert.equal(sawOf(again), "one a");
    const [before, now] = [first, again].map(({ steps }) => steps[0]?.attempts[0]?.syncs[0]);
    assert.deepEqual([now?.digest, now?.commit], [before?.digest, before?.commit]);
    // So it can be repeated once more.
    assert.equal(sawOf(report(await run(folder, "--again", again.run))), "one a");
  },
);
