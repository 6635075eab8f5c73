import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { parseJson, pythonJson } from "../../../src/core/exact_json.ts";
import { readRayLogs } from "../../../src/ray/ray_logs.ts";
import { createBatchRunner } from "../../../src/ray/runner.ts";
import { parseTaskFile } from "../../../src/steps/ray_tasks.ts";
import { batchNames } from "../../../src/steps/ray_batch.ts";
import { ALIKE, ALIKE_STEPS } from "../../support/alike.ts";
import { EXIT_CODE_WORK, EXIT_CODES, FAILING_COMMANDS } from "../../support/exit_code_work.ts";
import type { BatchResults } from "../../support/batch_results.ts";
import { asPython, fitsPython, jsonText } from "../../support/json_texts.ts";
import { allProcesses } from "../../support/processes.ts";
import { RayLab, until } from "../../support/ray_lab.ts";
import { findRayVenv, testWith } from "../../support/requires.ts";
import { writeProgram } from "../../support/program_file.ts";

/** Values that go round; 10,000 by hand. */
const VALUES = Number(Deno.env.get("GRID_TEST_VALUES") ?? 200);

/** Tasks that print 4,000 lines each; 100 by hand. */
const CHATTY = Number(Deno.env.get("GRID_TEST_CHATTY") ?? 30);

const WORK = `
import os, subprocess, sys, time

def where(task):
    time.sleep(0.2)
    return {"task": task, "node": os.environ["GRID_NODE"], "folder": os.getcwd()}

def fragile(task):
    print("at", task, flush=True)
    if task == 0:
        assert sys.stdin.read() == ""
        sys.stdout = None
    if task == 1:
        sys.stdout.close()
    if task == 3:
        raise ValueError("boom")
    if task == 5:
        os._exit(9)
    return task

def sleepy(task):
    if task > 0:
        open("asleep-%d" % task, "w").close()
        time.sleep(300)
    return task

def hold(task):
    if task > 0:
        return sleepy(task)
    import ray
    class Keeper:
        def ping(self):
            return task
    made = ray.remote(Keeper).options(name="keeper", lifetime="detached", num_cpus=0.5, num_gpus=1).remote()
    return ray.get(made.ping.remote())

def gpu(task):
    time.sleep(0.2)
    return [os.environ["GRID_NODE"], os.environ["CUDA_VISIBLE_DEVICES"], os.getpid()]

def secret(task):
    return [os.environ["TOKEN"], os.environ["PLAIN"], os.environ.get("RAY_AUTH_TOKEN")]

def runaway(task):
    subprocess.Popen(["sh", "-c", "sleep 4343 & sleep 4344; wait"], start_new_session=True)
    subprocess.Popen(["sleep", "4345"])
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(4346)
        os._exit(0)
    open("ran-%d" % task, "w").close()
    time.sleep(0 if task < 10 else 300)
    return task

def many(task):
    """Several functions in one batch: a driver of its own for each would take longer than they do."""
    return globals()[task["call"]](task["with"])

def chatty(task):
    for line in range(4000):
        print("%d line %d" % (task, line))
    print("%d END" % task, file=sys.stderr, flush=True)
    return task

def exact(task):
    return [task, 2**200, -0.0, float("nan"), 1.0, b"\\x00\\xff"]

def same(task):
    return task

def env(task):
    return os.environ["M"]
${EXIT_CODE_WORK}`;

testWith(["ray", "sshd"], "a managed Ray over OpenSSH, from start to stop", async (t) => {
  await using lab = await RayLab.start({ work: WORK, declaredGpus: 2 });
  const [, worker] = lab.nodes;
  assert.ok(worker);

  await t.step(
    "start() brings up what it can with token auth, also where two start, and adds the rest",
    async () => {
      // One of them has no Ray yet.
      const environment = join(worker.root, "grid_env");
      Deno.renameSync(environment, `${environment}.away`);
      const [early, second] = await Promise.all([lab.start(), lab.start()]);
      assert.deepEqual(early.map(({ state }) => state), ["alive", "failed"]);
      assert.deepEqual(second, early);
      assert.match(
        early[1]?.reason ?? "",
        /^Cannot start Ray on node2: no working Ray in .*grid_env/,
      );
      assert.equal(early[1]?.hint, "grid setup");
      Deno.renameSync(`${environment}.away`, environment);
      const status = await lab.start();
      const servers = allProcesses().filter(({ command }) =>
        /\/gcs_server /.test(command) && command.includes(String(lab.config.gcsPort))
      );
      assert.equal(servers.length, 1);
      assert.deepEqual(
        status.map(({ node, role, state, address, reason }) => ({
          node,
          role,
          state,
          address,
          reason,
        })),
        [
          { node: "node1", role: "head", state: "alive", address: "127.0.0.2", reason: undefined },
          {
            node: "node2",
            role: "worker",
            state: "alive",
            address: "127.0.0.3",
            reason: undefined,
          },
        ],
      );
      const token = join(lab.head.root, ".grid", "ray", "token");
      assert.equal((Deno.statSync(token).mode ?? 0) & 0o777, 0o600);
      const words = Deno.readTextFileSync(token).trim();
      assert.match(words, /^[0-9a-f]{64}$/);
      assert.ok(allProcesses().every(({ command }) => !command.includes(words)));
    },
  );

  const isServer = ({ command }: { readonly command: string }) =>
    /\/gcs_server /.test(command) && command.includes(String(lab.config.gcsPort));

  await t.step("start() again changes nothing", async () => {
    const raylets = () => {
      const found = allProcesses().filter(({ command }) =>
        /\/raylet /.test(command) && command.includes(String(lab.config.gcsPort))
      );
      // A process that it starts is its fork for a moment.
      const isFork = (parent: number) => found.some(({ pid }) => pid === parent);
      return found.filter(({ parent }) => !isFork(parent)).map(({ pid }) => pid).toSorted();
    };
    const before = raylets();
    assert.equal(before.length, 2);
    assert.ok((await lab.start()).every(({ state }) => state === "alive"));
    assert.deepEqual(raylets(), before);
  });

  await t.step("start() of one node joins it to the head, and makes no second one", async () => {
    const joined = await lab.start({ nodes: [worker] });
    assert.deepEqual(joined.map(({ node, state }) => [node, state]), [["node2", "alive"]]);
    await assert.rejects(lab.start({ nodes: [worker], headName: "node2" }), {
      code: "ray",
      message: "Cannot start Ray on node2: node1 carries the head of a cluster that runs",
      hint: /^ray\.head: node1 keeps it/,
    });
  });

  // None of them minds the others.
  const together = new Together();

  together.add("a stranger without the token gets nothing", async () => {
    const { code, stderr } = await new Deno.Command(join(findRayVenv() ?? "", "bin", "python"), {
      args: [
        "-c",
        `import ray; ray.init(address="127.0.0.2:${lab.config.gcsPort}", _node_ip_address="127.0.0.2")`,
      ],
      env: { RAY_AUTH_MODE: "token", RAY_AUTH_TOKEN: "0".repeat(64) },
    }).output();
    assert.notEqual(code, 0);
    assert.match(new TextDecoder().decode(stderr), /auth|token/i);
  });

  together.add("a batch uses both nodes, each in its own folder", async () => {
    const progress: number[] = [];
    // On a busy machine one node may have begun long before the other.
    const tasks = Array.from({ length: 48 }, (_, index) => index);
    const { results, failed } = await lab.run({ tasks }, {
      progress: ({ done }) => progress.push(done),
    });
    assert.equal(failed, 0);
    const values = results.map((result) => result.ok ? result.value : undefined);
    const places = values as unknown as { task: number; node: string; folder: string }[];
    assert.deepEqual(places.map(({ task }) => task), tasks);
    assert.deepEqual(new Set(places.map(({ node }) => node)), new Set(["node1", "node2"]));
    for (const { node, folder } of places) {
      const root = lab.nodes.find((other) => other.node.name === node)?.root ?? "";
      assert.equal(folder, join(root, "code"));
    }
    assert.deepEqual(progress, progress.toSorted((a, b) => a - b));
    assert.equal(progress.at(-1), tasks.length);
  });

  together.add("a failing item and a crashing worker lose only themselves", async () => {
    let output = "";
    const { results, failed } = await lab.run({ target: { call: "work:fragile" }, batchSize: 4 }, {
      output: (_, bytes) => void (output += new TextDecoder().decode(bytes)),
    });
    assert.equal(failed, 2);
    const good = results.flatMap((result) => result.ok ? [result.value] : []);
    assert.deepEqual(good, [0, 1, 2, 4, 6, 7]);
    const [third, fifth] = [results[3], results[5]];
    assert.match(third?.ok === false ? third.error : "", /^ValueError: boom\n.*in fragile/s);
    assert.match(fifth?.ok === false ? fifth.error : "", /WorkerCrashedError/);
    for (let task = 0; task < 8; task++) {
      assert.ok(output.includes(`[${task}] at ${task}\n`), output);
    }
    assert.match(output, /^\[3\] failed: ValueError: boom$/m);
    assert.ok(!output.includes("grid-batch:"));
  });

  const texts = fc.sample(jsonText({ finite: true }), VALUES);
  const exact = ["9007199254740993", '{"id": 18446744073709551616}', "3.10"];
  const tasksOf = (lines: readonly string[]) =>
    parseTaskFile(lines.join("\n"), "t.jsonl").map(parseJson);
  const textsOf = (results: BatchResults["results"]) =>
    results.map((result) => result.ok ? pythonJson(result.value) : result.error);

  together.add("through functions: exit codes as without Ray, exact values, secrets", async () => {
    const fitting = texts.filter(fitsPython);
    const call = (name: string, values: readonly string[]) =>
      values.map((value) => `{"call": "${name}", "with": ${value}}`);
    const { results } = await lab.run({
      target: { call: "work:many" },
      tasks: tasksOf([
        ...call("exit_codes", ["0", "1", "2"]),
        ...call("secret", ["0"]),
        ...call("exact", exact),
        ...call("same", fitting),
      ]),
      batchSize: "auto",
      env: { PLAIN: "plain" },
      secrets: { TOKEN: "planted-secret" },
    });
    assert.deepEqual(results.slice(0, 3), Array(3).fill({ ok: true, value: EXIT_CODES }));
    assert.deepEqual(results[3], { ok: true, value: ["planted-secret", "plain", null] });
    const rest = `${2n ** 200n},-0.0,NaN,1.0,"AP8="]`;
    assert.deepEqual(textsOf(results.slice(4, 7)), [
      `[9007199254740993,${rest}`,
      `[{"id":18446744073709551616},${rest}`,
      `[3.1,${rest}`,
    ]);
    assert.deepEqual(textsOf(results.slice(7)).map(asPython), fitting.map(asPython));
    const { code } = await new Deno.Command("grep", {
      args: ["-rlE", "planted-secret", join(lab.head.root, ".grid"), "--include=*.json"],
    }).output();
    assert.equal(code, 1);
  });

  together.add("through commands: what fails fails its task, exact values", async () => {
    const lists = texts.map((text) => `[${text}]`);
    const run = FAILING_COMMANDS.map(([command]) => JSON.stringify(`run: ${command}`));
    const { results } = await lab.run({
      target: {
        command: 'case $GRID_TASK in "run: "*) eval "${GRID_TASK#run: }" ;; ' +
          `*) printf '%s' "$GRID_TASK" ;; esac`,
      },
      tasks: tasksOf([...run, ...exact, ...lists]),
      batchSize: "auto",
    });
    FAILING_COMMANDS.forEach(([, words], index) => {
      const result = results[index];
      assert.match(result?.ok === false ? result.error : "", words);
    });
    assert.deepEqual(textsOf(results.slice(run.length)), [
      ...["9007199254740993", '{"id":18446744073709551616}', "3.10"],
      ...lists,
    ]);
  });

  together.add("cells that are spelled alike have results of their own", async () => {
    // Of two kinds; all of them by hand.
    const isLarge = Deno.env.has("GRID_TEST_ROUNDS");
    const names = isLarge ? ALIKE : ALIKE.filter((_, at) => [0, 1, 5, 6].includes(at));
    const steps = [
      ...names.map((name) => ({ name, step: `s[m=${name}]` })),
      ...(isLarge ? ALIKE_STEPS : []).map((name) => ({ name, step: name })),
    ];
    const outcomes = await Promise.all(steps.map(({ name, step }) =>
      lab.run({
        target: { call: "work:env" },
        tasks: [1],
        env: { M: name },
        ...batchNames({ run: "r1", pipeline: "p", step, attempt: 1, resumeJob: undefined }),
      })
    ));
    assert.deepEqual(
      outcomes.map(({ results: [result] }) => result),
      steps.map(({ name }) => ({ ok: true, value: name })),
    );
  });

  together.add("a demand that no node can meet is refused at once", async () => {
    await assert.rejects(lab.run({ gpusPerBatch: 3 }), {
      code: "ray",
      message: /each asks for 1 CPUs and 3 GPUs, but no node of the Ray cluster has that much/,
    });
  });

  await together.run(t);

  await t.step("every line of every task comes, in order", async () => {
    const tasks = Array.from({ length: CHATTY }, (_, index) => index);
    let text = "";
    const decoder = new TextDecoder();
    await lab.run({ target: { call: "work:chatty" }, tasks, batchSize: "auto" }, {
      output: (_, bytes) => void (text += decoder.decode(bytes, { stream: true })),
    });
    const lines = text.split("\n");
    for (const task of tasks) {
      const own = lines.filter((line) => line.startsWith(`[${task}] `));
      assert.deepEqual(
        own.filter((line) => !line.endsWith("END")),
        Array.from({ length: 4000 }, (_, line) => `[${task}] ${task} line ${line}`),
      );
      assert.ok(own.includes(`[${task}] ${task} END`));
    }
  });

  const runaways = () =>
    allProcesses().filter(({ command }) =>
      /^sleep 434[345]$/.test(command) || command.startsWith("ray::ray_batch")
    );
  const forks = () =>
    allProcesses().filter(({ pid }) => {
      try {
        return Deno.readTextFileSync(`/proc/${pid}/comm`).startsWith("grid-");
      } catch {
        return false;
      }
    });

  await t.step(
    "what tasks leave running ends with the batch, in sessions of its own, too",
    async () => {
      let output = "";
      const { failed } = await lab.run({ target: { call: "work:runaway" }, tasks: [1, 2, 3] }, {
        output: (_, bytes) => void (output += new TextDecoder().decode(bytes)),
      });
      assert.equal(failed, 0);
      // Which of the nodes it was is Ray's choice.
      assert.match(output, /grid: ended \d+ process\w* that tasks had left running on node\d/);
      assert.deepEqual(runaways().filter(({ command }) => command.startsWith("sleep")), []);
      assert.deepEqual(forks(), []);
    },
  );

  await t.step("a driver that has loaded Ray while a sync ran takes the batch over", async () => {
    await using runner = createBatchRunner(lab.config);
    const start = { resultsKey: "ahead", env: { M: "1" }, secrets: {} };
    const id = `run.ahead${lab.tag}`;
    await runner.prepare?.(lab.head, { ...start, id });
    const jobs: string[] = [];
    const { results } = await lab.run({
      ...start,
      id: "run.ahead",
      target: { call: "work:env" },
      tasks: [1, 2],
    }, { runner, jobStarted: ({ job }) => void jobs.push(job) });
    assert.deepEqual(jobs, [`${id}-ahead`]);
    assert.deepEqual(results.map((result) => result.ok && result.value), ["1", "1"]);
  });

  await t.step("cancel ends what tasks have started; a rerun skips what was done", async () => {
    const controller = new AbortController();
    const resultsKey = "run.cancelled";
    const fields = { target: { call: "work:runaway" }, tasks: [9, 11, 12, 13], resultsKey };
    let isFirstDone = false;
    const running = lab.run(fields, {
      signal: controller.signal,
      progress: ({ done }) => void (isFirstDone ||= done === 1),
    });
    const marks = lab.nodes.map(({ root }) => join(root, "code", "ran-11"));
    await until(
      () => isFirstDone && marks.some((mark) => existsSync(mark)),
      "the tasks did not start",
    );
    controller.abort(new Error("enough"));
    await assert.rejects(running, { message: "enough" });
    await until(() => runaways().length === 0, "something survives");
    assert.deepEqual(forks(), []);
    const counts: number[] = [];
    const again = new AbortController();
    const rerun = lab.run(fields, {
      signal: again.signal,
      progress: ({ done }) => {
        counts.push(done);
        again.abort(new Error("seen"));
      },
    });
    await assert.rejects(rerun, { message: "seen" });
    assert.deepEqual(counts, [1]);
    await until(() => runaways().length === 0, "a cancelled task still runs");
  });

  await t.step("GPU batches get a GPU each and keep their processes", async () => {
    const tasks = Array.from({ length: 24 }, (_, index) => index);
    const { results } = await lab.run({
      target: { call: "work:gpu" },
      tasks,
      gpusPerBatch: 1,
      cpusPerBatch: 0,
    });
    const places = results.map((result) => result.ok ? result.value : null) as unknown as [
      string,
      string,
      number,
    ][];
    assert.deepEqual(
      new Set(places.map(([node, gpu]) => `${node} ${gpu}`)),
      new Set(["node1 0", "node1 1", "node2 0", "node2 1"]),
    );
    // Ray's own default ends the process after every task that has a GPU.
    const processes = new Set(places.map(([node, , pid]) => `${node} ${pid}`));
    assert.ok(processes.size <= 12, `${processes.size} processes for ${tasks.length} batches`);
  });

  await t.step("status() shows what is given out, and who holds it", async () => {
    const controller = new AbortController();
    const running = lab.run({
      id: "holding",
      target: { call: "work:hold" },
      tasks: [0, 51],
      gpusPerBatch: 1,
    }, { signal: controller.signal });
    const look = async () => {
      const { nodes, holders } = await lab.cluster.status(lab);
      const used = nodes.reduce((sum, { gpusUsed = 0 }) => sum + gpusUsed, 0);
      return { nodes, holders, used };
    };
    await until(async () => {
      const { holders, used } = await look();
      return used === 2 &&
        holders.some(({ name, gpus }) => name === `holding${lab.tag}` && gpus === 1);
    }, "the GPUs are not told to be in use");
    const { nodes, holders } = await look();
    for (const { state, cpus, gpus, memory } of nodes) {
      assert.deepEqual([state, gpus], ["alive", 2]);
      assert.ok(cpus !== undefined && cpus > 0 && memory && memory.usedBytes < memory.totalBytes);
    }
    const shown = holders.map((
      { kind, name, cpus, gpus, nodes },
    ) => [kind, name, cpus, gpus, nodes.length]);
    assert.deepEqual(shown.toSorted(), [
      ["actor", "keeper", 0.5, 1, 1],
      ["job", `holding${lab.tag}`, 1, 1, 1],
    ]);
    controller.abort(new Error("seen"));
    await assert.rejects(running, { message: "seen" });
    // The actor's stays its own.
    await until(async () => (await look()).used === 1, "the GPU is not free again");
  });

  await t.step("status() names a node whose Ray died", async () => {
    const [raylet] = allProcesses().filter(({ command }) =>
      /\/raylet /.test(command) && command.includes("--node_ip_address=127.0.0.3") &&
      command.includes(String(lab.config.gcsPort))
    );
    assert.ok(raylet);
    Deno.kill(raylet.pid, "SIGKILL");
    await until(
      async () => (await lab.cluster.status(lab)).nodes[1]?.state === "dead",
      "still alive",
    );
  });

  await t.step("start() mends the worker, and leaves the head alone", async () => {
    const server = allProcesses().find(isServer);
    const status = await lab.start();
    assert.deepEqual(status.map(({ state }) => state), ["alive", "alive"]);
    assert.equal(allProcesses().find(isServer)?.pid, server?.pid);
  });

  await t.step("a lost head is named by batch and status, and start() mends it", async () => {
    const controller = new AbortController();
    const signal = AbortSignal.any([lab.signal, controller.signal]);
    const running = lab.run({ target: { call: "work:sleepy" }, tasks: [41] }, { signal });
    const marks = lab.nodes.map(({ root }) => join(root, "code", "asleep-41"));
    await until(() => marks.some((mark) => existsSync(mark)), "the task did not start");
    const server = allProcesses().find(isServer);
    assert.ok(server);
    Deno.kill(server.pid, "SIGKILL");
    await assert.rejects(running, {
      code: "ray",
      message:
        `Cannot finish the batch: the head of Ray at 127.0.0.2:${lab.config.gcsPort} is gone`,
      hint: /grid cluster start/,
    });
    const { nodes: status } = await lab.cluster.status(lab);
    assert.deepEqual(status.map(({ state }) => state), ["dead", "dead"]);
    assert.deepEqual((await lab.start()).map(({ state }) => state), ["alive", "alive"]);
  });

  await using other = await RayLab.start({ nodes: 1, host: "127.0.0.9", work: WORK });
  await t.step("start() tries once more, and finds a Ray that hides exit codes", async () => {
    const { head } = other;
    const environment = join(head.root, "grid_env");
    const real = Deno.realPathSync(environment);
    Deno.removeSync(environment);
    Deno.mkdirSync(join(environment, "bin"), { recursive: true });
    Deno.symlinkSync(join(real, "bin", "python3"), join(environment, "bin", "python3"));
    Deno.copyFileSync(join(real, "pyvenv.cfg"), join(environment, "pyvenv.cfg"));
    Deno.symlinkSync(join(real, "lib"), join(environment, "lib"));
    const slow = `#!/bin/sh
export RAY_kill_child_processes_on_worker_exit_with_raylet_subreaper=true
mkdir "${head.root}/tried" || { "${real}/bin/ray" "$@"; echo "not known to the GCS in time"; exit 1; }
ln -s /bin/sleep "${head.root}/gcs_server"
"${head.root}/gcs_server" 4347 &
echo "whatever Ray says of it"
exit 1
`;
    writeProgram(join(environment, "bin", "ray"), slow);
    const status = await other.start();
    assert.deepEqual(status.map(({ state }) => state), ["failed"]);
    assert.match(status[0]?.reason ?? "", /exit code 3 is said there to end with 0, so failures/);
    assert.ok(Deno.statSync(join(head.root, "tried")).isDirectory);
  });

  await t.step("stop() leaves nothing, and another Ray of the same account alone", async () => {
    const temporary = lab.temporaryFolders();
    for (const folder of temporary) assert.ok(Deno.statSync(folder).isDirectory);
    assert.notDeepEqual(lab.leftovers(), []);
    const status = await lab.cluster.stop(lab);
    assert.deepEqual(status.map(({ state }) => state), ["stopped", "stopped"]);
    assert.deepEqual(await lab.stayers(), []);
    for (const folder of temporary) assert.throws(() => Deno.statSync(folder));
    using _free = Deno.listen({ hostname: "127.0.0.2", port: lab.config.gcsPort });
    for (const { root } of lab.nodes) {
      assert.throws(() => Deno.statSync(join(root, ".grid", "ray")));
    }
    // Its exit codes are right in batches all the same.
    const { results } = await other.run({ target: { call: "work:exit_codes" }, tasks: [0] });
    assert.deepEqual(results, [{ ok: true, value: EXIT_CODES }]);
  });

  await t.step("logs outlive the cluster", async () => {
    const [logs] = await Promise.all(
      lab.nodes.map((node) => readRayLogs(node, { file: undefined, lines: 3, signal: lab.signal })),
    );
    assert.equal(logs?.from, "kept");
    const names = logs?.files.map(({ name }) => name) ?? [];
    for (const name of ["start.log", "raylet.out", "gcs_server.out"]) {
      assert.ok(names.includes(name));
    }
    assert.ok(logs?.files.every(({ text }) => text.split("\n").length <= 3));
    const [kept] = Deno.readDirSync(join(lab.head.root, ".grid", "ray-logs"));
    assert.equal((Deno.statSync(dirname(logs?.folder ?? "")).mode ?? 0) & 0o777, 0o700);
    assert.ok(kept);
  });

  await t.step("start() of a worker alone founds no cluster", async () => {
    await assert.rejects(lab.start({ nodes: [worker] }), {
      code: "ray",
      message: "Cannot start Ray on node2: the head node1 is not running",
      hint: /^grid cluster start --nodes node1,node2 starts it, too/,
    });
    assert.deepEqual(await lab.stayers(), []);
  });

  await t.step("a batch without Ray says how to start it", async () => {
    await assert.rejects(lab.run({}), {
      code: "ray",
      message: "Cannot run the batch on node1: no Ray of ours is running there",
      hint: "grid cluster start",
    });
  });

  await t.step("start() on a taken port names it", async () => {
    using _taken = Deno.listen({ hostname: "0.0.0.0", port: lab.config.gcsPort });
    await assert.rejects(lab.start(), {
      code: "ray",
      message: `Cannot start Ray on node1: somebody else uses port ${lab.config.gcsPort} there`,
      hint: /ray\.redis_port sets another one/,
    });
    assert.deepEqual(await lab.stayers(), []);
    assert.throws(() => Deno.statSync(join(lab.head.root, ".grid", "ray")));
  });
});

/** Steps that run at once; each is told of by itself. What they leave open the whole test minds. */
class Together {
  readonly #steps: { readonly name: string; readonly fn: () => Promise<void> }[] = [];

  add(name: string, fn: () => Promise<void>): void {
    this.#steps.push({ name, fn });
  }

  async run(t: Deno.TestContext): Promise<void> {
    const all = this.#steps.map(({ name, fn }) => ({ name, end: fn() }));
    await Promise.allSettled(all.map(({ end }) => end));
    for (const { name, end } of all) await t.step(name, () => end);
  }
}
