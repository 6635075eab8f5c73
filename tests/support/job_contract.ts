/** What every transport must make true of shells and jobs; run on this machine and over OpenSSH. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { attachJob, startJob } from "../../src/transport/job/job_start.ts";
import { listJobs, pruneJobs, removeJobs } from "../../src/transport/job/job_list.ts";
import { quote } from "../../src/core/shell.ts";
import type { Job, JobExit, JobSpec } from "../../src/transport/job/job.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { processesWith } from "./processes.ts";

/** A node to test, ended by its disposal. */
export interface ContractNode extends AsyncDisposable {
  readonly transport: Transport;
  /** Absolute folder for jobs and files. */
  readonly root: string;
}

export interface ContractOptions {
  readonly open: () => Promise<ContractNode>;
  /** How a test is declared: `Deno.test`, or one that needs real parts. */
  readonly test: (name: string, run: () => Promise<void>) => void;
}

export function jobSpec(node: ContractNode, spec: Partial<JobSpec> & { command: string }): JobSpec {
  return {
    // Test files share one process: a number would name two jobs alike, and one test end the other's.
    id: `job-${crypto.randomUUID()}`,
    root: node.root,
    shell: "bash",
    cwd: node.root,
    env: {},
    secrets: {},
    pathPrefix: [],
    detach: false,
    leaseMs: 60_000,
    ...spec,
  };
}

export interface Printed {
  readonly exit: JobExit;
  readonly stdout: string;
  readonly stderr: string;
}

/** Follows to the end and collects, one character per byte. */
export async function followAll(
  job: Job,
  signal: AbortSignal = new AbortController().signal,
): Promise<Printed> {
  const text = { stdout: "", stderr: "" };
  const exit = await job.follow({
    signal,
    onOutput: (stream, bytes) => {
      text[stream] += Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    },
  });
  return { exit, ...text };
}

/** Starts jobs until the node's shell has a launcher that takes over. */
export async function awaitLauncher(
  node: ContractNode,
  options: Partial<JobSpec> = {},
): Promise<void> {
  await waitFor(async () => {
    const spec = jobSpec(node, { command: "true", ...options });
    const job = await startJob(node.transport, spec);
    await followAll(job);
    const { stdout } = await node.transport.exec(
      `sed -n 's/^supervisor //p' ${quote(`${node.root}/.grid/jobs/${spec.id}.state`)}`,
    );
    await job.remove();
    return stdout.trim().split(" ").length === 3;
  });
}

/** Starts, follows, removes. */
async function run(
  node: ContractNode,
  spec: Partial<JobSpec> & { command: string },
): Promise<Printed> {
  const job = await startJob(node.transport, jobSpec(node, spec));
  const printed = await followAll(job);
  await job.remove();
  return printed;
}

export function describeJobs(name: string, { open, test }: ContractOptions): void {
  const check = (title: string, body: (node: ContractNode) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      await using node = await open();
      await body(node);
    });

  check("a job's exit code, stdout and stderr come back", async (node) => {
    const { exit, stdout, stderr } = await run(node, { command: "echo out; echo err >&2; exit 3" });
    assert.deepEqual(exit, { kind: "code", code: 3 });
    assert.equal(stdout, "out\n");
    assert.equal(stderr, "err\n");
  });

  check("a job that outlives the first answer is followed to its end", async (node) => {
    const command = "for i in 1 2 3; do echo $i; echo e$i >&2; sleep 0.1; done; printf end";
    const { exit, stdout, stderr } = await run(node, { command });
    assert.deepEqual(exit, { kind: "code", code: 0 });
    assert.equal(stdout, "1\n2\n3\nend");
    assert.equal(stderr, "e1\ne2\ne3\n");
  });

  check("an exit code above 128 is told from a signal", async (node) => {
    assert.deepEqual((await run(node, { command: "exit 137" })).exit, { kind: "code", code: 137 });
    for (const signal of ["KILL", "TERM", "SEGV"]) {
      const { exit } = await run(node, { command: `kill -${signal} $$` });
      assert.deepEqual(exit, { kind: "signal", signal: `SIG${signal}` });
    }
    const late = await run(node, { command: "sleep 0.2; exit 137", detach: true });
    assert.deepEqual(late.exit, { kind: "code", code: 137 });
    const child = await run(node, { command: "sh -c 'kill -KILL $$'" });
    assert.deepEqual(child.exit, { kind: "code", code: 137 });
  });

  check("output is byte-exact", async (node) => {
    const bytes = "\\000\\001\\033\\200\\377\\303\\r\\n\\303\\274 no newline";
    const exact = "\0\x01\x1b\x80\xff\xc3\r\n\xc3\xbc no newline";
    const both = `printf '${bytes}'; printf '${bytes}' >&2`;
    for (const command of [both, `sleep 0.2; ${both}`]) {
      assert.deepEqual(await run(node, { command }), {
        exit: { kind: "code", code: 0 },
        stdout: exact,
        stderr: exact,
      });
    }
  });

  check("large output arrives whole, printed fast or slowly", async (node) => {
    for (const pause of ["", "sleep 0.2;"]) {
      const command = `${pause} seq 200000; seq 100000 >&2`;
      const { stdout, stderr } = await run(node, { command });
      assert.equal(stdout.length, 1_288_895);
      assert.ok(stdout.endsWith("\n200000\n"));
      assert.equal(stderr.length, 588_895);
    }
  });

  check("variables reach the command, whatever their name and value", async (node) => {
    const env = {
      QUOTES: `it's "$HOME" \`id\` \\ and\nmore`,
      IFS: "x",
      dir: "d",
      UTF8: "grün",
      EMPTY: "",
      GRIDLOCK: "=a=b=",
    };
    const command =
      'printf "%s|" "$QUOTES" "$dir" "$UTF8" "${EMPTY-unset}" "$GRIDLOCK" "${TOKEN#t}"';
    const { stdout } = await run(node, { command, env, secrets: { TOKEN: "t0k en'" } });
    const text = new TextDecoder().decode(Uint8Array.from(stdout, (c) => c.charCodeAt(0)));
    assert.equal(text, `${env.QUOTES}|d|grün||=a=b=|0k en'|`);
  });

  check(
    "what a command prints of its secrets lies masked on the node, while it runs",
    async (node) => {
      const secret = "hunter2-and-more";
      const spec = jobSpec(node, {
        command: 'printf "a$TOKEN\\0b"; printf "$TOKEN\\r" >&2; printf "hunter2-"; ' +
          'while [ ! -e go ]; do sleep 0.02; done; printf "and-mor"; printf "$TOKEN"; exit 3',
        secrets: { TOKEN: secret },
      });
      const job = await startJob(node.transport, spec);
      const file = (name: string) => `${node.root}/.grid/jobs/${spec.id}.${name}`;
      await waitFor(async () => {
        const { stdout } = await node.transport.exec(`cat ${file("out")} ${file("err")}`);
        return stdout === "a***\0b***\r";
      });
      const { stdout: hits } = await node.transport.exec(`grep -rl ${secret} ${node.root} || :`);
      assert.equal(hits, "");
      await node.transport.exec(`: >${node.root}/go`);
      assert.deepEqual(await followAll(job), {
        exit: { kind: "code", code: 3 },
        stdout: "a***\0bhunter2-and-mor***",
        stderr: "***\r",
      });
      assert.deepEqual(job.warnings, []);
      await job.remove();
    },
  );

  check("what is masked for one job is not masked for the next", async (node) => {
    const secrets = { TOKEN: "hunter2-and-more" };
    const spec = jobSpec(node, { command: "true", secrets });
    await followAll(await startJob(node.transport, spec));
    // Attached, and refused: neither start uses the patterns that came with it.
    await followAll(await startJob(node.transport, spec));
    const refused = jobSpec(node, { command: "true", secrets, cwd: `${node.root}/nowhere` });
    await assert.rejects(startJob(node.transport, refused), { code: "step-failed" });
    assert.equal(
      (await run(node, { command: "echo hunter2-and-more" })).stdout,
      "hunter2-and-more\n",
    );
  });

  check("where output cannot be masked, the job runs and says so", async (node) => {
    // As on a node that has neither program; only the shell's own next start is asked.
    const stop = AbortSignal.abort();
    const spec = jobSpec(node, { command: "echo $TOKEN; exit 4", secrets: { TOKEN: "hunter2-x" } });
    await followAll(await startJob(node.transport, jobSpec(node, { command: "true" })));
    await node.transport.wait("grid_perl= grid_python=; read -r grid_line", { stop });
    const job = await startJob(node.transport, spec);
    assert.deepEqual(await followAll(job), {
      exit: { kind: "code", code: 4 },
      stdout: "hunter2-x\n",
      stderr: "",
    });
    assert.match(job.warnings.join(), /could not mask what the command printed/);
  });

  check("a script may be empty, or too long for the environment", async (node) => {
    assert.deepEqual((await run(node, { command: "" })).exit, { kind: "code", code: 0 });
    const long = `${"# a comment\n".repeat(20_000)}echo "line $LINENO"; exit 3`;
    const { exit, stdout } = await run(node, { command: long });
    assert.deepEqual([exit, stdout], [{ kind: "code", code: 3 }, "line 20001\n"]);
  });

  check(
    "a variable that no environment takes is told by name and size, before the start",
    async (node) => {
      // Linux takes 128 KiB with the name, "=" and an end.
      const most = 128 * 1024 - "V=".length - 1;
      const env = { V: "x".repeat(most) };
      assert.equal((await run(node, { command: "echo ${#V}", env })).stdout, `${most}\n`);
      await assert.rejects(
        startJob(node.transport, jobSpec(node, { command: "true", env: { V: `${env.V}x` } })),
        { code: "usage", message: /variable V has 131,070 bytes, more than the 131,072/ },
      );
      const many = Object.fromEntries(
        Array.from({ length: 20 }, (_, n) => [`V${n}`, "y".repeat(1e5 + n)]),
      );
      await assert.rejects(
        startJob(node.transport, jobSpec(node, { command: "true", env: many })),
        {
          code: "usage",
          message: /2,000,\d+ bytes together.*the largest is V19 with 100,0\d+$/,
        },
      );
    },
  );

  check("a job whose output is masked is killed like any other", async (node) => {
    const spec = jobSpec(node, {
      command: 'trap "echo last $TOKEN; exit" TERM; echo begun; while :; do sleep 0.05; done',
      secrets: { TOKEN: "hunter2-and-more" },
    });
    const job = await startJob(node.transport, spec);
    // From here on its trap is set.
    const printed = `${node.root}/.grid/jobs/${spec.id}.out`;
    await waitFor(() => existsSync(printed) && Deno.readTextFileSync(printed) === "begun\n");
    assert.deepEqual(await job.kill({ graceMs: 3000 }), { survivors: [], handedOver: [] });
    assert.deepEqual(processesWith(`GRID_JOB=${spec.id}`), []);
    assert.equal((await followAll(job)).stdout, "begun\nlast ***\n");
    await job.remove();
  });

  check("folders of the path prefix come first, before the job's own PATH too", async (node) => {
    const pathPrefix = ["/first/bin"];
    const inherited = await run(node, { command: 'echo "$PATH"', pathPrefix });
    assert.match(inherited.stdout, /^\/first\/bin:.*\/bin/);
    const own = await run(node, {
      command: 'echo "$PATH"',
      pathPrefix,
      env: { PATH: "/usr/bin:/bin" },
    });
    assert.equal(own.stdout, "/first/bin:/usr/bin:/bin\n");
  });

  check("bash stops at the first failure, also inside a pipe; sh goes on", async (node) => {
    const strict = await run(node, { command: "false | true; echo on" });
    assert.deepEqual([strict.exit, strict.stdout], [{ kind: "code", code: 1 }, ""]);
    const loose = await run(node, { command: "false | true; false; echo on", shell: "sh" });
    assert.deepEqual([loose.exit, loose.stdout], [{ kind: "code", code: 0 }, "on\n"]);
  });

  check("a job leads a session of its own, can be interrupted and reads no input", async (node) => {
    const command = "ps -o pid= -o pgid= -o sid= -p $$; cat; grep SigIgn /proc/self/status";
    const { stdout } = await run(node, { command });
    const [pid, group, session] = stdout.trim().split(/\s+/);
    assert.equal(group, pid);
    assert.equal(session, pid);
    const ignored = BigInt(`0x${/SigIgn:\s*([0-9a-f]+)/.exec(stdout)?.[1]}`);
    assert.equal(ignored & 0b110n, 0n, "SIGINT and SIGQUIT are not ignored");
  });

  check("a job inherits no descriptor of the shell's, masked or not", async (node) => {
    const command =
      "cd /proc/self/fd; for n in 3 4 5 6 7 8 9; do if [ -e $n ]; then echo $n; fi; done";
    for (const secrets of [{}, { TOKEN: "a secret" }] as Record<string, string>[]) {
      assert.equal((await run(node, { command, secrets })).stdout, "");
    }
  });

  check("$GRID_OUTPUT comes back after the job ended", async (node) => {
    for (const pause of ["", "sleep 0.2; "]) {
      const spec = jobSpec(node, { command: `${pause}printf 'a=1\\nb=ü\\n' >> "$GRID_OUTPUT"` });
      const job = await startJob(node.transport, spec);
      await followAll(job);
      assert.equal(await job.readOutputFile(), "a=1\nb=ü\n");
      await job.remove();
    }
  });

  check("a root with blanks and quotes in its name works", async (outer) => {
    const node = { ...outer, root: `${outer.root}/it's a "root" $HOME` };
    await outer.transport.exec(`mkdir -p ${quote(node.root)}`);
    const short = await run(node, { command: "pwd" });
    assert.equal(short.stdout, `${node.root}\n`);
    const job = await startJob(node.transport, jobSpec(node, { command: "sleep 1000" }));
    assert.equal((await listJobs(node.transport, node.root))[0]?.id, job.id);
    assert.deepEqual(await job.kill({ graceMs: 1000 }), { survivors: [], handedOver: [] });
    await job.remove();
    assert.deepEqual(await listJobs(node.transport, node.root), []);
  });

  check("a start that is repeated attaches and never runs twice", async (node) => {
    const spec = jobSpec(node, { command: `echo x >> ${node.root}/ran; sleep 0.2; echo done` });
    const started = await Promise.all([1, 2, 3].map(() => startJob(node.transport, spec)));
    const printed = await Promise.all(started.map((job) => followAll(job)));
    for (const { exit, stdout } of printed) {
      assert.deepEqual(exit, { kind: "code", code: 0 });
      assert.equal(stdout, "done\n");
    }
    const again = await startJob(node.transport, spec);
    assert.equal((await followAll(again)).stdout, "done\n");
    assert.equal((await node.transport.exec(`cat ${node.root}/ran`)).stdout, "x\n");
    await again.remove();
  });

  check("attaching finds a job that runs or ended, and nothing else", async (node) => {
    const spec = jobSpec(node, { command: "echo one; sleep 0.2; echo two" });
    assert.equal(await attachJob(node.transport, spec), undefined);
    await startJob(node.transport, spec);
    const job = await attachJob(node.transport, spec);
    assert.ok(job);
    assert.equal((await followAll(job)).stdout, "one\ntwo\n");
    await job.remove();
    assert.equal(await attachJob(node.transport, spec), undefined);
  });

  check("following can be stopped and taken up again without loss", async (node) => {
    const spec = jobSpec(node, { command: "for i in $(seq 40); do echo $i; sleep 0.02; done" });
    const job = await startJob(node.transport, spec);
    const stop = new AbortController();
    let seen = "";
    const first = job.follow({
      signal: stop.signal,
      onOutput: (_stream, bytes) => {
        seen += new TextDecoder().decode(bytes);
        if (seen.includes("10\n")) stop.abort(new Error("enough"));
      },
    });
    await assert.rejects(first, /enough/);
    const rest = await followAll(job);
    const expected = Array.from({ length: 40 }, (_, index) => `${index + 1}\n`).join("");
    assert.equal(seen + rest.stdout, expected);
    await job.remove();
  });

  check("a job keeps the links in its folder's path", async (node) => {
    Deno.mkdirSync(`${node.root}/real`, { recursive: true });
    Deno.symlinkSync("real", `${node.root}/link`);
    const cwd = `${node.root}/link`;
    assert.equal((await run(node, { command: "pwd", cwd })).stdout, `${cwd}\n`);
  });

  check("a folder that is not there is named, and nothing started", async (node) => {
    const spec = jobSpec(node, { command: "echo never", cwd: `${node.root}/not there` });
    await assert.rejects(startJob(node.transport, spec), {
      code: "step-failed",
      message: new RegExp(`folder "${node.root}/not there" cannot be entered`),
    });
    assert.deepEqual(await listJobs(node.transport, node.root), []);
  });

  check("a variable that no shell can hold is refused before anything starts", async (node) => {
    const spec = jobSpec(node, { command: "true", env: { "not-a-name": "1" } });
    await assert.rejects(startJob(node.transport, spec), { code: "usage", message: /not-a-name/ });
  });

  check("killing ends the whole tree and says that nothing survived", async (node) => {
    const spec = jobSpec(node, {
      command: "sleep 1000 & setsid sleep 1001 & nohup sleep 1002 >/dev/null 2>&1 & wait",
    });
    const job = await startJob(node.transport, spec);
    const children = () =>
      processesWith(`GRID_JOB=${spec.id}`).filter(({ command }) => command.startsWith("sleep"));
    await waitFor(() => children().length === 3);
    assert.deepEqual(await job.kill({ graceMs: 2000 }), { survivors: [], handedOver: [] });
    assert.deepEqual(processesWith(`GRID_JOB=${spec.id}`), []);
    assert.deepEqual((await followAll(job)).exit, { kind: "signal", signal: "SIGTERM" });
    await job.remove();
  });

  check("a job whose supervisor was killed is reported as vanished", async (node) => {
    const spec = jobSpec(node, { command: "echo before; sleep 1000" });
    const job = await startJob(node.transport, spec);
    const file = `${node.root}/.grid/jobs/${spec.id}`;
    await waitFor(async () => (await node.transport.exec(`cat ${file}.out`)).stdout === "before\n");
    await node.transport.exec(
      `kill -KILL $(sed -n 's/^supervisor \\([0-9]*\\).*/\\1/p' ${file}.state)`,
    );
    assert.deepEqual(await followAll(job), {
      exit: { kind: "vanished" },
      stdout: "before\n",
      stderr: "",
    });
    assert.deepEqual(await job.kill({ graceMs: 1000 }), { survivors: [], handedOver: [] });
    assert.deepEqual(processesWith(`GRID_JOB=${spec.id}`), []);
    await job.remove();
  });

  check("what runs and what ended is listed", async (node) => {
    const before = Date.now();
    const running = jobSpec(node, { command: "sleep 1000", detach: true });
    const ended = jobSpec(node, { command: "exit 4" });
    const job = await startJob(node.transport, running);
    const other = await startJob(node.transport, ended);
    await followAll(other);
    await waitFor(async () => {
      const [first] = await listJobs(node.transport, node.root);
      return first?.pids.length === 2;
    });
    const [first, second] = await listJobs(node.transport, node.root);
    assert.ok(first && second);
    assert.ok(first.startedAt >= before && first.startedAt <= Date.now());
    assert.equal(first.pids.length, 2);
    assert.deepEqual({ ...first, startedAt: 0, pids: [] }, {
      id: running.id,
      state: "running",
      exitCode: undefined,
      startedAt: 0,
      detached: true,
      pids: [],
    });
    assert.deepEqual({ ...second, startedAt: 0 }, {
      id: ended.id,
      state: "ended",
      exitCode: 4,
      startedAt: 0,
      detached: false,
      pids: [],
    });
    await assert.rejects(job.remove(), /job-\S+ is running/);
    await job.kill({ graceMs: 1000 });
    await job.remove();
    await other.remove();
    assert.deepEqual(await listJobs(node.transport, node.root), []);
  });
}

/** Removing and pruning; kept apart because files must be made older for it. */
export function describePruning(name: string, { open, test }: ContractOptions): void {
  test(`${name}: many folders are removed in one call, those of running jobs are named`, async () => {
    await using node = await open();
    const ended = [1, 2, 3].map(() => jobSpec(node, { command: "true" }));
    for (const spec of ended) await followAll(await startJob(node.transport, spec));
    const running = jobSpec(node, { command: "sleep 1000" });
    const job = await startJob(node.transport, running);
    const ids = [...ended, running].map(({ id }) => id);
    await assert.rejects(removeJobs(node.transport, { root: node.root, ids }), {
      code: "workspace",
      message: new RegExp(`${running.id} is running`),
    });
    const left = await listJobs(node.transport, node.root);
    assert.deepEqual(left.map(({ id }) => id), [running.id]);
    await job.kill({ graceMs: 1000 });
    await removeJobs(node.transport, { root: node.root, ids });
    assert.deepEqual(await listJobs(node.transport, node.root), []);
  });

  test(`${name}: what ended long ago is pruned, and nothing else`, async () => {
    await using node = await open();
    const [old, fresh, other] = [1, 2, 3].map(() => jobSpec(node, { command: "true" }));
    const oldRunning = jobSpec(node, { command: "sleep 1000" });
    assert.ok(old && fresh && other);
    for (const spec of [old, fresh, other]) await followAll(await startJob(node.transport, spec));
    const job = await startJob(node.transport, oldRunning);
    const age = async (id: string) => {
      await node.transport.exec(`touch -t 202001010000 ${node.root}/.grid/jobs/${id}.state`);
    };
    for (const { id } of [old, oldRunning]) await age(id);
    assert.deepEqual(await pruneJobs(node.transport, node.root), [old.id]);
    // In the same call as others are removed, whose complaint stands.
    await age(other.id);
    const both = { root: node.root, ids: [oldRunning.id], withOld: true };
    await assert.rejects(removeJobs(node.transport, both), {
      code: "workspace",
      message: /running/,
    });
    assert.equal((await listJobs(node.transport, node.root)).length, 2);
    await job.kill({ graceMs: 1000 });
  });
}

/** Whoever started it may have another date; kept apart because a job's file must be changed for it. */
export function describeBirths(name: string, { open, test }: ContractOptions): void {
  test(`${name}: when a job began is told by the clock of who asks, where the node knows how long ago that was`, async () => {
    await using node = await open();
    const spec = jobSpec(node, { command: "true" });
    const before = Date.now();
    await followAll(await startJob(node.transport, spec));
    const file = `${node.root}/.grid/jobs/${spec.id}.state`;
    const [listed] = await listJobs(node.transport, node.root);
    assert.ok(listed);
    assert.ok(listed.startedAt >= before && listed.startedAt <= Date.now());
    const early = listed.startedAt - 86_400_000;
    // In place: another file would have been made just now, too.
    const change = `sed s/${listed.startedAt}/${early}/ ${file} >${file}.new && ` +
      `cat ${file}.new >${file}; rm ${file}.new; stat -c %W ${file}`;
    const { stdout } = await node.transport.exec(change);
    const [again] = await listJobs(node.transport, node.root);
    assert.ok(again);
    // Not every file system keeps it.
    if (!/^[1-9]\d*$/.test(stdout.trim())) return assert.equal(again.startedAt, early);
    assert.ok(Math.abs(again.startedAt - listed.startedAt) < 3000, `${again.startedAt - early}`);
  });
}

/** Waits until the job has lived so long under a lease that was renewed meanwhile, as that of a job that is followed. */
export async function leaseRenewed(
  { root }: ContractNode,
  job: string,
  { lastingMs }: { readonly lastingMs: number },
): Promise<void> {
  const start = Date.now();
  const renewed = new Set<number>();
  await waitFor(() => {
    const lease = `${root}/.grid/jobs/${job}.lease`;
    if (existsSync(lease)) renewed.add(Deno.statSync(lease).mtime?.getTime() ?? 0);
    return renewed.size > 2 && Date.now() - start > lastingMs;
  });
}

/** Waits until it is true; fails after what even a busy machine does not need. */
export async function waitFor(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 90_000;
  while (!await isTrue()) {
    if (Date.now() > until) throw new Error("it did not become true within 90 s");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
