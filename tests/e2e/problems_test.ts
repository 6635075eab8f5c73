import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, programArgs, project, startGrid } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

function assertOneProblem(stderr: string, words: RegExp): void {
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, /^\s+at .*\.ts:\d+/m, "a stack trace is shown");
}

testWith(["sshd"], "an unknown host key is refused with what to do, and exit code 3", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  Deno.writeTextFileSync(lab.knownHosts, "");
  const { code, stderr } = await grid(["run", "true", "--node", "node1", "--config", "lab.yaml"], {
    cwd: folder.path,
  });
  assert.equal(code, 3, stderr);
  assertOneProblem(stderr, /node1.*host key.*unknown|node1.*host key.*not known/s);
  assert.match(stderr, /SHA256:/);
  assert.doesNotMatch(lab.nodes[0]!.readLog(), /Accepted|Failed publickey|Postponed/);
});

testWith(["sshd"], "a wrong key is named, tried once, and exit code 3", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  const other = join(lab.folder, "other");
  new Deno.Command("ssh-keygen", { args: ["-q", "-t", "ed25519", "-N", "", "-f", other] })
    .outputSync();
  using folder = project({
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }).replace(lab.keyFile, other),
  });
  const { code, stderr } = await grid(["run", "true", "--node", "node1", "--config", "lab.yaml"], {
    cwd: folder.path,
    env: { SSH_AUTH_SOCK: "" },
  });
  assert.equal(code, 3, stderr);
  assertOneProblem(stderr, /node1.*(key|auth)/s);
});

testWith(["sshd"], "an unreachable host is named, with exit code 3", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  await lab.nodes[0]!.stop();
  const { code, stderr } = await grid(["run", "true", "--node", "node1", "--config", "lab.yaml"], {
    cwd: folder.path,
  });
  assert.equal(code, 3, stderr);
  assertOneProblem(stderr, /node1.*refused/s);
});

testWith(["sshd"], "grid kill says which nodes it could not ask about the job", async () => {
  await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  const kill = () => grid(["kill", "nosuch", "--config", "lab.yaml"], { cwd: folder.path });
  const known = await kill();
  assert.equal(known.code, 2, known.stderr);
  assertOneProblem(known.stderr, /no node has such a job$/m);
  await lab.nodes[1]!.stop();
  const { code, stderr } = await kill();
  assert.equal(code, 3, stderr);
  assertOneProblem(
    stderr,
    /no node that answers has such a job; node2 could not be asked: .*refused/,
  );
});

Deno.test("Ctrl-C while nodes are asked ends grid ps as interrupted, without a result", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using folder = project({
    "cluster.yaml": `nodes: [{ name: silent, host: 127.0.0.1, port: ${silent.addr.port} }]
ssh: { connect_timeout: 30 }
`,
  });
  await using run = startGrid(["ps", "--config", "cluster.yaml"], { cwd: folder.path });
  using _connection = await silent.accept();
  run.signal("SIGINT");
  const { code, stdout, stderr } = await run.ended;
  assert.deepEqual([code, stdout], [130, ""], stderr);
});

Deno.test("grid logs says that an attempt was never made, and wants a number", async () => {
  using folder = project({});
  await grid(["run", "echo hi"], { cwd: folder.path });
  const many = await grid(["logs", "last", "--attempt", "9"], { cwd: folder.path });
  assert.equal(many.code, 2, many.stdout);
  assertOneProblem(many.stderr, /attempt 9: run \S+ made 1 at most/);
  const word = await grid(["logs", "last", "--attempt", "abc"], { cwd: folder.path });
  assert.equal(word.code, 2, word.stdout);
  const first = await grid(["logs", "last", "--attempt", "1"], { cwd: folder.path });
  assert.equal(first.stdout, "hi\n");
});

Deno.test("an unwritable remote_root is named, with exit code 3", async () => {
  using folder = project({
    "cluster.yaml":
      "nodes: [{ name: here, transport: local }]\nremote_root: /proc/grid\nray: { mode: embedded }\n",
  });
  const { code, stderr } = await grid(
    ["run", "true", "--node", "here", "--config", "cluster.yaml"],
    {
      cwd: folder.path,
    },
  );
  assert.equal(code, 3, stderr);
  assertOneProblem(stderr, /\/proc\/grid/);
});

Deno.test("a missing python3 is named with what to do, and the step counts as failed", async () => {
  using folder = project({
    "batch.yaml": `name: batch
steps:
  - id: score
    ray-batch: { command: "true", tasks: [1, 2] }
`,
  });
  const deno = Deno.execPath();
  using bin = project({});
  for (
    const tool of [
      "sh",
      "bash",
      "mkdir",
      "cat",
      "rm",
      "mv",
      "sleep",
      "kill",
      "tail",
      "df",
      "env",
      "setsid",
      "sed",
      "grep",
      "dd",
      "head",
      "wc",
      "tr",
      "cut",
      "awk",
      "ls",
      "ln",
      "touch",
      "chmod",
      "date",
      "id",
      "uname",
      "nproc",
      "getconf",
      "mktemp",
      "test",
      "stat",
      "printf",
      "expr",
      "rmdir",
      "dirname",
      "basename",
      "readlink",
      "find",
      "sort",
      "timeout",
      "sha256sum",
      "tar",
      "od",
      "seq",
      "true",
      "nohup",
      "ps",
      "pwd",
    ]
  ) {
    const { stdout } = new Deno.Command("sh", { args: ["-c", `command -v ${tool}`] }).outputSync();
    const path = new TextDecoder().decode(stdout).trim();
    if (path.startsWith("/")) Deno.symlinkSync(path, join(bin.path, tool));
  }
  const { code, stderr } = await grid(["run", "batch.yaml"], {
    cwd: folder.path,
    env: { PATH: bin.path, DENO: deno },
  });
  assert.equal(code, 1, stderr);
  assertOneProblem(stderr, /python3/);
});

Deno.test("words that mean nothing are usage errors with exit code 2", async () => {
  using folder = project({});
  for (
    const args of [["rnu"], ["run"], ["run", "x.yaml", "--no-such"], [
      "run",
      "x.yaml",
      "-i",
      "epochs",
    ]]
  ) {
    const { code, stderr } = await grid(args, { cwd: folder.path });
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
  }
});

Deno.test("a pipeline file that is not there is named, with exit code 2", async () => {
  using folder = project({});
  const { code, stderr } = await grid(["run", "missing.yaml"], { cwd: folder.path });
  assert.equal(code, 2);
  assertOneProblem(stderr, /missing\.yaml/);
});

Deno.test("a fetch of what lies outside fails its step, where only the run can know it", async () => {
  using folder = project({
    "p.yaml": `inputs: { file: { default: /etc/hostname } }
steps:
  - { id: a, node: local, fetch: { from: "\${{ inputs.file }}", to: out } }
`,
  });
  const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(code, 1, stderr);
  assertOneProblem(stderr, /Cannot fetch "\/etc\/hostname": it is not a path below/);
});

Deno.test("-C to a folder that is not there is a mistake of the command line", async () => {
  using folder = project({});
  const { code, stderr } = await grid(["-C", "no-such-folder", "runs"], { cwd: folder.path });
  assert.equal(code, 2);
  assert.equal(stderr, 'error: Cannot start in "no-such-folder": there is no such folder\n');
});

Deno.test("a package that is not here and cannot be fetched is no fault of Grid's code", async () => {
  using folder = project({ "p.yaml": "steps: [{ id: a, node: local, run: 'true' }]\n" });
  const [run = "", ...words] = programArgs(["plan", "p.yaml"]);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    // As where no registry is reached, at once.
    args: [run, "--cached-only", "--frozen", ...words],
    cwd: folder.path,
    env: { DENO_DIR: join(folder.path, "cache"), NO_COLOR: "1" },
    stdout: "null",
  }).output();
  const said = new TextDecoder().decode(stderr);
  assert.equal(code, 6, said);
  assertOneProblem(said, /^error: Cannot load Grid: its package \S+@\d\S* is not on this machine/);
  assert.match(said, /\nhint: .*deno install/);
});
