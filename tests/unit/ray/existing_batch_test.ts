import assert from "node:assert/strict";
import { join } from "node:path";
import type { RayConfig } from "../../../src/cluster/config.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { BatchHost, BatchSpec } from "../../../src/ray/batch.ts";
import { runOnExisting } from "../../../src/ray/existing_batch.ts";
import { markOf } from "../../../src/ray/driver_spec.ts";
import { createLocalTransport } from "../../../src/transport/local.ts";
import {
  type FakeJob,
  type FakeJobsOptions,
  startFakeJobs,
} from "../../support/fake_jobs_server.ts";
import { type BatchResults, CollectedOutcomes } from "../../support/batch_results.ts";
import { writeProgram } from "../../support/program_file.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const SPEC: Omit<BatchSpec, "cwd"> = {
  id: "20260131-120000-abcd_score-1",
  resultsKey: "20260131-120000-abcd_score",
  target: { call: "work:f" },
  tasks: ['"a"', '"b"'],
  batchSize: 1,
  gpusPerBatch: 0,
  cpusPerBatch: 1,
  maxFailures: 0,
  code: "code",
  identityEnv: {},
  env: { PLAIN: "plain" },
  secrets: {},
  killGraceMs: 7000,
};
const MARK = markOf(SPEC);
const ID = "20260131-120000-abcd_score-1";

/** What the driver prints for two tasks, with the words of a task in between. */
const LOG = [
  `${MARK}{"done": 0, "failed": 0, "total": 2}\n`,
  "hello from a task\n",
  `${MARK}{"done": 2, "failed": 1, "total": 2}\n`,
  `${MARK}{"results": {"file": "grid-results-1.txt", "node": "abc", "bytes": 27}}\n`,
].join("");
/** What stands among the logs then. */
const FILES = { "grid-results-1.txt": '={"a": 1}\n!"ValueError: b"\n' };

/** Timers of four seconds go off when the test says so. */
class FakeTimers implements Disposable {
  readonly #real = globalThis.setTimeout;
  #waiting: (() => void)[] = [];

  constructor() {
    const later = (act: () => void, ms?: number) => {
      if (ms !== 4000) return this.#real(act, ms);
      this.#waiting.push(act);
      return this.#real(() => {}, 0);
    };
    globalThis.setTimeout = later as unknown as typeof globalThis.setTimeout;
  }

  async fire(): Promise<void> {
    const [waiting] = [this.#waiting];
    this.#waiting = [];
    for (const act of waiting) act();
    await Promise.resolve();
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real;
  }
}

class Scene implements AsyncDisposable {
  readonly folder = tempDir();
  readonly fake;
  readonly node: OpenNode;
  readonly progress: number[] = [];
  output = "";

  constructor(options: FakeJobsOptions) {
    this.fake = startFakeJobs({ files: FILES, ...options });
    const endpoint = {
      name: "n1",
      transport: "local",
      host: undefined,
      port: undefined,
      user: undefined,
      keyFile: undefined,
      knownHosts: undefined,
      proxyJump: undefined,
      connectTimeoutMs: 5000,
      commandTimeoutMs: 5000,
      keepaliveMs: 5000,
      maxRetries: 0,
    } as const;
    Deno.writeTextFileSync(join(this.folder.path, "work.py"), "def f(task): return task\n");
    Deno.mkdirSync(join(this.folder.path, ".git"));
    Deno.writeTextFileSync(join(this.folder.path, ".git", "big"), "never sent");
    this.node = {
      node: { name: "n1", endpoint, labels: [], gpus: undefined, remoteRoot: "~" },
      transport: createLocalTransport(endpoint),
      root: this.folder.path,
      home: this.folder.path,
    };
  }

  async run(
    spec: Partial<BatchSpec> = {},
    host: Partial<BatchHost> = {},
  ): Promise<BatchResults> {
    const outcomes = new CollectedOutcomes();
    const outcome = await runOnExisting({
      config: { address: this.fake.address, namespace: "default" } as RayConfig,
      head: this.node,
      spec: { ...SPEC, cwd: this.folder.path, ...spec },
      host: {
        signal: new AbortController().signal,
        output: (_, bytes) => void (this.output += new TextDecoder().decode(bytes)),
        progress: ({ done }) => this.progress.push(done),
        jobStarted: () => {},
        outcomes,
        ...host,
      },
    });
    return outcomes.of(outcome);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.transport[Symbol.asyncDispose]();
    await this.fake[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Runs on the first look, ends on the second. */
function passThrough(status: FakeJob["status"], log: string, message = "") {
  return (job: FakeJob, looks: number) => {
    job.status = looks === 1 ? "RUNNING" : status;
    job.log = log;
    job.message = message;
  };
}

const EXPECTED: BatchResults = {
  results: [{ ok: true, value: { a: 1 } }, { ok: false, error: "ValueError: b" }],
  failed: 1,
};

testWith(["python3"], "existing: a batch is one job, whose log holds the results", async () => {
  let entrypoint = "";
  let vars: Record<string, string> | undefined;
  await using scene = new Scene({
    onLook: passThrough("SUCCEEDED", LOG),
    onSubmit: (job, id) => {
      assert.equal(id, ID);
      entrypoint = job.entrypoint;
      vars = job.runtimeEnv.env_vars;
      assert.match(job.runtimeEnv.working_dir ?? "", /^gcs:\/\/_ray_pkg_[0-9a-f]{40}\.zip$/);
    },
  });
  assert.deepEqual(await scene.run(), EXPECTED);
  assert.equal(scene.output, "hello from a task\n");
  assert.deepEqual(scene.progress, [0, 2]);
  assert.match(entrypoint, /batch_driver\.py/);
  assert.deepEqual(vars, { PLAIN: "plain", RAY_JOB_STOP_WAIT_TIME_S: "27" });
  // Ray's list of jobs only ever grows by itself.
  assert.ok(scene.fake.requests.includes(`DELETE /api/jobs/${ID}`));
});

testWith(
  ["python3"],
  "existing: Ray's own Python is taken where PATH has none with Ray",
  async () => {
    let entrypoint = "";
    await using scene = new Scene({
      onLook: passThrough("SUCCEEDED", LOG),
      onSubmit: (job) => void (entrypoint = job.entrypoint),
    });
    await scene.run();
    using place = tempDir();
    const own = join(place.path, "own");
    writeProgram(own, '#!/bin/sh\ncase $1 in -u) echo "own $3" ;; esac\n');
    for (const name of ["python", "python3"]) {
      writeProgram(join(place.path, name), "#!/bin/sh\nexit 1\n");
    }
    // A raylet, whose command says what starts its workers; a job's supervisor; the job's shell.
    const run = async (word: string) => {
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", "sh -c 'sh -c \"$JOB\"; exit $?'; exit $?", "raylet", word],
        env: { PATH: `${place.path}:${Deno.env.get("PATH")}`, JOB: entrypoint },
      }).output();
      return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
    };
    const words = `--python_worker_command=${own} setup.py --node-ip=1`;
    assert.deepEqual(await run(words), [0, "own .grid_batch/spec.json\n"]);
    const none = "no python on the PATH of the Ray head can import ray\n";
    assert.deepEqual(await run("--other"), [3, none]);
  },
);

testWith(["python3"], "existing: the package holds the code and the driver, not .git", async () => {
  await using scene = new Scene({ onLook: passThrough("SUCCEEDED", LOG) });
  await scene.run();
  const [content] = scene.fake.packages.values();
  assert.ok(content);
  const path = join(scene.folder.path, "package.zip");
  Deno.writeFileSync(path, content);
  const { stdout } = await new Deno.Command("python3", {
    args: [
      "-c",
      "import sys, zipfile; print(*sorted(zipfile.ZipFile(sys.argv[1]).namelist()))",
      path,
    ],
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout).trim(),
    ".grid_batch/batch_driver.py .grid_batch/spec.json work.py",
  );
});

testWith(
  ["python3"],
  "existing: a job that is there already is followed, not started again",
  async () => {
    await using scene = new Scene({ onLook: passThrough("SUCCEEDED", LOG) });
    scene.fake.jobs.set(ID, { status: "RUNNING", log: "", entrypoint: "", runtimeEnv: {} });
    assert.deepEqual(await scene.run(), EXPECTED);
    assert.equal(scene.fake.packages.size, 0);
    assert.ok(!scene.fake.requests.includes("POST /api/jobs/"));
  },
);

testWith(
  ["python3"],
  "existing: the words of the driver tell why a batch could not run",
  async () => {
    const problem =
      `${MARK}{"problem": "Cannot load work:f: no such module", "hint": "look again"}\n`;
    await using scene = new Scene({ onLook: passThrough("FAILED", problem, "Job failed, exit 3") });
    await assert.rejects(scene.run(), {
      code: "ray",
      message: "Cannot load work:f: no such module",
      hint: "look again",
    });
  },
);

testWith(["python3"], "existing: without them Ray's own words do", async () => {
  const message = "runtime_env setup failed\ntraceback";
  await using scene = new Scene({ onLook: passThrough("FAILED", "", message) });
  await assert.rejects(scene.run(), {
    message: "Cannot finish the batch: runtime_env setup failed",
  });
});

testWith(
  ["python3"],
  "existing: cancel stops the job, also one that is still pending",
  async () => {
    const controller = new AbortController();
    let stopped: FakeJob | undefined;
    await using scene = new Scene({
      onLook: (job, looks) => {
        stopped = job;
        // Pending for a while: Ray then says yes to a stop and does nothing.
        if (looks === 2) controller.abort(new Error("enough"));
        if (looks === 4) job.status = "RUNNING";
      },
    });
    await assert.rejects(scene.run({}, { signal: controller.signal }), { message: "enough" });
    assert.equal(stopped?.status, "STOPPED");
    const stops = scene.fake.requests.filter((request) => request.endsWith("/stop"));
    assert.ok(stops.length >= 2, "asked again while the job was pending");
    assert.equal(scene.fake.jobs.size, 0);
  },
);

testWith(["python3"], "existing: somebody else's stop is named", async () => {
  await using scene = new Scene({ onLook: passThrough("STOPPED", "") });
  await assert.rejects(scene.run(), {
    message: "Cannot finish the batch: somebody stopped it",
  });
});

testWith(
  ["python3"],
  "existing: a job that Ray forgot is an error, not a wait for ever",
  async () => {
    await using scene = new Scene({
      onLook: (job, looks) => {
        job.status = "RUNNING";
        if (looks === 2) scene.fake.jobs.clear();
      },
    });
    await assert.rejects(scene.run(), { message: /Ray no longer knows its job/ });
  },
);

testWith(["python3"], "existing: an error of Ray's is shown by its last line", async () => {
  const refuseSubmit = "Traceback (most recent call last):\n  …\nValueError: no agent";
  await using scene = new Scene({ refuseSubmit });
  await assert.rejects(scene.run(), {
    code: "ray",
    message: `Cannot submit the job: ${scene.fake.address}: HTTP 500: ValueError: no agent`,
  });
});

testWith(["python3"], "existing: a submission whose answer was lost runs once", async () => {
  await using scene = new Scene({
    loseSubmitAnswer: true,
    onLook: passThrough("SUCCEEDED", LOG),
  });
  assert.deepEqual(await scene.run(), EXPECTED);
  const submissions = scene.fake.requests.filter((request) => request === "POST /api/jobs/");
  assert.equal(submissions.length, 1);
});

testWith(["python3"], "existing: a missing and a wrong token are told apart", async () => {
  await using scene = new Scene({ token: "right" });
  const before = Deno.env.get("RAY_AUTH_TOKEN");
  const file = Deno.env.get("RAY_AUTH_TOKEN_PATH");
  try {
    Deno.env.set("RAY_AUTH_TOKEN_PATH", join(scene.folder.path, "none"));
    Deno.env.delete("RAY_AUTH_TOKEN");
    await assert.rejects(scene.run(), { message: /wants a token$/, hint: /RAY_AUTH_TOKEN_PATH/ });
    Deno.env.set("RAY_AUTH_TOKEN", "wrong");
    await assert.rejects(scene.run(), { message: /refuses the token$/ });
  } finally {
    restore("RAY_AUTH_TOKEN", before);
    restore("RAY_AUTH_TOKEN_PATH", file);
  }
});

testWith(["python3"], "existing: secrets are not put where everybody reads them", async () => {
  let submitted = "";
  await using scene = new Scene({
    onLook: passThrough("SUCCEEDED", LOG),
    onSubmit: (job) => void (submitted = JSON.stringify(job)),
  });
  await scene.run({ secrets: { HF_TOKEN: "planted" } });
  assert.ok(!/planted|HF_TOKEN/.test(submitted));
  const [masked, code] = scene.fake.packages.values();
  assert.ok(masked && code);
  const latin = new TextDecoder("latin1");
  assert.ok(!/planted|HF_TOKEN/.test(latin.decode(masked)));
  const path = join(scene.folder.path, "package.zip");
  Deno.writeFileSync(path, code);
  const program = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); " +
    "print(z.read('.grid_batch/spec.json').decode())";
  const { stdout } = await new Deno.Command("python3", { args: ["-c", program, path] }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(!/planted|HF_TOKEN/.test(text));
  const { sealed } = JSON.parse(text.split("\n")[0] ?? "");
  const pad = Uint8Array.fromBase64(sealed.pad);
  assert.equal(
    new TextDecoder().decode(masked.map((byte, at) => byte ^ (pad[at] ?? 0))),
    '{"HF_TOKEN":"planted"}',
  );
});

testWith(
  ["python3"],
  "existing: a dashboard without files has a job print the results",
  async () => {
    const path = '"path": "/logs/grid-results-1.txt", "bytes"';
    await using scene = new Scene({
      refusesFiles: true,
      onLook: (job, looks) => {
        const results = FILES["grid-results-1.txt"];
        const printed =
          `Ray's own words\n\ngrid-results:\n2026 INFO Ray's\n${results}grid-results-end`;
        const isPrinter = job.entrypoint.includes("cat /logs/grid-results-1.txt");
        passThrough("SUCCEEDED", isPrinter ? printed : LOG.replace('"bytes"', path))(job, looks);
      },
    });
    assert.deepEqual(await scene.run(), EXPECTED);
    assert.ok(scene.fake.requests.includes(`DELETE /api/jobs/${ID}-results`));
  },
);

testWith(["python3"], "existing: a Ray with known holes is named on stderr", async () => {
  await using scene = new Scene({ version: "2.53.0", onLook: passThrough("SUCCEEDED", LOG) });
  await scene.run();
  assert.match(scene.output, /^grid: Ray 2\.53\.0 has known holes; 2\.54 or newer is advised\n/);
});

testWith(["python3"], "existing: nobody at the address is one clear sentence", async () => {
  await using scene = new Scene({});
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const run = runOnExisting({
    config: { address, namespace: "default" } as RayConfig,
    head: scene.node,
    spec: { ...SPEC, cwd: scene.folder.path },
    host: {
      signal: new AbortController().signal,
      output: () => {},
      progress: () => {},
      jobStarted: () => {},
      outcomes: new CollectedOutcomes(),
    },
  });
  await assert.rejects(run, {
    code: "lost",
    message: `Cannot reach Ray: nobody listens on ${address}`,
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Deno.env.delete(name);
  else Deno.env.set(name, value);
}

testWith(
  ["python3"],
  "existing: a head that was started anew is told from a forgotten job",
  async () => {
    let session = "session_1";
    await using scene: Scene = new Scene({
      session: () => session,
      onLook: (job, looks) => {
        job.status = "RUNNING";
        if (looks < 2) return;
        session = "session_2";
        scene.fake.jobs.clear();
      },
    });
    await assert.rejects(scene.run(), {
      code: "ray",
      message: /^Cannot follow the batch: the Ray at \S+ was started anew, and its job is gone$/,
    });
  },
);

testWith(["python3"], "existing: a dashboard that is slow to answer is told of", async () => {
  const clock = new FakeTimers();
  await using scene: Scene = new Scene({
    onAnswer: async () => {
      if (scene.fake.jobs.size > 0) await clock.fire();
    },
    onLook: passThrough("SUCCEEDED", LOG),
  });
  using _timers = clock;
  const { failed } = await scene.run();
  assert.equal(failed, 1);
  assert.match(scene.output, /grid: no answer from \S+ for 4 s; trying for 5 minutes\n/);
  assert.match(scene.output, /grid: the dashboard answers again\n/);
});
