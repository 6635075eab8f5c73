import assert from "node:assert/strict";
import { join } from "node:path";
import { configOf } from "../../../src/cluster/defaults.ts";
import { claimKey, runtimeName } from "../../../src/cluster/claim_key.ts";
import { openCluster } from "../../../src/cluster/open.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { placeHolder } from "../../../src/steps/placement.ts";
import { createRunStep } from "../../../src/steps/run.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { grid, project } from "../../support/cli.ts";
import { setGpus } from "../../support/fake_nvidia_smi.ts";
import { labConfig } from "../../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../../support/openssh.ts";
import { findAccount, testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { recordHost, stepRequest } from "../../support/step_rig.ts";
import { gpu, MemoryCache, selector } from "../../unit/cluster/nodes.ts";

/** One Grid of its own: pool, cache and cluster, as a second user would start it. */
function controller(lab: OpenSshLab) {
  const config = configOf({
    nodes: lab.nodes.map(({ name, endpoint }) => ({
      name,
      host: endpoint.host,
      port: endpoint.port,
      user: endpoint.user,
    })),
    ssh: { key_file: lab.keyFile, known_hosts: lab.knownHosts },
  }, { file: "lab.yaml", project: lab.folder, env: {} });
  const pool = createPool({ handshakes: 4 });
  const cluster = openCluster({
    config,
    pool,
    cache: new MemoryCache(),
    clock: systemClock,
    project: lab.folder,
    random: Math.random,
  });
  const step = createRunStep({ cluster });
  const run = async (
    command: string,
    options: {
      gpus: number;
      waitMs?: number;
      step?: string;
      env?: Record<string, string>;
      seesAll?: boolean;
    },
  ) => {
    const host = recordHost();
    const { gpus, waitMs = 60_000 } = options;
    const request = stepRequest({
      action: { kind: "run", run: command },
      node: { kind: "selector", selector: selector({ gpus, waitMs }) },
      step: options.step ?? "work",
      env: options.env ?? {},
      ...(options.seesAll && { seesAllGpus: true }),
    });
    try {
      return { outcome: await step.run(request, host), host };
    } finally {
      // As the engine's reader does it at the end of an attempt.
      cluster.release(placeHolder(request));
    }
  };
  return {
    cluster,
    run,
    [Symbol.asyncDispose]: async () => {
      await step[Symbol.asyncDispose]();
      cluster[Symbol.dispose]();
      await pool[Symbol.asyncDispose]();
    },
  };
}

/** Claims per controller; `GRID_TEST_ROUNDS=20` for those of a busy lab. */
const CLAIMS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? "6");

interface Rivals {
  readonly controllers: readonly Pick<ReturnType<typeof controller>, "run">[];
  /** All may write to it. */
  readonly log: string;
}

/** Each claims GPUs again and again; nobody may have one that another has. */
async function rival({ controllers, log }: Rivals): Promise<void> {
  const command = `echo "+ $GRID_GPUS" >>${log}; sleep 0.1; echo "- $GRID_GPUS" >>${log}`;
  // Steps of one name in one run would share their GPUs.
  const claims = controllers.flatMap((each, which) =>
    Array.from(
      { length: CLAIMS },
      (_, at) => each.run(command, { gpus: 1, step: `claim-${which}-${at}` }),
    )
  );
  for (const { outcome } of await Promise.all(claims)) {
    assert.equal(outcome.status, "succeeded", JSON.stringify(outcome));
  }
  const held = new Set<string>();
  const lines = Deno.readTextFileSync(log).trim().split("\n");
  assert.equal(lines.length, 2 * claims.length);
  for (const line of lines) {
    const [sign, gpu = ""] = line.split(" ");
    if (sign === "-") assert.ok(held.delete(gpu));
    else {
      assert.ok(!held.has(gpu), `GPU ${gpu} was taken twice`);
      held.add(gpu);
    }
  }
}

testWith(
  ["sshd", "perl"],
  "a job without GPUs is told of alike by the launcher and by a shell",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    await using own = controller(lab);
    const claims = join(lab.nodes[0]?.home ?? "", "gpu_leases", `grid-claims-${Deno.uid()}`);
    const log = join(lab.folder, "told");
    const command =
      `claim=${claims}/job.$GRID_JOB; for _ in $(seq 300); do [ ! -s $claim ] || break; sleep 0.01; done
{ read -r line </proc/$$/stat; set -- \${line##*) }; echo "$(grep -qz ^GRID_RECORDED= /proc/$$/environ && echo launcher || echo shell) $$ \${20}"
cat $claim; } >>${log}.$GRID_JOB; env | grep ^GRID_REC || true`;
    // The first are started by the node's shell itself; one after the other, so that none is ready for a job.
    for (let count = 0; count < 6; count++) {
      const { outcome } = await own.run(command, { gpus: 0, step: `{one} ~${count}` });
      assert.equal(outcome.status, "succeeded", JSON.stringify(outcome));
      await systemClock.sleep(100);
    }
    const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
    const told = [...Deno.readDirSync(lab.folder)].filter(({ name }) => name.startsWith("told."))
      .map(({ name }) => Deno.readTextFileSync(join(lab.folder, name)));
    const forms = told.map((text) => {
      const [, by = "", pid = "", born = ""] = /^(\w+) (\d+) (\d+)\n/.exec(text) ?? [];
      assert.match(text, new RegExp(`^pid ${pid} ${born} ${pid}\nboot ${boot}\nup [\\d.]+$`, "m"));
      const form = text.replace(/^.*\n/, "").replace(/^(pid|up) .*$/gm, "$1 …")
        .replaceAll(/%7E\d/g, "%7E…").replace(/^group .*$/m, "group …");
      return { by, form };
    });
    assert.deepEqual(new Set(forms.map(({ by }) => by)), new Set(["shell", "launcher"]));
    assert.equal(new Set(forms.map(({ form }) => form)).size, 1, forms[0]?.form);
  },
);

testWith(["sshd"], "two controllers of one account never take a GPU twice", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
  await using first = controller(lab);
  await using second = controller(lab);
  await rival({ controllers: [first, second], log: join(lab.folder, "log") });
});

testWith(
  ["sshd", "root", "account"],
  "two accounts of one machine never take a GPU twice, and see who holds it",
  async () => {
    const account = findAccount();
    assert.ok(account);
    using shared = tempDir();
    Deno.chmodSync(shared.path, 0o1777);
    await using own = await startOpenSsh({ nodes: 1, gpus: 4 });
    await using theirs = await startOpenSsh({ nodes: 1, gpus: 4, host: "127.0.0.9", account });
    for (const { home } of [...own.nodes, ...theirs.nodes]) {
      Deno.symlinkSync(shared.path, join(home, "gpu_leases"));
    }
    const log = join(shared.path, "log");
    Deno.writeTextFileSync(log, "");
    Deno.chmodSync(log, 0o666);
    await using first = controller(own);
    await using second = controller(theirs);
    await rival({ controllers: [first, second], log });
    const [go, seen] = [join(shared.path, "go"), join(shared.path, "seen")];
    const holder = second.run(`: >${seen}; while [ ! -e ${go} ]; do sleep 0.02; done`, { gpus: 4 });
    while (!(await exists(seen))) await systemClock.sleep(20);
    const refused = await first.run("true", { gpus: 1, waitMs: 0, step: "one" })
      .catch((thrown) => thrown);
    assert.match(
      refused.message,
      new RegExp(`held by a job of ${account.name} \\(run .*, step work`),
    );
    // Not by its group either: what an account says of itself binds itself alone.
    Deno.writeTextFileSync(go, "");
    assert.equal((await holder).outcome.status, "succeeded");
  },
);

testWith(["sshd"], "a server that a step leaves running keeps its GPU until it ends", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
  await using own = controller(lab);
  const pidFile = join(lab.folder, "pid");
  const server = `setsid sh -c 'exec 8>&-; echo $$ >${pidFile}; exec sleep 600' >/dev/null 2>&1 &`;
  const serve = await own.run(`${server} while [ ! -s ${pidFile} ]; do sleep 0.02; done`, {
    gpus: 1,
    step: "serve",
  });
  assert.equal(serve.outcome.status, "succeeded");
  const refused = await own.run("true", { gpus: 1, waitMs: 0, step: "next" })
    .catch((thrown) => thrown);
  assert.match(refused.message, /held by a job of \S+ \(run .*, step serve/);
  // Whoever measures what the job uses is told which GPUs are its own.
  const told = '[ "$(cat "${GRID_OUTPUT%.output}.gpus")" = "$CUDA_VISIBLE_DEVICES" ]';
  const next = own.run(`${told}; echo $GRID_GPUS`, { gpus: 1, step: "last" });
  Deno.kill(Number(Deno.readTextFileSync(pidFile)), "SIGKILL");
  assert.equal((await next).host.printed.stdout, "0\n");
});

testWith(["sshd"], "a command without GPUs does not see those that others hold", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
  await using own = controller(lab);
  const show = 'echo "[${CUDA_VISIBLE_DEVICES-unset}]"';
  assert.equal((await own.run(show, { gpus: 0 })).host.printed.stdout, "[unset]\n");
  const [go, seen] = [join(lab.folder, "go"), join(lab.folder, "seen")];
  const holder = own.run(`: >${seen}; while [ ! -e ${go} ]; do sleep 0.02; done`, { gpus: 1 });
  while (!(await exists(seen))) await systemClock.sleep(20);
  const plain = await own.run(show, { gpus: 0, step: "plain" });
  assert.match(plain.host.printed.stdout, /^\[GPU-0000000[01]\]\n$/);
  const all = await own.run(show, { gpus: 0, step: "all", seesAll: true });
  assert.equal(all.host.printed.stdout, "[unset]\n");
  Deno.writeTextFileSync(go, "");
  await holder;
});

testWith(["sshd"], "a leased GPU is shown, passed over, and free once its job ends", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
  await using own = controller(lab);
  const go = join(lab.folder, "go");
  const seen = join(lab.folder, "seen");
  const holder = own.run(`env >${seen}; while [ ! -e ${go} ]; do sleep 0.02; done`, { gpus: 1 });
  while (!(await exists(seen))) await systemClock.sleep(20);
  const [row] = await own.cluster.health({ fresh: true });
  const leased = row?.facts?.gpus.filter((gpu) => gpu.leases !== undefined) ?? [];
  assert.equal(leased.length, 1);
  const index = leased[0]?.index;
  const env = Deno.readTextFileSync(seen).split("\n");
  assert.ok(env.includes(`CUDA_VISIBLE_DEVICES=GPU-0000000${index}`));
  assert.ok(env.includes("CUDA_DEVICE_ORDER=PCI_BUS_ID"));
  assert.deepEqual(env.filter((line) => /^grid_/.test(line)), []);
  const both = await own.run("true", { gpus: 2, waitMs: 0, step: "both" }).catch((thrown) =>
    thrown
  );
  assert.match(both.message, new RegExp(`GPU ${index} is held by a job of `));
  const other = await own.run("echo $GRID_GPUS", { gpus: 1, waitMs: 0, step: "other" });
  assert.equal(other.host.printed.stdout, `${1 - (index ?? 0)}\n`);
  Deno.writeTextFileSync(go, "");
  assert.equal((await holder).outcome.status, "succeeded");
  const after = await own.run("echo $GRID_GPUS", { gpus: 2, waitMs: 0 });
  assert.equal(after.host.printed.stdout, "0,1\n");
});

testWith(["sshd"], "a job that is killed outright holds nothing", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
  await using own = controller(lab);
  const { outcome } = await own.run("kill -KILL $$", { gpus: 1 });
  assert.equal(outcome.status, "failed");
  const next = await own.run("echo $GRID_GPUS", { gpus: 1, waitMs: 0 });
  assert.equal(next.host.printed.stdout, "0\n");
});

testWith(["sshd"], "a lease leaves the script as it is: its lines, words and options", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
  await using own = controller(lab);
  const script = `echo "$#" "$-"; echo "$LINENO"\nfalse\necho not reached`;
  const { outcome, host } = await own.run(script, { gpus: 1 });
  assert.ok(outcome.status === "failed" && outcome.failure.exitCode === 1);
  const [words, line] = host.printed.stdout.split("\n");
  assert.match(words ?? "", /^0 \w*e\w*$/);
  assert.equal(line, "1");
});

testWith(["sshd"], "a script's own end with code 75 is a failure like any other", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
  await using own = controller(lab);
  const { outcome } = await own.run("exit 75", { gpus: 1 });
  assert.ok(outcome.status === "failed" && outcome.failure.exitCode === 75);
});

Deno.test("claims name GPUs by their UUID, whatever the account", () => {
  assert.equal(claimKey(gpu(3, { uuid: undefined })), "index-3");
  assert.equal(claimKey(gpu(3, { uuid: "../x@y" })), "index-3");
  assert.equal(claimKey(gpu(3, { uuid: undefined, maker: "amd" })), "amd-index-3");
});

Deno.test("a GPU has the name that its runtime knows, whatever else is hidden or found first", () => {
  assert.equal(runtimeName(gpu(2)), "GPU-2");
  assert.equal(runtimeName(gpu(2, { uuid: "GPU-0; rm" })), "2");
  assert.equal(runtimeName(gpu(2, { maker: "amd", uuid: "0ff" })), "2");
  assert.equal(runtimeName(gpu(2, { maker: "amd", visibleIndex: 0 })), "0");
  assert.equal(runtimeName(gpu(5, { maker: "amd", ownIndex: 1 })), "1");
});

testWith(
  ["sshd"],
  "what an account sets for AMD's lower layers does not shift a lease",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
    await using own = controller(lab);
    const { host } = await own.run('echo "[$ROCR_VISIBLE_DEVICES]" "$HIP_VISIBLE_DEVICES"', {
      gpus: 1,
      env: { ROCR_VISIBLE_DEVICES: "1" },
    });
    assert.equal(host.printed.stdout, "[] GPU-00000000\n");
  },
);

testWith(["sshd"], "steps on the node of a select-node step hold its GPU together", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
  using folder = project({
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    "train.yaml": `name: train
steps:
  - { id: gpu, select-node: { gpus: 1 } }
  - { id: one, needs: gpu, node: "\${{ steps.gpu.outputs.node }}", run: 'echo "one $CUDA_VISIBLE_DEVICES"; sleep 1' }
  - { id: two, needs: gpu, run: 'echo "two $CUDA_VISIBLE_DEVICES"; sleep 1' }
  - { id: own, node: { gpus: 1 }, needs: gpu, run: 'sleep 0.3; echo "own $CUDA_VISIBLE_DEVICES"' }
`,
  });
  const { code, stderr } = await grid(["run", "train.yaml", "--config", "lab.yaml"], {
    cwd: folder.path,
  });
  assert.equal(code, 0, stderr);
  const shown = (step: string) => new RegExp(`\\b${step} GPU-(\\d+)\\b`).exec(stderr)?.[1];
  assert.ok(shown("one") !== undefined, stderr);
  assert.equal(shown("one"), shown("two"));
  assert.ok(shown("own") !== undefined);
});

testWith(["sshd"], "grid run --gpus 1 gives the command its GPU", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
  const [node] = lab.nodes;
  assert.ok(node);
  setGpus(node.home, [{ memoryUsed: 20_000 }, {}]);
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  const args = ["run", "echo on $CUDA_VISIBLE_DEVICES", "--gpus", "1", "--config", "lab.yaml"];
  const { code, stdout, stderr } = await grid(args, { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "on GPU-00000001\n");
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
