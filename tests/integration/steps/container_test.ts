/** Commands in containers of a real podman, as root and as an account without rights. */
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { StepRequest } from "../../../src/engine/ports.ts";
import { GridError } from "../../../src/core/errors.ts";
import type { Container, RunAction } from "../../../src/pipeline/pipeline.ts";
import { endContainers } from "../../../src/steps/container_job.ts";
import { createRunStep } from "../../../src/steps/run.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { waitFor } from "../../support/job_contract.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { processesWith } from "../../support/processes.ts";
import { type Account, findAccount, findProgram } from "../../support/requires.ts";
import { recordHost, stepRequest } from "../../support/step_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

const BUSYBOX = "/opt/grid-busybox-static/bin/busybox";
const IMAGE = "localhost/grid-test:1";
const TOOLS = "sh cat id ls echo sleep touch true test head stat env".split(" ");
/** Debian: podman runc catatonit. Not every machine can start it. */
const isThere = Deno.uid() === 0 && existsSync(BUSYBOX) &&
  ["podman", "runc", "catatonit"].every((name) => findProgram(name)) && findProgram("sshd");

/** A storage of our own with one image, and what tells podman of it: it works without systemd and network. */
function openPodman(account?: Account) {
  const folder = tempDir();
  const path = (name: string) => join(folder.path, name);
  for (const name of ["", "store", "xdg"]) {
    Deno.mkdirSync(path(name), { recursive: true });
    if (account) Deno.chownSync(path(name), account.uid, account.gid);
  }
  Deno.chmodSync(path("xdg"), 0o700);
  Deno.mkdirSync(path("image/bin"), { recursive: true });
  for (const name of ["etc", "tmp", "proc", "dev"]) Deno.mkdirSync(path(`image/${name}`));
  Deno.copyFileSync(BUSYBOX, path("image/bin/busybox"));
  for (const name of TOOLS) Deno.symlinkSync("busybox", path(`image/bin/${name}`));
  Deno.writeTextFileSync(
    path("storage.conf"),
    `[storage]\ndriver = "vfs"\nrunroot = "${path("store/run")}"\ngraphroot = "${
      path("store/graph")
    }"\n`,
  );
  Deno.writeTextFileSync(
    path("containers.conf"),
    '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' +
      '[containers]\nnetns = "none"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n',
  );
  const env = {
    CONTAINERS_CONF: path("containers.conf"),
    CONTAINERS_STORAGE_CONF: path("storage.conf"),
    ...(account && { XDG_RUNTIME_DIR: path("xdg"), HOME: path("store") }),
  };
  const as = account && { uid: account.uid, gid: account.gid };
  const ask = (...args: string[]) => {
    const { stdout, stderr, success } = new Deno.Command("podman", {
      args,
      env,
      cwd: "/",
      ...as,
    }).outputSync();
    const said = new TextDecoder().decode(success ? stdout : stderr).trim();
    assert.ok(success, `podman ${args.join(" ")}: ${said}`);
    return said;
  };
  new Deno.Command("tar", { args: ["cf", path("image.tar"), "-C", path("image"), "."] })
    .outputSync();
  ask("import", "-q", path("image.tar"), IMAGE);
  return {
    env,
    ask,
    [Symbol.dispose]() {
      ask("rm", "-af", "-t", "0");
      ask("rmi", "-af");
      folder[Symbol.dispose]();
    },
  };
}

type Wish = Partial<StepRequest<RunAction<string>>> & {
  readonly container?: Partial<Container<string>>;
  readonly stop?: AbortSignal;
};

async function openRig(account?: Account) {
  const podman = openPodman(account);
  const lab = await startOpenSsh({ nodes: 1, gpus: 0, ...(account && { account }) });
  const [there] = lab.nodes;
  assert.ok(there);
  const { name, endpoint, root, home } = there;
  Deno.mkdirSync(root, { recursive: true });
  if (account) Deno.chownSync(root, account.uid, account.gid);
  const pool = createPool({ handshakes: 1 });
  const environment = {
    before: ["echo outside >&2"],
    env: { ...podman.env, ONLY: "here" },
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
    claim: () => Promise.resolve(""),
  };
  return {
    node,
    podman,
    async run(script: string, { container = {}, stop, ...wish }: Wish = {}) {
      await using step = createRunStep({ cluster });
      const recorded = recordHost();
      const host = stop ? { ...recorded, signal: stop } : recorded;
      const outcome = await step.run(
        stepRequest({
          killGraceMs: 3000,
          action: {
            kind: "run",
            run: script,
            container: {
              image: IMAGE,
              engine: "podman",
              gpus: "auto",
              volumes: [],
              user: undefined,
              options: [],
              ...container,
            },
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
      podman[Symbol.dispose]();
    },
  };
}

Deno.test({
  name: "a command in a container of podman: what it finds, how it ends, and that nothing is left",
  ignore: !isThere,
  async fn(t) {
    await using rig = await openRig();
    const { podman, node } = rig;
    const containers = () => podman.ask("ps", "-a", "--format", "{{.Names}}");

    await t.step(
      "variables, files, folders and outputs",
      async () => {
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
        assert.equal(printed.stdout, "it's none *** set long text from the node\n0\n");
        assert.match(
          printed.stderr,
          /outside\n[^]*inside\n[^]*grid: in podman, image \S+@sha256:\w{64}/,
        );
        assert.match(images.join(), /^\S+@sha256:\w{64}$/);
        assert.equal(statSync(join(node.root, "made")).uid, 0);
        assert.equal(containers(), "");
      },
    );

    await t.step("its own exit code, and a start that failed as another class", async () => {
      const own = (await rig.run("exit 7")).outcome;
      assert.ok(own.status === "failed" && own.failure.exitCode === 7 && own.failure.started);
      const lacking = (await rig.run("no-such-tool")).outcome;
      assert.ok(lacking.status === "failed" && lacking.failure.exitCode === 127);
      for (
        const [container, message] of [
          [
            { options: ["--pull=never"], image: "localhost/nothing:1" },
            /podman ended with code 125 /,
          ],
          [{ options: ["--no-such-option"] }, /podman ended with code 125 /],
          [{ volumes: ["/not/there:/x"] }, /no volume: \/not\/there is not there/],
          [{ engine: "docker", image: "x" }, /no engine: none of docker|docker ended with code 1/],
        ] as const
      ) {
        const { outcome } = await rig.run("echo BEGAN", { container });
        assert.ok(outcome.status === "failed");
        assert.match(outcome.failure.message, /^Cannot start the container on "node1": /);
        assert.match(outcome.failure.message, message);
        assert.deepEqual([outcome.failure.started, outcome.failure.exitCode], [false, undefined]);
      }
      const line = (await rig.run("echo BEGAN", { before: ["false"] })).outcome;
      assert.ok(line.status === "failed" && /did not begin: false$/.test(line.failure.message));
      assert.equal(containers(), "");
    });

    await t.step(
      "told to end, it is told once, and what does not obey is ended by the engine",
      async () => {
        for (
          const [script, said] of [
            ["trap 'echo told; exit 9' TERM; echo up; while :; do sleep 0.1; done", "up\ntold\n"],
            ["trap '' TERM; echo up; sleep 97; sleep 98", "up\n"],
          ] as const
        ) {
          const stop = new AbortController();
          const running = rig.run(script, { stop: stop.signal });
          await waitFor(() => containers() !== "");
          await waitFor(() => podman.ask("logs", containers()).includes("up"));
          stop.abort(new GridError({ code: "interrupted", message: "enough" }));
          const { outcome, printed } = await running;
          assert.ok(outcome.status === "failed");
          assert.equal(outcome.aftermath, "0 survivors (processes, podman)");
          assert.equal(printed.stdout, said);
          assert.equal(containers(), "");
        }
      },
    );

    await t.step("client and shell killed, the container is ended by its keeper", async () => {
      const running = rig.run("echo up; sleep 97", { secrets: { TOKEN: "a-secret-word" } });
      await waitFor(() => containers() !== "");
      const job = containers();
      await waitFor(() => podman.ask("logs", job).includes("up"));
      const lines = commandLines();
      assert.ok(lines.some((line) => line.includes(`grid.job=${job}`)));
      assert.ok(!lines.some((line) => line.includes("a-secret-word")));
      killAll(job);
      const { outcome } = await running;
      assert.equal(outcome.status, "failed");
      await waitFor(() => containers() === "");
      // Who comes later asks about a job that is not known any more.
      const asked = await endContainers(node.transport, { ...node, id: job });
      assert.deepEqual(asked.left, []);
    });
  },
});

Deno.test({
  name:
    "a command in a container of an account without rights: its files are the account's, nothing is left",
  ignore: !isThere || !findProgram("newuidmap") || !findAccount(),
  async fn() {
    const account = findAccount();
    await using rig = await openRig(account);
    const containers = () => rig.podman.ask("ps", "-a", "--format", "{{.Names}}");
    const made = await rig.run('touch made; echo "v=$(id -u)" >>"$GRID_OUTPUT"');
    assert.deepEqual(
      made.outcome.status,
      "succeeded",
      JSON.stringify([made.outcome, made.printed]),
    );
    assert.ok(made.outcome.status === "succeeded" && made.outcome.outputs["v"] === "0");
    assert.equal(statSync(join(rig.node.root, "made")).uid, account?.uid);
    const stop = new AbortController();
    const running = rig.run("trap '' TERM; echo up; sleep 97; sleep 98", { stop: stop.signal });
    await waitFor(() => containers() !== "");
    await waitFor(() => rig.podman.ask("logs", containers()).includes("up"));
    stop.abort(new GridError({ code: "interrupted", message: "enough" }));
    const { outcome } = await running;
    assert.ok(
      outcome.status === "failed" && outcome.aftermath === "0 survivors (processes, podman)",
    );
    const killed = rig.run("echo up; sleep 97");
    await waitFor(() => containers() !== "");
    const job = containers();
    await waitFor(() => rig.podman.ask("logs", job).includes("up"));
    killAll(job);
    assert.equal((await killed).outcome.status, "failed");
    await waitFor(() => containers() === "");
  },
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
