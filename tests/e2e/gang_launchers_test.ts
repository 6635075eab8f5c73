/**
 * The launchers that people use, on machines of their own. `GRID_TEST_JAX_VENV` and its like name virtual
 * environments with jax, torch, accelerate and deepspeed, too large to be installed for each test of everything.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, startGrid, until } from "../support/cli.ts";
import { gangProject, LAB, linesOf } from "../support/gang_rig.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { type Part, testWith } from "../support/requires.ts";
import { wireMachines } from "../support/wired_network.ts";
import { writeProgram } from "../support/program_file.ts";

const PARTS: readonly Part[] = ["sshd", "root", "unshare", "ip"];

async function threeMachines() {
  const wire = await wireMachines(3);
  const lab = await startOpenSsh({ nodes: 3, gpus: 0, machines: wire.machines });
  return {
    lab,
    enter: wire.enter,
    [Symbol.asyncDispose]: async () => {
      await lab[Symbol.asyncDispose]();
      await wire[Symbol.asyncDispose]();
    },
  };
}

interface Launcher {
  readonly part: Part;
  /** Its words for the agent that it starts processes on other nodes with. */
  readonly words: string;
  readonly daemon: RegExp;
}

const LAUNCHERS: Record<string, Launcher> = {
  "Open MPI": {
    part: "openmpi",
    words:
      "mpirun.openmpi --allow-run-as-root --mca plm_rsh_agent AGENT --mca plm_rsh_no_tree_spawn 1 " +
      '--mca btl_tcp_if_include "$GRID_NODE_INTERFACE" --hostfile "$GRID_HOSTFILE" -x MARK -x FILE',
    daemon: /orted/,
  },
  MPICH: {
    part: "mpich",
    words: 'mpirun.mpich -launcher ssh -launcher-exec AGENT -iface "$GRID_NODE_INTERFACE" ' +
      "-f machines",
    daemon: /hydra/,
  },
};

/** ssh to the other nodes, with the lab's key: what a fleet has for its accounts. */
function writeAgent({ folder, keyFile, knownHosts }: OpenSshLab): string {
  const path = join(folder, "agent");
  const options = `-p 2222 -i ${keyFile} -o UserKnownHostsFile=${knownHosts} -o BatchMode=yes`;
  writeProgram(path, `#!/bin/sh\nexec ssh ${options} "$@"\n`);
  return path;
}

/** As docs/gangs.md has it: the others wait until rank 0 has it said to them. */
const step = (launch: string, { folder, command }: Record<"folder" | "command", string>) => `
  - id: all
    nodes: 3
    env: { MARK: "${folder}", FILE: "${folder}/ran" }
    timeout: { kill-grace: 5s }
    run: |
      done=/tmp/done.$GRID_RUN_ID.$GRID_ATTEMPT
      if [ "$GRID_NODE_RANK" != 0 ]; then
        until [ -e "$done.$(hostname)" ]; do sleep 0.1; done
        exit 0
      fi
      sed 's/ slots=/:/' "$GRID_HOSTFILE" > machines
      ${launch} sh -c '${command}'
      ${launch} sh -c "touch $done."'$(hostname)'
`;

for (const [name, { part, words, daemon }] of Object.entries(LAUNCHERS)) {
  testWith(
    [...PARTS, part],
    `mpirun of ${name} reaches all nodes from rank 0, and a cancel ends all`,
    async () => {
      await using machines = await threeMachines();
      const { lab, enter } = machines;
      const { folder } = lab;
      const launch = words.replace("AGENT", writeAgent(lab));
      const pipeline = (name: string, command: string) =>
        `name: ${name}\nsteps:${step(launch, { folder, command })}`;
      using project = gangProject(lab, {
        "short.yaml": pipeline("short", 'echo "$(hostname)" >> "$FILE"'),
        "long.yaml": pipeline("long", 'echo "long $(hostname)" >> "$FILE"; sleep 1000'),
      });
      const here = { cwd: project.path, within: enter };
      const ran = () => linesOf(join(folder, "ran"));
      const short = await grid(["run", "short.yaml", ...LAB], here);
      assert.equal(short.code, 0, short.stderr);
      assert.deepEqual(ran(), ["machine1", "machine2", "machine3"]);
      await using long = startGrid(["run", "long.yaml", ...LAB], here);
      await until(() => ran().length === 6, { what: "all ranks" });
      assert.equal((await grid(["cancel", "last", ...LAB], here)).code, 0);
      const { code, stderr } = await long.ended;
      assert.equal(code, 130, stderr);
      await until(
        () =>
          lab.leftovers().every(({ command }) => !daemon.test(command)) &&
          processesWith(`MARK=${folder}`).length === 0,
        { what: "the end everywhere", seconds: 20 },
      );
    },
  );
}

const TORCH = `
import torch.distributed as dist, torch, os
dist.init_process_group("gloo")
mine = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(mine)
print("sum", mine.item(), "of", dist.get_world_size(), flush=True)
dist.destroy_process_group()
`;

const JAX = `
import os, jax
address = os.environ["GRID_MAIN_ADDRESS"] + ":" + os.environ["GRID_MAIN_PORT"]
jax.distributed.initialize(address, int(os.environ["GRID_NODE_COUNT"]), int(os.environ["GRID_NODE_RANK"]))
from jax.experimental import multihost_utils
import numpy
all = multihost_utils.process_allgather(numpy.array([jax.process_index() + 1.0], dtype="float32"))
print("sum", float(all.sum()), "of", jax.process_count(), flush=True)
`;

const LIBRARIES: Record<string, { readonly program: string; readonly launch: string }> = {
  JAX: { program: JAX, launch: "exec VENV/bin/python work.py" },
  TORCH: {
    program: TORCH,
    launch: 'exec VENV/bin/torchrun --nnodes "$GRID_NODE_COUNT" --nproc-per-node 1 ' +
      '--node-rank "$GRID_NODE_RANK" --master-addr "$GRID_MAIN_ADDRESS" ' +
      '--master-port "$GRID_MAIN_PORT" work.py',
  },
  // They come with torch, and add up by its means.
  ACCELERATE: {
    program: TORCH,
    launch: 'PATH="VENV/bin:$PATH" exec accelerate launch --multi_gpu --mixed_precision no ' +
      '--dynamo_backend no --num_machines "$GRID_NODE_COUNT" --num_processes "$GRID_NODE_COUNT" ' +
      '--machine_rank "$GRID_NODE_RANK" --main_process_ip "$GRID_MAIN_ADDRESS" ' +
      '--main_process_port "$GRID_MAIN_PORT" work.py',
  },
  DEEPSPEED: {
    program: TORCH,
    launch: 'DS_ACCELERATOR=cpu PATH="VENV/bin:$PATH" exec deepspeed --no_ssh ' +
      '--node_rank "$GRID_NODE_RANK" --hostfile "$GRID_HOSTFILE" ' +
      '--master_addr "$GRID_MAIN_ADDRESS" --master_port "$GRID_MAIN_PORT" work.py',
  },
};

for (const [name, { program, launch }] of Object.entries(LIBRARIES)) {
  const venv = Deno.env.get(`GRID_TEST_${name}_VENV`);
  if (venv === undefined) continue;
  testWith(PARTS, `all ranks of ${name.toLowerCase()} add up to the right sum`, async () => {
    await using machines = await threeMachines();
    const { lab, enter } = machines;
    using folder = gangProject(lab, {
      "work.py": program,
      "p.yaml": `name: sums
steps:
  - { id: code, sync: { from: ., to: all } }
  - id: all
    needs: code
    nodes: 3
    retry: 0
    timeout: 150s
    run: ${launch.replace("VENV", venv)}
`,
    });
    const here = { cwd: folder.path, within: enter };
    const { code, stderr } = await grid(["run", "p.yaml", ...LAB], here);
    assert.equal(code, 0, stderr);
    for (const rank of [0, 1, 2]) {
      assert.match(stderr, new RegExp(`\\[${rank} node${rank + 1}\\] sum 6\\.0 of 3\\n`));
    }
  });
}

/** The others are at work, and hear no SIGTERM: jax has taken it. */
const JAX_RAISES = `
MEET
jax.distributed.initialize(address, int(os.environ["GRID_NODE_COUNT"]), int(os.environ["GRID_NODE_RANK"]))
print("all are here", flush=True)
if jax.process_index() == 1:
    raise ValueError("no such shard")
for _ in range(600):
    time.sleep(1)
    print("at work", flush=True)
`;
const MEET = `
import os, sys, time, traceback, jax
address = os.environ["GRID_MAIN_ADDRESS"] + ":" + os.environ["GRID_MAIN_PORT"]
`;
/** As docs/gangs.md has it. */
const HOOK = `
def fail(*e): open(os.environ["GRID_FAIL"], "w").write(traceback.format_exception(*e)[-1])
sys.excepthook = lambda *e: (sys.__excepthook__(*e), fail(*e), sys.stderr.flush(), os._exit(1))
`;
const NAMED: Record<
  string,
  { readonly hook: string; readonly nodes: string; readonly code: number }
> = {
  "says so": { hook: HOOK, nodes: "3", code: 1 },
  "waits for the others in jax's own end": { hook: "", nodes: "{ count: 3, idle: 15s }", code: 4 },
};

for (const [name, { hook, nodes, code }] of Object.entries(NAMED)) {
  const venv = Deno.env.get("GRID_TEST_JAX_VENV");
  if (venv === undefined) continue;
  testWith(
    PARTS,
    `a rank of jax that raises is named, and ends all: one that ${name}`,
    async () => {
      await using machines = await threeMachines();
      const { lab, enter } = machines;
      using folder = gangProject(lab, {
        "work.py": JAX_RAISES.replace("MEET", MEET + hook),
        "p.yaml": `name: raises
steps:
  - { id: code, sync: { from: ., to: all } }
  - id: all
    needs: code
    nodes: ${nodes}
    retry: 0
    env: { MARK: "${lab.folder}" }
    timeout: { attempt: 150s, kill-grace: 5s }
    run: exec ${venv}/bin/python work.py
`,
      });
      const run = await grid(["run", "p.yaml", ...LAB], { cwd: folder.path, within: enter });
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, /\[1 node2\] ValueError: no such shard\n/);
      assert.match(run.stderr, /rank 1/);
      assert.doesNotMatch(run.stderr, /rank [02] .*(failed|ended with)/);
      assert.deepEqual(processesWith(`MARK=${lab.folder}`), []);
    },
  );
}
