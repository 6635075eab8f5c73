import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, programArgs, project, startInTerminal, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { descendantsOf } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";

const LOCAL = `nodes:
  - { name: here, transport: local, remote_root: ./work, gpus: 2 }
  - { name: dead, host: 127.0.0.1, port: 9 }
ssh: { max_retries: 0 }
ray: { mode: embedded }
`;

Deno.test("health --json has every key, and null where nothing is known", async () => {
  using folder = project({ "config/cluster_config.yaml": LOCAL });
  const { stdout, code } = await grid(["health", "--json"], { cwd: folder.path });
  assert.equal(code, 0);
  const [here, dead] = JSON.parse(stdout).nodes;
  assert.equal(dead.score, null);
  assert.equal(dead.facts, null);
  assert.match(dead.reason, /connection refused/);
  assert.deepEqual(Object.keys(here).sort(), Object.keys(dead).sort());
  assert.equal(here.reason, null);
  assert.equal(here.facts.gpuProblem, null);
  assert.deepEqual(here.looks.map(({ score }: { score: unknown }) => typeof score), ["number"]);
  assert.deepEqual(dead.looks.map(({ score }: { score: unknown }) => score), [null]);
  assert.deepEqual(here.remarks, [{ words: "it should lend 2 GPUs and shows 0", cure: null }]);
  const one = await grid(["health", "--node", "here", "--json"], { cwd: folder.path });
  assert.deepEqual(JSON.parse(one.stdout).nodes.map(({ node }: { node: string }) => node), [
    "here",
  ]);
  const explained = await grid(["health", "--explain"], { cwd: folder.path });
  assert.match(explained.stdout, /load/);
  const free = await grid(["free"], { cwd: folder.path });
  assert.equal(free.code, 3);
  assert.match(free.stdout, /no node that answers has a GPU/);
  assert.match(free.stderr, /not counted, for they do not answer: dead/);
});

testWith(
  ["script"],
  "health --watch draws in place, and Ctrl-C ends it without a word",
  async () => {
    using folder = project({ "config/cluster_config.yaml": LOCAL });
    const file = join(folder.path, "screen");
    const screen = () => Deno.readTextFileSync(file);
    await using watch = startInTerminal(["health", "--watch"], {
      cwd: folder.path,
      env: { TERM: "xterm" },
      stdoutTo: file,
    });
    const draws = () => screen().split("\r\nhere ").length - 1;
    await until(() => watch.isOver() || draws() >= 3, { what: "a third picture" });
    assert.ok(!watch.isOver(), "the watch has ended by itself");
    // The program behind `script`; the shells of its nodes are behind it in turn.
    const [child] = descendantsOf(watch.pid).filter(({ command }) => command.includes("main.ts"));
    assert.ok(child);
    Deno.kill(child.pid, "SIGINT");
    const { code } = await watch.ended;
    const stdout = screen();
    assert.equal(code, 130);
    assert.ok(stdout.startsWith("\x1b[?1049h"), JSON.stringify(stdout.slice(0, 60)));
    assert.ok(!stdout.includes("\x1b[2J"), "never blank");
    const rest = stdout.slice(stdout.indexOf("\x1b[?1049l"));
    assert.match(rest, /^.{8}NODE .*\r\nhere /s);
    assert.doesNotMatch(stdout, /stopping|interrupted/);
  },
);

Deno.test("health --watch into a pipe has no control sequences, and ends with its reader", async () => {
  using folder = project({ "config/cluster_config.yaml": LOCAL });
  const words = [Deno.execPath(), ...programArgs(["health", "--watch"])].map((word) => `'${word}'`);
  const child = new Deno.Command("bash", {
    args: [
      "-c",
      `${words.join(" ")} | { read -r line; printf '%s' "$line"; }; echo " \${PIPESTATUS[0]}"`,
    ],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout, stderr } = await child.output();
  assert.match(new TextDecoder().decode(stdout), /^NODE {2}STATUS .* 141\n$/);
  assert.equal(new TextDecoder().decode(stderr), "");
});

testWith(
  ["sshd"],
  "a drained node gets no new work, its running work stays, and all is told",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 2 });
    using folder = project({
      "config/cluster_config.yaml": labConfig({ lab, rayMode: "embedded" }),
    });
    const run = (...args: readonly string[]) => grid(args, { cwd: folder.path });
    const drained = await run("drain", "node1", "--reason", "new disk", "--until", "2h");
    assert.equal(drained.code, 0, drained.stderr);
    assert.match(drained.stdout, /^node1: drained by \S+ until .*: new disk\n$/);
    const { stdout } = await run("health");
    assert.match(stdout, /^node1 +drained/m);
    assert.match(stdout, /takes it back with: grid undrain node1/);
    const chosen = await run("run", "echo on $GRID_NODE");
    assert.equal(chosen.stdout, "on node2\n");
    // Whoever names it has it: that is how one looks what is wrong there.
    const named = await run("run", "echo on $GRID_NODE", "--node", "node1");
    assert.equal(named.stdout, "on node1\n");
    await run("drain", "node2", "--reason", "all of it");
    const nowhere = await run("run", "true");
    assert.equal(nowhere.code, 3);
    assert.match(nowhere.stderr, /node1: drained by .*new disk; node2: drained by .*all of it/s);
    assert.match(
      nowhere.stderr,
      /takes it back with: grid undrain node1; grid health says .* the other/,
    );
    const back = await run("undrain", "node1", "node2", "--json");
    assert.equal(back.code, 0);
    assert.deepEqual(JSON.parse(back.stdout).nodes.map(({ drains }: { drains: [] }) => drains), [
      [],
      [],
    ]);
    assert.equal((await run("run", "true")).code, 0);
    assert.deepEqual(
      lab.nodes.map(({ home }) => [...Deno.readDirSync(home)].map(({ name }) => name))
        .flat().filter((name) => name.includes("drain")),
      [],
    );
    const wrong = await run("drain", "node9");
    assert.equal(wrong.code, 2);
    const past = await run("drain", "node1", "--until", "2020-01-01");
    assert.equal(past.code, 2);
  },
);
