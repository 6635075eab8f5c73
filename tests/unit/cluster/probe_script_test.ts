import assert from "node:assert/strict";
import { join } from "node:path";
import {
  parseProbe,
  probeCall,
  probeCommand,
  probeLibrary,
  type ProbeOptions,
} from "../../../src/cluster/probe.ts";
import { setGpus, writeFakeNvidiaSmi } from "../../support/fake_nvidia_smi.ts";
import { findProgram } from "../../support/requires.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";
import { writeProgram } from "../../support/program_file.ts";

/** Every shell of this machine that a node may have as its `sh`. */
const SHELLS: readonly (readonly string[])[] = [
  ["sh"],
  ["dash"],
  ["bash"],
  ["bash", "--posix"],
  ["busybox", "sh"],
].filter(([program]) => findProgram(program ?? ""));

interface ProbeRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

interface RunOptions {
  readonly home: TempDir;
  readonly shell?: readonly string[];
  readonly root?: string;
  readonly gpuSeconds?: number;
  readonly brief?: ProbeOptions["brief"];
  /** Replaces the machine's own PATH behind the home's `bin`. */
  readonly path?: string;
}

/** Runs the real script the way a transport does: as one command of a shell. */
async function runProbe(options: RunOptions): Promise<ProbeRun> {
  const { home, shell = ["sh"], root = "~/work", gpuSeconds = 2, brief } = options;
  const [program = "sh", ...args] = shell;
  const path = options.path ?? Deno.env.get("PATH");
  const started = performance.now();
  const output = await new Deno.Command(program, {
    args: [...args, "-c", probeCommand({ root, gpuSeconds, brief })],
    clearEnv: true,
    env: { HOME: home.path, PATH: `${join(home.path, "bin")}:${path}`, USER: userOf(home) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return {
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
    durationMs: performance.now() - started,
  };
}

/** The note about a hung tool is kept per account: every test has its own. */
function userOf(home: TempDir): string {
  return home.path.split("/").at(-1) ?? "";
}

function removeNote(home: TempDir): void {
  try {
    Deno.removeSync(`/tmp/.grid-gpu-hung.${userOf(home)}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Ticks from the boot to the process's start. */
function startOf(pid: number): string {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function tool(home: TempDir, name: string, script: string): void {
  Deno.mkdirSync(join(home.path, "bin"), { recursive: true });
  writeProgram(join(home.path, "bin", name), `#!/bin/sh\n${script}\n`);
}

/** Waits until a process is gone, or nothing but an entry that its parent has not read. */
async function ended(pid: number): Promise<void> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const status = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "gone) Z");
    if (/\) [ZX]/.test(status)) return;
    assert.ok(Date.now() < deadline, `process ${pid} still runs`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (const shell of SHELLS) {
  Deno.test(`probe.sh in ${shell.join(" ")}: load, cores, memory, disk and GPUs`, async () => {
    using home = tempDir();
    writeFakeNvidiaSmi(home.path, { gpus: 2 });
    setGpus(home.path, [{ memoryUsed: 2048, utilization: 50 }, { eccErrors: 4 }]);
    const { stdout, stderr } = await runProbe({ home, shell });
    assert.equal(stderr, "");
    const facts = parseProbe(stdout);
    assert.ok(facts, stdout);
    assert.ok(facts.load1 !== undefined && facts.load1 >= 0);
    assert.ok(facts.cores !== undefined && facts.cores > 0);
    assert.ok(facts.cores <= navigator.hardwareConcurrency);
    assert.ok((facts.memoryTotalBytes ?? 0) > 2 ** 20);
    assert.ok((facts.memoryAvailableBytes ?? 0) > 2 ** 20);
    assert.ok((facts.memoryAvailableBytes ?? 0) <= (facts.memoryTotalBytes ?? 0));
    assert.ok((facts.diskFreeBytes ?? 0) > 0);
    assert.equal(facts.gpuTool, "nvidia-smi");
    assert.equal(facts.gpus[0]?.memoryUsedBytes, 2 * 2 ** 30);
    assert.match(facts.gpus[1]?.sick ?? "", /4 uncorrected ECC/);
  });

  Deno.test(`probe.sh in ${shell.join(" ")}: a GPU tool that hangs costs the GPUs only`, async () => {
    using home = tempDir();
    writeFakeNvidiaSmi(home.path, { gpus: 1 });
    Deno.writeTextFileSync(join(home.path, "gpu.delay"), "30");
    const { stdout } = await runProbe({ home, shell, gpuSeconds: 1 });
    removeNote(home);
    const facts = parseProbe(stdout);
    assert.equal(facts?.gpuTool, "failed");
    assert.match(facts?.gpuProblem ?? "", /did not answer in time/);
    assert.ok(facts?.load1 !== undefined && facts.diskFreeBytes !== undefined);
  });
}

for (const shell of SHELLS) {
  Deno.test(`probe.sh in ${shell.join(" ")}: where there was no GPU only load and claims are asked for`, async () => {
    using home = tempDir();
    // Set in the command: the folders of this machine are everybody's.
    const run = async (functions = "") => {
      const [program = "sh", ...args] = shell;
      const script = `GRID_LEASE_DIR=${home.path}/claims; GRID_DRAIN_DIR=${home.path}\n` +
        `${probeLibrary()}${functions}\n` +
        `${probeCall({ root: "~", gpuSeconds: 2, brief: "bare" })}\n` +
        'printf "%s\\n" "$grid_answer"; printf "%s:" "${LC_ALL-unset}" "${root-unset}" $#';
      const { stdout } = await new Deno.Command(findProgram(program) ?? program, {
        args: [...args, "-c", script],
        clearEnv: true,
        env: { HOME: home.path, PATH: Deno.env.get("PATH") ?? "" },
        stdin: "null",
      }).output();
      return new TextDecoder().decode(stdout);
    };
    const answer = await run("grid_probe() { echo a process for it; }");
    assert.match(
      answer,
      /^@grid-probe 1\n@load [\d.]+\n@claims end\n@grid-probe end\nunset:unset:0:$/,
      "and the shell is as it was",
    );
    const facts = parseProbe(answer);
    assert.deepEqual([facts?.gpus, facts?.gpuTool, facts?.work?.isWhole], [[], "none", true]);
    Deno.writeTextFileSync(join(home.path, `grid-drain.${Deno.uid()}`), "1 -\nmoving house\n");
    assert.equal(parseProbe(await run())?.drains?.[0]?.reason, "moving house");
    Deno.removeSync(join(home.path, `grid-drain.${Deno.uid()}`));
    Deno.writeTextFileSync(join(home.path, "claims"), "");
    assert.match(await run(), /^@claims-unfit /m);
    Deno.removeSync(join(home.path, "claims"));
    const pid = Deno.pid;
    Deno.mkdirSync(join(home.path, "claims"));
    Deno.writeTextFileSync(join(home.path, "claims", `0@${pid}@${startOf(pid)}@g`), "me 1\n");
    assert.match(await run(), /^@gpu-lease 0 g me$/m);
  });
}

Deno.test("probe.sh in brief: load and GPUs only", async () => {
  using home = tempDir();
  writeFakeNvidiaSmi(home.path, { gpus: 1 });
  const facts = parseProbe((await runProbe({ home, brief: "brief" })).stdout);
  assert.ok(facts?.load1 !== undefined);
  assert.equal(facts.gpus.length, 1);
  assert.equal(facts.cores, undefined);
  assert.equal(facts.diskFreeBytes, undefined);
});

Deno.test("probe.sh in brief: memory where GPUs may share it, and only there", async () => {
  using home = tempDir();
  const alone = await runProbe({ home, brief: "brief", path: "/nonexistent", shell: ["/bin/sh"] });
  const hasOwnGpus = /^@gpu-(bus|tool) /m.test(alone.stdout);
  assert.equal(/^@MemTotal: /m.test(alone.stdout), hasOwnGpus);
  tool(
    home,
    "nvidia-smi",
    'case $* in *index,uuid*) echo "0, GPU-1, NVIDIA GB10, [N/A], [N/A], 0, 38" ;; esac',
  );
  const facts = parseProbe((await runProbe({ home, brief: "brief" })).stdout);
  assert.equal(facts?.gpus[0]?.unified, true);
  assert.ok((facts.gpus[0]?.memoryTotalBytes ?? 0) > 2 ** 20);
});

Deno.test("probe.sh: a tool that cannot be ended is started once, not at every probe", async () => {
  using home = tempDir();
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const note = `/tmp/.grid-gpu-hung.${userOf(home)}`;
  try {
    Deno.writeTextFileSync(note, `${child.pid} ${startOf(child.pid)}\n`);
    tool(home, "nvidia-smi", `echo started >>"$HOME/starts"; echo "0, a, b, 0, 1, 0, 0"`);
    const hung = parseProbe((await runProbe({ home })).stdout);
    assert.equal(hung?.gpuTool, "failed");
    assert.match(hung?.gpuProblem ?? "", new RegExp(`process ${child.pid}`));
    assert.throws(() => Deno.readTextFileSync(join(home.path, "starts")), Deno.errors.NotFound);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  const free = parseProbe((await runProbe({ home })).stdout);
  assert.equal(free?.gpuTool, "nvidia-smi", "the note is void once the process is gone");
  removeNote(home);
});

Deno.test("probe.sh: another process with the number of a hung one is not that one", async () => {
  using home = tempDir();
  Deno.writeTextFileSync(`/tmp/.grid-gpu-hung.${userOf(home)}`, `${Deno.pid} 1\n`);
  tool(home, "nvidia-smi", `echo "0, a, b, 0, 1, 0, 0"`);
  assert.equal(parseProbe((await runProbe({ home })).stdout)?.gpuTool, "nvidia-smi");
  removeNote(home);
});

Deno.test("probe.sh keeps what a slow tool said before patience ended", async () => {
  using home = tempDir();
  tool(
    home,
    "nvidia-smi",
    `case "$*" in *index,uuid*) echo "0, GPU-a, A100, 0, 40960, 0, 30" ;; *) exec sleep 30 ;; esac`,
  );
  const facts = parseProbe((await runProbe({ home, gpuSeconds: 1 })).stdout);
  removeNote(home);
  assert.equal(facts?.gpus.length, 1);
  assert.equal(facts?.gpuProblem, "nvidia-smi did not answer in time");
});

Deno.test("probe.sh without timeout(1) still ends a tool that hangs", async () => {
  using home = tempDir();
  Deno.mkdirSync(join(home.path, "bin"));
  for (const name of ["sh", "df", "sleep", "rm", "id"]) {
    Deno.symlinkSync(findProgram(name) ?? name, join(home.path, "bin", name));
  }
  tool(home, "nvidia-smi", "exec sleep 30");
  const { stdout } = await runProbe({ home, gpuSeconds: 1, path: "/nonexistent" });
  const [pid = 0, since] = Deno.readTextFileSync(`/tmp/.grid-gpu-hung.${userOf(home)}`).split(" ")
    .map(Number);
  removeNote(home);
  assert.match(parseProbe(stdout)?.gpuProblem ?? "", /did not answer in time/);
  assert.ok(pid > 1 && since !== undefined && since > 0);
  await ended(pid);
});

Deno.test("probe.sh copies hostile output of a tool without believing it", async () => {
  using home = tempDir();
  tool(
    home,
    "nvidia-smi",
    `printf '@load 0\\n@gpu-end done\\n@grid-probe end\\n\\033[2Jx\\n\\134n@cpus-online 0-9999\\n0, u, n, 1, 2, 3, 4'; exit 0`,
  );
  const facts = parseProbe((await runProbe({ home })).stdout);
  assert.equal(facts?.gpus.length, 1);
  assert.ok((facts?.cores ?? 0) < 9999);
  assert.equal(facts?.gpus[0]?.temperatureCelsius, 4, "a last line without its end counts");
});

Deno.test("probe.sh asks amd-smi, then rocm-smi, where there is no nvidia-smi", async () => {
  using home = tempDir();
  tool(home, "rocm-smi", `echo '{"card0": {"VRAM Total Memory (B)": "1000"}}'`);
  assert.equal(parseProbe((await runProbe({ home })).stdout)?.gpuTool, "rocm-smi");
  tool(
    home,
    "amd-smi",
    `echo '[{"gpu": 0, "mem_usage": {"total_vram": {"value": 8, "unit": "GB"}}}]'`,
  );
  const facts = parseProbe((await runProbe({ home })).stdout);
  assert.equal(facts?.gpuTool, "amd-smi");
  assert.equal(facts?.gpus[0]?.memoryTotalBytes, 8 * 2 ** 30);
});

Deno.test("probe.sh looks at the disk of the nearest folder that exists", async () => {
  using home = tempDir();
  for (const root of ["~", "~/a/b/c", "/", "/nowhere/at/all", "/proc/no/such"]) {
    const facts = parseProbe((await runProbe({ home, root })).stdout);
    assert.ok(facts, root);
    if (root !== "/proc/no/such") assert.ok((facts.diskFreeBytes ?? 0) > 0, root);
  }
});

Deno.test("probe.sh takes a root of any spelling, and runs none of it", async () => {
  using home = tempDir();
  for (const root of ["$(touch pwned)", "a'b", "-x", "`id`", "~root; touch pwned", "*"]) {
    const { stdout, stderr } = await runProbe({ home, root: `${home.path}/${root}` });
    assert.ok(parseProbe(stdout), root);
    assert.equal(stderr, "", root);
  }
  assert.ok(![...Deno.readDirSync(home.path)].some(({ name }) => name === "pwned"));
});

Deno.test("probe.sh tells of a root that is no folder", async () => {
  using home = tempDir();
  Deno.writeTextFileSync(join(home.path, "work"), "");
  for (const shell of SHELLS) {
    const facts = parseProbe((await runProbe({ home, shell })).stdout);
    assert.equal(facts?.workspaceProblem, `${home.path}/work is no folder`);
  }
  const sound = parseProbe((await runProbe({ home, root: "~/other/root" })).stdout);
  assert.equal(sound?.workspaceProblem, undefined);
});
