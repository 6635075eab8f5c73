/** The launcher of a node's shell, below every shell that a node may have as its `/bin/sh`. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { attachJob, startJob } from "../../../../src/transport/job/job_start.ts";
import type { JobSpec } from "../../../../src/transport/job/job.ts";
import {
  awaitLauncher,
  type ContractNode,
  followAll,
  jobSpec,
  waitFor,
} from "../../../support/job_contract.ts";
import { type AccountNodeOptions, openAccountNode } from "../../../support/job_nodes.ts";
import { allProcesses, processesWith } from "../../../support/processes.ts";
import { type Part, testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { writeProgram } from "../../../support/program_file.ts";

const SHELLS: readonly (readonly [Part, ...string[]])[] = [
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "ash"],
];

/** What the command printed; its end must be a good one. */
async function printed(
  node: ContractNode,
  spec: Partial<JobSpec> & { command: string },
): Promise<string> {
  const job = await startJob(node.transport, jobSpec(node, spec));
  const { exit, stdout, stderr } = await followAll(job);
  await job.remove();
  assert.deepEqual({ exit, stderr }, { exit: { kind: "code", code: 0 }, stderr: "" });
  return stdout;
}

/** The process that supervises a running job. */
async function supervisorOf(node: ContractNode, id: string): Promise<number> {
  let found = 0;
  await waitFor(() => {
    const state = Deno.readTextFileSync(`${node.root}/.grid/jobs/${id}.state`);
    found = Number(/^supervisor (\d+)/m.exec(state)?.[1] ?? 0);
    return found > 0;
  });
  return found;
}

function isThere(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

for (const shell of SHELLS) {
  const test = (title: string, run: (options: AccountNodeOptions, mark: string) => Promise<void>) =>
    testWith([shell[0], "perl"], `launcher below ${shell.join(" ")}: ${title}`, async () => {
      const mark = crypto.randomUUID();
      await run({ shell, env: { GRID_TEST_MARK: mark } }, `GRID_TEST_MARK=${mark}`);
    });

  test("it leaves together with the shell whose jobs have ended", async (options, mark) => {
    for (let round = 0; round < 4; round++) {
      await using node = await openAccountNode(options);
      await awaitLauncher(node);
      await Promise.all(Array.from({ length: 20 }, () => printed(node, { command: "sleep 0.1" })));
      await node.transport[Symbol.asyncDispose]();
      assert.deepEqual(processesWith(mark), []);
      assert.deepEqual([...Deno.readDirSync(`${node.root}/.grid/jobs`)], []);
    }
  });

  test("who asks it to leave is heeded at once, when its jobs have ended", async (options) => {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      await using node = await openAccountNode(options);
      await awaitLauncher(node);
      const command = "until [ -e go ]; do sleep 0.05; done; echo done";
      const job = await startJob(node.transport, jobSpec(node, { command }));
      const launcher = await supervisorOf(node, job.id);
      Deno.kill(launcher, signal);
      Deno.writeTextFileSync(`${node.root}/go`, "");
      assert.equal((await followAll(job)).stdout, "done\n");
      await waitFor(() => !isThere(launcher));
    }
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const job = await startJob(node.transport, jobSpec(node, { command: "sleep 0.1" }));
    const launcher = await supervisorOf(node, job.id);
    await followAll(job);
    // It looks after its shell long after this has ended.
    const shorter = new Deno.Command("sleep", { args: ["8"] }).spawn();
    Deno.kill(launcher, "SIGTERM");
    await waitFor(() => !isThere(launcher));
    assert.ok(isThere(shorter.pid), "it took its time");
    shorter.kill();
    await shorter.status;
  });

  test("it sees a detached job to its end, and leaves then", async (options, mark) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const spec = jobSpec(node, {
      command: "while [ ! -e go ]; do sleep 0.05; done; echo done; exit 3",
      detach: true,
    });
    await startJob(node.transport, spec);
    await supervisorOf(node, spec.id);
    await node.transport[Symbol.asyncDispose]();
    Deno.writeTextFileSync(`${node.root}/go`, "");
    await waitFor(() => processesWith(mark).length === 0);
    await using again = await openAccountNode({ ...options, folder: node.root });
    const job = await attachJob(again.transport, spec);
    assert.ok(job);
    assert.deepEqual(await followAll(job), {
      exit: { kind: "code", code: 3 },
      stdout: "done\n",
      stderr: "",
    });
  });

  test("the jobs of a shell that is killed end by their lease", async (options, mark) => {
    await using node = await openAccountNode(options);
    const leaseMs = 2400;
    await awaitLauncher(node, { leaseMs });
    const spec = jobSpec(node, { command: "setsid sleep 1000 & sleep 1000", leaseMs });
    await startJob(node.transport, spec);
    await supervisorOf(node, spec.id);
    const { stdout } = await node.transport.exec("echo $$");
    Deno.kill(Number(stdout), "SIGKILL");
    await waitFor(() => processesWith(mark).length === 0);
    await using again = await openAccountNode({ ...options, folder: node.root });
    const job = await attachJob(again.transport, spec);
    assert.ok(job);
    const end = { kind: "signal", signal: "SIGTERM", by: "lease" };
    assert.deepEqual((await followAll(job)).exit, end);
  });

  test("a shell that is ready runs a job like one that is started for it", async (options) => {
    const look = async (node: ContractNode) => {
      const command = `grep -qz ^GRID_JOB= /proc/$$/environ && echo fresh || echo ready
env | sort | grep -v -e ^GRID_ -e ^SHLVL=; set -o; shopt; ulimit -a; umask; pwd; trap -p; declare -p OLDPWD SECONDS | sed 's/"[0-9]"/"seconds"/'
echo "$0 $- $# $_"; echo "GRID_SCRIPT=\${GRID_SCRIPT-unset}"; grep Sig /proc/self/status | tail -n 3
ps -o sid= -o pgid= -p $$ | awk -v pid=$$ '{ print $1 == pid, $2 == pid }'
set +e; nothing_like_this; return 3; no_such_function() { local a=1; }; false | true; echo $?`;
      const spec = jobSpec(node, { command: `{ ${command}\n} 2>&1`, env: { A: "it's\n'b'" } });
      const job = await startJob(node.transport, spec);
      const { exit, stdout } = await followAll(job);
      await job.remove();
      const [kind, ...lines] = stdout.split("\n");
      return { kind, seen: { exit, lines } };
    };
    await using node = await openAccountNode(options);
    const fresh = await look(node);
    assert.equal(fresh.kind, "fresh");
    await awaitLauncher(node);
    const seen: (string | undefined)[] = [];
    await waitFor(async () => {
      const again = await look(node);
      assert.deepEqual(again.seen, fresh.seen);
      seen.push(again.kind);
      return again.kind === "ready";
    });
  });

  test("who printed nothing leaves its files to the next, unless they are open", async (options) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const file = (id: string) => `${node.root}/.grid/jobs/${id}.out`;
    const run = async (command: string) => {
      const spec = jobSpec(node, { command });
      const told = await followAll(await startJob(node.transport, spec));
      assert.deepEqual(told.exit, { kind: "code", code: 0 });
      return { id: spec.id, stdout: told.stdout };
    };
    const silent = await run("true");
    const { ino } = Deno.statSync(file(silent.id));
    const loud = await run("echo loud");
    assert.deepEqual([loud.stdout, Deno.statSync(file(loud.id)).ino], ["loud\n", ino]);
    assert.equal(existsSync(file(silent.id)), false);
    // In a session of its own, so that it counts as nobody's.
    const until = (file: string) => `while [ ! -e ${file} ]; do sleep 0.01; done`;
    const late = `setsid sh -c ': >there; ${until("go")}; echo late' 2>/dev/null`;
    const leaving = await run(`${late} & ${until("there")}`);
    const linked = await run('ln "${GRID_OUTPUT%.output}.out" link');
    const open = await run("chmod 666 /dev/stdout");
    const others = await Promise.all(["echo 1", "echo 2", "echo 3", "echo 4"].map(run));
    assert.deepEqual(others.map(({ stdout }) => stdout), ["1\n", "2\n", "3\n", "4\n"]);
    Deno.writeTextFileSync(`${node.root}/go`, "");
    await waitFor(() => Deno.statSync(file(leaving.id)).size > 0);
    assert.equal(Deno.readTextFileSync(file(leaving.id)), "late\n");
    assert.deepEqual([linked, open].map(({ id }) => Deno.statSync(file(id)).size), [0, 0]);
  });

  test("what the shell was told to ignore, its jobs ignore", async (options) => {
    await using node = await openAccountNode({ ...options, shell: ["nohup", ...shell] });
    const command = "grep SigIgn /proc/self/status";
    const first = await printed(node, { command });
    assert.match(first, /^SigIgn:\t\d+1\n$/);
    await awaitLauncher(node);
    for (let count = 0; count < 4; count++) assert.equal(await printed(node, { command }), first);
  });

  test("where many jobs are to come it is there after the first", async (options) => {
    await using node = await openAccountNode(options);
    const jobs = `${node.root}/.grid/jobs`;
    const supervisor = async (rest: Partial<JobSpec>) => {
      const spec = jobSpec(node, { command: "true", ...rest });
      await followAll(await startJob(node.transport, spec));
      return /^supervisor .*/m.exec(Deno.readTextFileSync(`${jobs}/${spec.id}.state`))?.[0] ?? "";
    };
    assert.match(await supervisor({ isOneOfMany: true }), /^supervisor \d+ 9$/);
    await waitFor(() =>
      [...Deno.readDirSync(jobs)].every(({ name }) => !name.startsWith(".launch"))
    );
    assert.match(await supervisor({}), /^supervisor \d+ \d+ \d+:\d+$/);
  });

  test("variables that bash obeys when it starts are obeyed", async (options) => {
    await using node = await openAccountNode(options);
    Deno.writeTextFileSync(`${node.root}/start`, "echo read\n");
    const env = { BASH_ENV: `${node.root}/start`, LC_ALL: "C", SECONDS: "7" };
    const command = "echo $LC_ALL";
    const fresh = await printed(node, { command, env });
    assert.equal(fresh, "read\nC\n");
    await awaitLauncher(node);
    for (let count = 0; count < 4; count++) {
      assert.equal(await printed(node, { command, env }), fresh);
    }
  });

  test("what one job is given, others do not find", async (options) => {
    using folder = tempDir();
    const account = { ...options.env, PLACE: folder.path, KEPT: "account's" };
    await using node = await openAccountNode({ ...options, env: account });
    await awaitLauncher(node);
    const run = (env: Record<string, string>) =>
      printed(node, {
        command:
          'for _ in $(seq 300); do [ ! -s "$PLACE/$GRID_JOB" ] || break; sleep 0.01; done\n' +
          'cat "$PLACE/$GRID_JOB"; echo "$KEPT ${OWN-none} ${EMPTY-none}"',
        record: `${folder.path}/{GRID_JOB}\n{KEPT} {OWN:-none} {EMPTY:-none}\n`,
        env,
      });
    const given = await run({ KEPT: "job's", OWN: "its own", EMPTY: "" });
    assert.equal(given, "job's its own none\njob's its own \n");
    const rounds = [{}, { OWN: "0" }, { KEPT: "job's", OWN: "1", EMPTY: "" }];
    for (let round = 0; round < 6; round++) {
      // One alone, which finds a shell that is ready, and many at once.
      const jobs = Array.from({ length: round % 2 === 0 ? 1 : 8 }, (_, at) => rounds[at % 3] ?? {});
      const lines = await Promise.all(jobs.map((env) => run(env)));
      const expected = [
        "account's none none\naccount's none none\n",
        "account's 0 none\naccount's 0 none\n",
        "job's 1 none\njob's 1 \n",
      ];
      assert.deepEqual(lines, jobs.map((_, at) => expected[at % 3]));
    }
  });

  test("a job that never starts anything is found, whatever became of it", async (options) => {
    const leaseMs = 1000;
    // Where it is not found, it would keep a processor busy for ever.
    using leaders = new DisposableStack();
    const busy = async (node: ContractNode) => {
      const spec = jobSpec(node, { command: "while :; do :; done", leaseMs });
      const job = await startJob(node.transport, spec);
      await supervisorOf(node, spec.id);
      const state = Deno.readTextFileSync(`${node.root}/.grid/jobs/${spec.id}.state`);
      const leader = Number(/^supervisor \d+ \d+ (\d+):/m.exec(state)?.[1]);
      const lives = () => allProcesses().some(({ pid }) => pid === leader);
      leaders.defer(() => {
        if (lives()) Deno.kill(leader, "SIGKILL");
      });
      return { spec, job, lives };
    };
    await using node = await openAccountNode(options);
    await awaitLauncher(node, { leaseMs });
    const forgotten = await busy(node);
    const followed = assert.rejects(followAll(forgotten.job), { code: "workspace" });
    // Written by the guard once it knows the job.
    await waitFor(() => existsSync(`${node.root}/.grid/jobs/${forgotten.spec.id}.missed`));
    assert.ok(forgotten.lives());
    for (const { name } of [...Deno.readDirSync(`${node.root}/.grid/jobs`)]) {
      Deno.removeSync(`${node.root}/.grid/jobs/${name}`);
    }
    await waitFor(() => !forgotten.lives());
    await followed;
    const orphan = await busy(node);
    Deno.kill(await supervisorOf(node, orphan.spec.id), "SIGKILL");
    assert.equal((await followAll(orphan.job)).exit.kind, "vanished");
    assert.ok(orphan.lives());
    assert.deepEqual(await orphan.job.kill({ graceMs: 1000 }), { survivors: [], handedOver: [] });
    assert.ok(!orphan.lives());
  });

  test("where it was killed, later jobs do without it", async (options) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const lost = jobSpec(node, { command: "sleep 1000" });
    const job = await startJob(node.transport, lost);
    Deno.kill(await supervisorOf(node, lost.id), "SIGKILL");
    assert.equal((await followAll(job)).exit.kind, "vanished");
    assert.deepEqual(await job.kill({ graceMs: 1000 }), { survivors: [], handedOver: [] });
    for (let count = 0; count < 6; count++) {
      assert.equal(await printed(node, { command: "echo on" }), "on\n");
    }
  });

  test("a job is not lost that is ended before it has begun", async (options) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    for (let count = 0; count < 10; count++) {
      const spec = jobSpec(node, { command: "sleep 1000" });
      const job = await startJob(node.transport, spec);
      assert.deepEqual(await job.kill({ graceMs: 1000 }), { survivors: [], handedOver: [] });
      assert.deepEqual(processesWith(`GRID_JOB=${spec.id}`), []);
    }
  });

  test("a file tells of the job's process, also where a shell was ready for it", async (options) => {
    using folder = tempDir();
    await using node = await openAccountNode({
      ...options,
      env: { ...options.env, PLACE: folder.path },
    });
    await awaitLauncher(node);
    const text = "{pid} {born} {boot} {uid} {MINE} {NONE:-none}{NOTHING}\n";
    const command =
      `for _ in $(seq 300); do [ ! -s "$PLACE/$GRID_JOB" ] || break; sleep 0.01; done; cat "$PLACE/$GRID_JOB"
read -r line </proc/$$/stat; set -- \${line##*) }; echo "$$ \${20} $(cat /proc/sys/kernel/random/boot_id) $(id -u) own none"
stat -c %a "$PLACE/$GRID_JOB"; echo "\${GRID_RECORD-unset} $GRID_RECORDED"`;
    for (let count = 0; count < 6; count++) {
      const lines = await printed(node, {
        command,
        record: `{PLACE}/{GRID_JOB}\n${text}`,
        env: { MINE: "own" },
      });
      const [told, seen, ...rest] = lines.trim().split("\n");
      assert.equal(told, seen);
      assert.deepEqual(rest, ["644", "unset 1"]);
    }
  });

  test("where such a file has no place of the account's own, that is the command's to say", async (options) => {
    using folder = tempDir();
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const place = (name: string) => `${folder.path}/${name}`;
    Deno.mkdirSync(place("real"));
    Deno.symlinkSync(place("real"), place("link"));
    Deno.mkdirSync(place("closed"), { mode: 0o500 });
    const isRoot = Deno.uid() === 0;
    if (isRoot) Deno.chownSync(place("closed"), 12345, 12345);
    for (const name of ["absent", "link", "closed"]) {
      const record = `${place(name)}/{GRID_JOB}\ntext\n`;
      const command = 'echo "$GRID_RECORD"; echo "${GRID_RECORDED-unset}"';
      assert.equal(await printed(node, { command, record }), `${record}\nunset\n`);
    }
    assert.deepEqual([...Deno.readDirSync(place("real"))], []);
  });

  test("what is too long for it is started without it", async (options) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const env = { LONG: "ä".repeat(40_000) };
    assert.equal(await printed(node, { command: 'printf %s "$LONG" | wc -c', env }), "80000\n");
    assert.equal(await printed(node, { command: `echo ${"x".repeat(20_000)} | wc -c` }), "20001\n");
  });

  test("the command sees the account's environment, not perl's", async (options) => {
    using folder = tempDir();
    const env = { PERL5OPT: "-Mnothing_of_the_kind", PERL5LIB: folder.path, PERL_UNICODE: "SA" };
    await using node = await openAccountNode({ ...options, env });
    await awaitLauncher(node);
    const command = 'echo "$PERL5OPT $PERL5LIB $PERL_UNICODE"';
    assert.equal(await printed(node, { command }), `${Object.values(env).join(" ")}\n`);
  });

  test("where perl does not work, jobs do without it", async (options) => {
    using programs = tempDir();
    writeProgram(`${programs.path}/perl`, "#!/bin/sh\nexit 2\n");
    const env = { ...options.env, PATH: `${programs.path}:${Deno.env.get("PATH")}` };
    await using node = await openAccountNode({ ...options, env });
    for (let count = 0; count < 8; count++) {
      assert.equal(await printed(node, { command: "echo on" }), "on\n");
    }
    await node.transport[Symbol.asyncDispose]();
    assert.deepEqual([...Deno.readDirSync(`${node.root}/.grid/jobs`)], []);
  });
}
