/** Services as people use them: they stay, are reached, looked into and ended. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, programArgs, project, REPOSITORY, startGrid, until } from "../support/cli.ts";
import { freePort } from "../support/free_port.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";

/** Echoes what it is sent, and answers HTTP with a large page. */
const SERVER = `
import http.server, os
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(bytes(range(256)) * 4096)
    def log_message(self, *words):
        print("asked", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["GRID_SERVICE_PORT"])), Page).serve_forever()
`;

interface Listed {
  readonly job: string;
  readonly step: string;
  readonly gpus: readonly string[];
  readonly life: string;
  readonly state: string;
}

async function services(cwd: string, ...more: string[]): Promise<readonly Listed[]> {
  const { stdout, stderr } = await grid(["services", "--json", ...more, ...CONFIG], { cwd });
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout).services;
}

const CONFIG = ["--config", "lab.yaml"];

function filesOf(lab: OpenSshLab, pipeline: string) {
  return project({
    "p.yaml": pipeline,
    "server.py": SERVER,
    "lab.yaml": `${labConfig({ lab, rayMode: "embedded" })}jobs: { lease: 5 }\n`,
    "open.yaml": labConfig({ lab, rayMode: "embedded", transport: "openssh" }),
  });
}

testWith(
  ["sshd", "python3"],
  "a service outlives its run with its GPU, is reached through forward, and is stopped whole",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
    using folder = filesOf(
      lab,
      `name: board
steps:
  - { id: code, sync: { from: . } }
  - id: board
    needs: code
    node: { gpus: 1 }
    env: { MARK: "${lab.folder}/board" }
    service: { port: auto, ready: /, for: 8h }
    run: |
      (setsid sleep 1000 &)
      exec python3 server.py
  - id: look
    needs: board
    env: { ADDRESS: "\${{ steps.board.outputs.address }}" }
    node: \${{ steps.board.outputs.node }}
    run: |
      touch ~/looks
      while [ ! -e ~/go ]; do sleep 0.1; done
      python3 -c 'import os, urllib.request as u; print(len(u.urlopen("http://" + os.environ["ADDRESS"]).read()))'
`,
    );
    const cwd = folder.path;
    const living = () => processesWith(`MARK=${lab.folder}/board`);
    const home = lab.nodes[0]?.home ?? "";
    {
      await using run = startGrid(["run", "p.yaml", ...CONFIG], { cwd });
      await until(() => run.isOver() || exists(join(home, "looks")));
      assert.ok(!run.isOver(), (await Promise.race([run.ended, { stderr: "" }])).stderr);
      await run.kill();
    }
    const [board, ...none] = await services(cwd);
    assert.ok(board);
    assert.deepEqual([none, board.gpus.length, board.life], [[], 1, "time"]);
    assert.ok(living().length >= 2);

    Deno.writeTextFileSync(join(home, "go"), "");
    const resumed = await grid(["resume", "last", ...CONFIG], { cwd });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, /look +│ 1048576/);
    assert.deepEqual((await services(cwd)).map(({ job }) => job), [board.job]);

    for (const config of ["lab.yaml", "open.yaml"]) await forwards(cwd, config);

    const stopped = await grid(["services", "stop", "last", "board", ...CONFIG], { cwd });
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stderr, /0 survivors/);
    assert.deepEqual([living(), await services(cwd)], [[], []]);
    assert.deepEqual((await services(cwd, "--all")).map(({ state }) => state), ["ended"]);
  },
);

Deno.test("forward says that nobody listens, also on a node that is this machine", async () => {
  using folder = project({});
  const { code, stderr } = await grid(["forward", "local1", String(freePort())], {
    cwd: folder.path,
  });
  assert.notEqual(code, 0);
  assert.match(stderr, /^error: Cannot connect to 127\.0\.0\.1 port \d+ on "local1"/m);
});

async function forwards(cwd: string, config: string): Promise<void> {
  const out = join(cwd, "address");
  const words = ["forward", "board", "--config", config, "--local-port", String(freePort())];
  await using tunnel = startGrid(words, { cwd, stdoutTo: out });
  await until(() => Deno.readTextFileSync(out).includes("\n") || tunnel.isOver());
  const address = Deno.readTextFileSync(out).trim();
  assert.match(
    address,
    /^http:\/\/127\.0\.0\.1:\d+$/,
    (await Promise.race([tunnel.ended, {}])) + "",
  );
  const page = async () => new Uint8Array(await (await fetch(address)).arrayBuffer());
  const pages = await Promise.all(Array.from({ length: 4 }, page));
  for (const bytes of pages) {
    assert.ok(bytes.length === 2 ** 20 && bytes.every((byte, at) => byte === at % 256));
  }
  tunnel.signal("SIGINT");
  assert.equal((await tunnel.ended).code, 130);
}

testWith(["sshd"], "its node ends a service when its time is over, runner or not", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  using folder = filesOf(
    lab,
    `name: short
steps:
  - id: tick
    env: { MARK: "${lab.folder}/tick" }
    service: { ready: { output: ^up }, for: 6s }
    run: |
      echo up
      (setsid sleep 1000 &)
      trap '' TERM
      while :; do sleep 0.1; done
    timeout: { kill-grace: 1s }
`,
  );
  const run = await grid(["run", "p.yaml", ...CONFIG], { cwd: folder.path });
  assert.equal(run.code, 0, run.stderr);
  const living = () => processesWith(`MARK=${lab.folder}/tick`);
  assert.ok(living().length >= 2, "it outlives its run");
  await until(() => living().length === 0, { what: "the end of its time" });
});

testWith(
  ["sshd"],
  "a run that cannot end its service, for the node is gone, says what it waits for",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    using folder = filesOf(
      lab,
      `name: waits
steps:
  - id: server
    node: node1
    timeout: { kill-grace: 1s }
    service: { ready: { run: "true" } }
    run: exec sleep 1000
  - { id: use, needs: server, node: local, run: "touch ready; while [ ! -e go ]; do sleep 0.1; done" }
`,
    );
    const config = join(folder.path, "lab.yaml");
    Deno.writeTextFileSync(config, Deno.readTextFileSync(config).replace("lease: 5", "lease: 300"));
    await using run = startGrid(["run", "p.yaml", ...CONFIG], { cwd: folder.path });
    await until(() => existsSync(join(folder.path, "ready")));
    await lab.nodes[0]?.stop();
    Deno.writeTextFileSync(join(folder.path, "go"), "");
    const runs = join(folder.path, ".grid", "runs");
    await until(() =>
      [...Deno.readDirSync(runs)].some(({ name }) =>
        /its service is still to be ended on node1/.test(
          Deno.readTextFileSync(join(runs, name, "events.jsonl")),
        )
      )
    );
    run.signal("SIGKILL");
    await run.ended;
  },
);

testWith(["bash"], "a service that dies in its run fails it, and what needs it", async () => {
  using folder = project({
    "p.yaml": `name: dies
defaults: { node: local1 }
steps:
  - id: server
    service: { ready: { run: test -e ready-$GRID_RUN_ID } }
    run: |
      echo "here I am"
      touch ready-$GRID_RUN_ID
      while [ ! -e go-$GRID_RUN_ID ]; do sleep 0.1; done
      rm -f ready-* go-*
      echo "oh no" >&2
      exit 7
  - { id: first, needs: server, run: "touch go-$GRID_RUN_ID; sleep 3" }
  - { id: second, needs: [server, first], run: echo never }
  - { id: last, after: [second], if: always(), env: { S: "\${{ steps.server.state }}" }, run: 'echo "it $S"' }
`,
  });
  const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /server .*failed.*ended while its run went on: exit code 7; .*oh no/);
  assert.match(stderr, /second .*skipped: it needs "server", which failed/);
  assert.match(stderr, /first +succeeded/);
  assert.match(stderr, /│ it failed/);
});

testWith(
  ["bash", "python3"],
  "a port that is taken is told by whom; what is not ready is ended",
  async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using folder = project({
      "p.yaml": `name: wrong
defaults: { node: local1 }
steps:
  - id: taken
    service: ${taken.addr.port}
    run: exec sleep 1000
  - id: silent
    service: { port: auto, within: 1s }
    run: echo "no port for me"; exec sleep 1000
  - id: gone
    service: { port: auto }
    run: sleep 1000 &
`,
    });
    const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      new RegExp(`taken +failed.*port ${taken.addr.port} is taken, process ${Deno.pid} `),
    );
    assert.match(
      stderr,
      /silent +failed.*not ready after 1.0s: nothing listens.*no port for me; 0 survivors/,
    );
    assert.match(stderr, /gone +failed.*exited with code 0 before it was ready/);
  },
);

type Talk = readonly (readonly [string, string | Readonly<Record<string, unknown>>])[];

async function talk(script: Talk, words: readonly string[], cwd: string) {
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: [
      join(REPOSITORY, "tests/support/pty_talk.py"),
      JSON.stringify(script),
      Deno.execPath(),
      ...programArgs(words),
    ],
    cwd,
    env: { TERM: "xterm" },
  }).output();
  const text = new TextDecoder();
  assert.notEqual(stdout.length, 0, text.decode(stderr));
  return JSON.parse(text.decode(stdout)) as { screen: string; code: number; restored: boolean };
}

testWith(["sshd", "python3", "bash"], "a shell on a node, and where a step runs", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  using folder = filesOf(
    lab,
    `name: train
secrets: [TOKEN]
steps:
  - id: train
    secrets: [TOKEN]
    env: { COLOR: dark blue }
    run: touch ~/began; while [ ! -e ~/go ]; do sleep 0.1; done
`,
  );
  const cwd = folder.path;
  const node = lab.nodes[0];
  assert.ok(node);
  const look: Talk = [
    ["# ", "PS1='> '; stty size; echo size-$((1 + 1))\r"],
    ["size-2", { size: [20, 66] }],
    [
      "> ",
      "while [ \"$(stty size)\" != '20 66' ]; do sleep 0.1; done; echo now-$((1 + 1)); exit 7\r",
    ],
  ];
  for (const config of ["lab.yaml", "open.yaml"]) {
    const { screen, code, restored } = await talk(
      look,
      ["shell", "node1", "--config", config],
      cwd,
    );
    assert.match(screen, /40 111[^]*now-2/);
    assert.deepEqual([code, restored], [7, true], screen);
  }
  const killed = await talk([["# ", { signal: "SIGTERM" }]], ["shell", "node1", ...CONFIG], cwd);
  assert.deepEqual([killed.code, killed.restored], [143, true], killed.screen);

  const env = { TOKEN: "hunter2-token" };
  await using run = startGrid(["run", "p.yaml", ...CONFIG], { cwd, env });
  await until(() => run.isOver() || exists(join(node.home, "began")));
  const words = ["shell", "last", "train", ...CONFIG];
  const show: Talk = [["# ", 'echo "<$COLOR|$TOKEN|$GRID_STEP|$GRID_JOB|$PWD>"; exit 0\r']];
  const { screen, code } = await talk(show, words, cwd);
  assert.ok(screen.includes(`<dark blue|hunter2-token|train||${node.root}>`), screen);
  assert.equal(code, 0);
  Deno.writeTextFileSync(join(node.home, "go"), "");
  assert.equal((await run.ended).code, 0, (await run.ended).stderr);

  const piped = await grid(["shell", "node1", ...CONFIG], { cwd });
  assert.equal(piped.code, 2);
  assert.match(piped.stderr, /this is no terminal\nhint: .*grid run "uptime" --node node1/);

  const nowhere = await grid(["forward", "nowhere", "80", ...CONFIG], { cwd });
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /Cannot find node "nowhere"/);
});

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
