/** Commands in containers of real engines: docker, podman as root, and podman as an account without rights. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { StepRequest } from "../../../src/engine/ports.ts";
import { GridError } from "../../../src/core/errors.ts";
import type { Container, RunAction } from "../../../src/pipeline/pipeline.ts";
import { endContainers } from "../../../src/steps/container_job.ts";
import { createRunStep } from "../../../src/steps/run.ts";
import { createPool } from "../../../src/transport/pool.ts";
import {
  type ContainerEngine,
  IMAGE,
  openDocker,
  openPodman,
} from "../../support/container_engines.ts";
import { waitFor } from "../../support/job_contract.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { processesWith } from "../../support/processes.ts";
import { type Account, findAccount, testWith } from "../../support/requires.ts";
import { recordHost, stepRequest } from "../../support/step_rig.ts";

type Wish = Partial<StepRequest<RunAction<string>>> & {
  readonly container?: Partial<Container<string>>;
  readonly stop?: AbortSignal;
  /** In none. */
  readonly isPlain?: boolean;
};

async function openRig(engine: ContainerEngine, account?: Account) {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0, ...(account && { account }) });
  const [there] = lab.nodes;
  assert.ok(there);
  const { name, endpoint, root, home } = there;
  Deno.mkdirSync(root, { recursive: true });
  if (account) Deno.chownSync(root, account.uid, account.gid);
  const pool = createPool({ handshakes: 1 });
  const environment = {
    before: ["echo outside >&2"],
    env: { ...engine.env, ONLY: "here" },
    vars: {},
  };
  const node: OpenNode = {
    node: { name, endpoint, labels: [], gpus: undefined, remoteRoot: root, environment },
    transport: pool.transport(endpoint),
    root,
    home,
  };
  const cluster = {
    open: () => Promise.resolve(node),
    select: () => Promise.reject(new Error("nothing is chosen")),
    claim: () => Promise.resolve({ prelude: "" }),
  };
  return {
    node,
    sshd: there,
    engine,
    async run(script: string, { container = {}, isPlain, stop, ...wish }: Wish = {}) {
      await using step = createRunStep({ cluster });
      const recorded = recordHost();
      const host = stop ? { ...recorded, signal: stop } : recorded;
      const outcome = await step.run(
        stepRequest({
          killGraceMs: 3000,
          action: {
            kind: "run",
            run: script,
            ...(!isPlain && {
              container: {
                image: IMAGE,
                engine: engine.name,
                gpus: "auto",
                volumes: [],
                user: undefined,
                options: [],
                ...container,
              },
            }),
          },
          ...wish,
        }),
        host,
      );
      return { outcome, ...recorded };
    },
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

type Rig = Awaited<ReturnType<typeof openRig>>;

/** Takes a second for its last words, and would tell of a second signal. */
const SAVES =
  "n=0 left=; trap 'n=$((n+1)); echo told $n; left=${left:-..........}' TERM; echo up; " +
  'while :; do sleep 0.1; [ $n = 0 ] || left=${left#.}; [ "$n.$left" = 0. ] || [ -n "$left" ] || ' +
  "{ echo saved; exit 9; }; done";

/** What every engine must make true. */
async function holdContract(t: Deno.TestContext, rig: Rig, account?: Account): Promise<void> {
  const { engine, node } = rig;
  const containers = () => engine.ask("ps", "-a", "--format", "{{.Names}}");
  const isUp = async () => {
    await waitFor(() => containers() !== "");
    const job = containers();
    await waitFor(() => engine.ask("logs", job).includes("up"));
    return job;
  };
  /** Of podman's, the account is root inside. */
  const uid = engine.name === "podman" || account === undefined ? 0 : account.uid;

  await t.step("variables, files, folders, outputs, and whose its files are", async () => {
    Deno.mkdirSync(join(node.root, "data"));
    Deno.writeTextFileSync(join(node.root, "data/x"), "from the node");
    const { outcome, printed, images } = await rig.run(
      'echo "$MINE ${ONLY-none} $TOKEN $B $(cat $LONG) $(cat /data/x)"; touch made; id -u\n' +
        'echo 1 >"$GRID_STATE_DIR/kept"; echo "v=7" >>"$GRID_OUTPUT"',
      {
        env: { MINE: "it's", LONG: "long text" },
        inFiles: ["LONG"],
        secrets: { TOKEN: "a-secret-word" },
        before: ["echo inside >&2", "B=set"],
        container: { volumes: ["./data:/data:ro"] },
      },
    );
    assert.equal(outcome.status, "succeeded", JSON.stringify([outcome, printed]));
    assert.deepEqual(outcome.outputs, { v: "7" });
    assert.equal(printed.stdout, `it's none *** set long text from the node\n${uid}\n`);
    assert.match(printed.stderr, /outside\n[^]*inside\n[^]*grid: in \w+, image \S*sha256:\w{64}/);
    assert.match(images.join(), /^\S*sha256:\w{64}$/);
    assert.equal(statSync(join(node.root, "made")).uid, account?.uid ?? 0);
    assert.equal(containers(), "");
  });

  await t.step("its own exit codes, and a start that failed as another class", async () => {
    for (
      const [script, code] of [["exit 7", 7], ["exit 125", 125], ["no-such-tool", 127]] as const
    ) {
      const { outcome } = await rig.run(script);
      assert.ok(outcome.status === "failed" && outcome.failure.started, script);
      assert.equal(outcome.failure.exitCode, code, script);
    }
    for (
      const [container, message, hint] of [
        [
          { options: ["--pull=never"], image: "localhost/nothing:1" },
          /ended with code 125 /,
          /the image is not there|by hand/,
        ],
        [{ options: ["--no-such-option"] }, /ended with code 125 /, /try it there by hand/],
        [{ volumes: ["/not/there:/x"] }, /no volume: \/not\/there is not there/, /grid doctor/],
      ] as const
    ) {
      const { outcome } = await rig.run("echo BEGAN", { container });
      assert.ok(outcome.status === "failed");
      assert.match(outcome.failure.message, /^Cannot start the container on "node1": /);
      assert.match(outcome.failure.message, message);
      assert.match(outcome.failure.hint ?? "", hint);
      assert.deepEqual([outcome.failure.started, outcome.failure.exitCode], [false, undefined]);
    }
    const line = (await rig.run("echo BEGAN", { before: ["false"] })).outcome;
    assert.ok(line.status === "failed" && /did not begin: false$/.test(line.failure.message));
    assert.equal(containers(), "");
  });

  await t.step("told to end, it is told once, and what does not obey its engine ends", async () => {
    for (
      const [script, said] of [
        [SAVES, "up\ntold 1\nsaved\n"],
        ["trap '' TERM; echo up; sleep 97; sleep 98", "up\n"],
      ] as const
    ) {
      const stop = new AbortController();
      const running = rig.run(script, { stop: stop.signal });
      await isUp();
      stop.abort(new GridError({ code: "interrupted", message: "enough" }));
      const { outcome, printed } = await running;
      assert.ok(outcome.status === "failed");
      assert.equal(outcome.aftermath, `0 survivors (processes, ${engine.name})`);
      assert.equal(printed.stdout, said);
      assert.equal(containers(), "");
    }
  });

  await t.step("it outlives its node's connection, and is heard to its end", async () => {
    const running = rig.run("echo up; sleep 2; echo done");
    await isUp();
    await rig.sshd.killDaemon();
    await rig.sshd.start();
    const { outcome, printed } = await running;
    assert.equal(outcome.status, "succeeded", JSON.stringify(outcome));
    assert.equal(printed.stdout, "up\ndone\n");
  });

  await t.step("a container that the command starts itself is no secret", async () => {
    const stop = new AbortController();
    const { name } = engine;
    const running = rig.run(`${name} run -d ${IMAGE} sleep 97; sleep 97`, {
      isPlain: true,
      stop: stop.signal,
    });
    await waitFor(() => containers() !== "");
    stop.abort(new GridError({ code: "interrupted", message: "enough" }));
    const { outcome } = await running;
    assert.ok(outcome.status === "failed");
    assert.equal(outcome.aftermath, `no process is left; a container may still run: ${name}`);
    engine.ask("kill", containers());
    engine.ask("rm", "-f", containers());
  });

  await t.step(
    "client and shell killed, its keeper ends it, but not what starts under its name",
    async () => {
      const running = rig.run("echo up; sleep 97", { secrets: { TOKEN: "a-secret-word" } });
      const job = await isUp();
      const lines = commandLines();
      assert.ok(lines.some((line) => line.includes(`grid.job=${job}`)));
      assert.ok(!lines.some((line) => line.includes("a-secret-word")));
      killAll(job);
      const { outcome } = await running;
      assert.equal(outcome.status, "failed");
      // As a later runner does that the node does not know the job of any more.
      const jobs = join(node.root, ".grid/jobs");
      for (
        const { name } of [...Deno.readDirSync(jobs)].filter(({ name }) => name.startsWith(job))
      ) {
        Deno.removeSync(join(jobs, name));
      }
      const again = await rig.run("sleep 3; echo done", { resumeJob: { job, node: "node1" } });
      assert.equal(again.outcome.status, "succeeded", JSON.stringify(again));
      assert.equal(containers(), "");
      const asked = await endContainers(node.transport, { ...node, id: job });
      assert.deepEqual(asked.left, []);
    },
  );
}

/** The test ends here where the machine forbids it, in the engine's words. */
async function isRefused(
  t: Deno.TestContext,
  { name, refusal }: ContainerEngine,
): Promise<boolean> {
  if (refusal === undefined) return false;
  await t.step({
    name: `${name} cannot start a container on this machine: ${refusal.slice(0, 300)}`,
    ignore: true,
    fn: () => {},
  });
  return true;
}

const PARTS = ["root", "sshd", "busybox-static"] as const;

testWith([...PARTS, "podman"], "containers of podman as root", async (t) => {
  await using engine = await openPodman();
  if (await isRefused(t, engine)) return;
  await using rig = await openRig(engine);
  await holdContract(t, rig);
});

testWith(
  [...PARTS, "podman", "uidmap", "account"],
  "containers of podman as an account without rights",
  async (t) => {
    const account = findAccount();
    await using engine = await openPodman(account);
    if (await isRefused(t, engine)) return;
    await using rig = await openRig(engine, account);
    await holdContract(t, rig, account);
  },
);

testWith([...PARTS, "docker", "account"], "containers of docker", async (t) => {
  await using engine = await openDocker();
  if (await isRefused(t, engine)) return;
  await using rig = await openRig(engine);
  await holdContract(t, rig);
  await t.step(
    "who may not use its daemon, and where there is none, is told what to do",
    async () => {
      const gone = await rig.run("echo BEGAN", {
        env: { DOCKER_HOST: `unix://${rig.node.root}/nowhere` },
      });
      assert.ok(gone.outcome.status === "failed");
      assert.match(gone.outcome.failure.hint ?? "", /systemctl start docker/);
      await using others = await openRig(engine, findAccount());
      const { outcome } = await others.run("echo BEGAN");
      assert.ok(outcome.status === "failed");
      assert.match(outcome.failure.message, /permission denied/);
      assert.match(outcome.failure.hint ?? "", /usermod -aG docker/);
    },
  );
});

/** The job's own shell and the engine's client, at once. */
function killAll(job: string): void {
  for (const { pid } of processesWith(`GRID_JOB=${job}`)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch { /* it has just ended */ }
  }
}

function commandLines(): readonly string[] {
  const pids = [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name));
  return pids.map(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`);
    } catch {
      return "";
    }
  });
}
