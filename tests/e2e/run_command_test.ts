import assert from "node:assert/strict";
import { grid, project } from "../support/cli.ts";

Deno.test("grid run streams a command's stdout as it is and says where it failed", async () => {
  using folder = project({});
  const { code, stdout, stderr } = await grid(["run", "echo hi; echo oops >&2; exit 3"], {
    cwd: folder.path,
  });
  assert.equal(stdout, "hi\n");
  assert.equal(code, 1);
  assert.match(stderr, /oops/);
  assert.match(stderr, /exit(ed with)? (code )?3/);
  assert.match(stderr, /local-?1|local-?2/);
  assert.match(stderr, /\.grid\/runs\/\S+\/logs\/command\.1\.log/);
});

Deno.test("grid run --exit-code=step passes the command's own code through", async () => {
  using folder = project({});
  const options = { cwd: folder.path };
  const { code } = await grid(["run", "exit 3", "--exit-code=step"], options);
  assert.equal(code, 3);
  const { stdout } = await grid(["runs", "--json"], options);
  assert.equal(JSON.parse(stdout).runs[0].exitCode, 3);
  const killed = await grid(["run", "kill -9 $$", "--exit-code=step"], options);
  assert.equal(killed.code, 128 + 9, killed.stderr);
  const late = await grid(["run", "sleep 9", "--timeout=100ms", "--exit-code=step"], options);
  assert.equal(late.code, 4, late.stderr);
});

Deno.test("grid run refuses an empty command, and options of the other form", async () => {
  using folder = project({ "a.yaml": "steps:\n  - { id: a, node: local, run: 'true' }\n" });
  const options = { cwd: folder.path };
  const lines = [[""], ["echo x", "-i", "a=b", "--from", "x"], ["a.yaml", "--gpus", "3"]];
  for (const line of lines) {
    const { code, stdout, stderr } = await grid(["run", ...line], options);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /error: Cannot run /);
  }
});

Deno.test("grid run has a command run as a step's script is, and names --timeout", async () => {
  using folder = project({});
  const options = { cwd: folder.path };
  const piped = await grid(["run", "false | true; echo not reached"], options);
  assert.equal(piped.code, 1);
  assert.equal(piped.stdout, "");
  const slow = await grid(["run", "sleep 30", "--timeout", "100ms"], options);
  assert.equal(slow.code, 4);
  assert.match(slow.stderr, /hint: raise --timeout if this is expected/);
});

Deno.test("grid run exits with 0 after a command that succeeds, and prints nothing else on stdout", async () => {
  using folder = project({});
  const { code, stdout } = await grid(["run", "printf 'a\\nb'"], { cwd: folder.path });
  assert.equal(code, 0);
  assert.equal(stdout, "a\nb");
});

Deno.test("grid run of a file shows every line of a step that prints many at once", async () => {
  using folder = project({
    "p.yaml": `name: p\nsteps:\n  - { id: a, node: local, run: "seq 100000 | sed s/.*/é😀/" }\n`,
  });
  const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(code, 0);
  assert.equal(stderr.match(/ │ é😀$/gm)?.length, 100_000);
});

Deno.test("what the caller's shell has exported for every bash changes no command", async () => {
  using folder = project({});
  const env = { SHELLOPTS: "noexec", BASHOPTS: "xpg_echo" };
  const { code, stdout } = await grid(["run", "--", "bash", "-c", "echo ran"], {
    cwd: folder.path,
    env,
  });
  assert.deepEqual([code, stdout], [0, "ran\n"]);
});
