/** A supervisor in every shell that a node may have, with each of the programs that mask. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withDeadline } from "../../../../src/core/deadline.ts";
import { GridError } from "../../../../src/core/errors.ts";
import { maskPatterns } from "../../../../src/transport/job/output_mask.ts";
import { waitFor } from "../../../support/job_contract.ts";
import { MASK_PROGRAMS, type MaskProgram } from "../../../support/mask_program.ts";
import { descendantsOf, processesWith } from "../../../support/processes.ts";
import { findProgram, type Part, testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { writeProgram } from "../../../support/program_file.ts";

const FUNCTIONS = fileURLToPath(
  new URL("../../../../src/transport/job/job_mask.sh", import.meta.url),
);
const SHELLS: readonly (readonly [Part, ...string[]])[] = [
  ["dash"],
  ["bash"],
  ["bash", "--posix"],
  ["busybox", "ash"],
];
const SECRET = "hunter2000";

/** Prints the number of the filter, then the command's exit code and what became of its output. */
const SUPERVISOR = `
grid_which() { grid_program=; }
. "$0"
cd "$1" || exit
grid_job=./job command=$2
grid_perl='' grid_python=''
case $3 in
  perl) grid_perl=$4 ;;
  *) grid_python=$4 ;;
esac
grid_mask "$5" "$5" "$(cat)"
grid_mask_patience=$TEST_TIMEOUT
grid_mask_start || exit
echo "$grid_filter"
( exec sh -c "$command" ) >&5 2>&6 5>&- 6>&- 7<&- </dev/null
code=$?
grid_mask_end
echo "$code $?"
`;

interface Supervised extends AsyncDisposable {
  /** Process number of the supervisor. */
  readonly pid: number;
  readonly folder: string;
  filterPid(): Promise<number>;
  /** "<exit code> <what grid_mask_end returned>" */
  end(): Promise<string>;
  out(): string;
}

interface SuperviseOptions {
  readonly shell: readonly string[];
  readonly program: MaskProgram;
  readonly command: string;
  /** What the filter is told of; default the secret. */
  readonly patterns?: string;
  /** Seconds that the supervisor waits for the filter's answer. */
  readonly timeout?: number;
  /** Where stdout goes instead of a file. */
  readonly device?: string;
  /** Folder whose programs come first. */
  readonly programs?: string;
}

async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const { shell: [name = "sh", ...flags], program, command, timeout = 60, device } = options;
  const path = [options.programs ?? [], Deno.env.get("PATH") ?? ""].flat().join(":");
  const mark = crypto.randomUUID();
  const folder = tempDir();
  if (device !== undefined) Deno.symlinkSync(device, `${folder.path}/job.out`);
  const child = new Deno.Command(name, {
    args: [
      ...flags,
      "-c",
      SUPERVISOR,
      FUNCTIONS,
      folder.path,
      command,
      program.part,
      ...interpreterAndText(program),
    ],
    env: { TEST_TIMEOUT: String(timeout), TEST_MARK: mark, PATH: path },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.patterns ?? maskPatterns([SECRET])));
  await writer.close();
  const lines = linesOf(child.stdout);
  const pid = lines.next();
  return {
    pid: child.pid,
    folder: folder.path,
    filterPid: async () => Number((await pid).value),
    async end() {
      await pid;
      const { value } = await lines.next();
      await lines.return(undefined);
      await child.status;
      return value ?? "";
    },
    out: () => Deno.readTextFileSync(`${folder.path}/job.out`),
    async [Symbol.asyncDispose]() {
      // Nothing is left: no filter, no timer, no reader.
      await waitFor(() => processesWith(`TEST_MARK=${mark}`).length === 0);
      folder[Symbol.dispose]();
    },
  };
}

function interpreterAndText(program: MaskProgram): string[] {
  const argv = program.argv();
  return [argv[0] ?? "", argv.at(-1) ?? ""];
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}

for (const shell of SHELLS) for (const program of MASK_PROGRAMS) describe(shell, program);

function describe(shell: readonly [Part, ...string[]], program: MaskProgram): void {
  const test = (name: string, run: () => Promise<void>) =>
    testWith([shell[0], program.part], `${shell.join(" ")} with ${program.name}: ${name}`, run);

  test("the files hold everything, masked, once the command has ended", async () => {
    const command = `printf 'a${SECRET}\\0b\\rhunt'; printf 'x${SECRET}\\nhunter' >&2; exit 7`;
    await using job = await supervise({ shell, program, command });
    assert.equal(await job.end(), "7 0");
    assert.equal(job.out(), "a***\0b\rhunt");
    assert.equal(Deno.readTextFileSync(`${job.folder}/job.err`), "x***\nhunter");
    const left = [...Deno.readDirSync(job.folder)].map((entry) => entry.name).toSorted();
    assert.deepEqual(left, ["job.err", "job.out"]);
  });

  test("a large output arrives whole", async () => {
    await using job = await supervise({ shell, program, command: "seq 200000; seq 9 >&2" });
    assert.equal(await job.end(), "0 0");
    const numbers = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`);
    assert.equal(job.out(), numbers.join(""));
  });

  test("children that outlive the command are waited for by nobody, and masked", async () => {
    const child = `while [ ! -e go ]; do sleep 0.02; done; echo later ${SECRET}; rm go`;
    const command = `(${child}) & echo first ${SECRET}; printf hunter; exit 0`;
    await using job = await supervise({ shell, program, command });
    assert.equal(await job.end(), "0 0");
    assert.equal(job.out(), "first ***\nhunter");
    // Nobody is left to hear the answer.
    Deno.kill(await job.filterPid(), "SIGUSR1");
    Deno.writeTextFileSync(`${job.folder}/go`, "");
    await waitFor(() => job.out() === "first ***\nhunterlater ***\n");
  });

  test("a child that never stops printing does not keep the supervisor", async () => {
    const command = `yes ${SECRET} & echo $! >yes; echo last ${SECRET} >&2`;
    await using job = await supervise({ shell, program, command, device: "/dev/null" });
    assert.equal(await job.end(), "0 0");
    assert.equal(Deno.readTextFileSync(`${job.folder}/job.err`), "last ***\n");
    Deno.kill(Number(Deno.readTextFileSync(`${job.folder}/yes`)), "SIGKILL");
  });

  test("a timer that overlooks its first signals, being young, is not waited for", async () => {
    using programs = tempDir();
    const real = findProgram("sleep");
    const young =
      `#!/bin/sh\ntrap : PIPE\n[ "$1" != 60 ] || ${real} 0.1\ntrap - PIPE\nexec ${real} "$@"\n`;
    writeProgram(`${programs.path}/sleep`, young);
    await using job = await supervise({
      ...{ shell, program, command: `echo ${SECRET}` },
      programs: programs.path,
    });
    const late = () => new GridError({ code: "timed-out", message: "it was waited for" });
    assert.equal(await withDeadline(() => job.end(), { ms: 20_000, error: late }), "0 0");
    assert.equal(job.out(), "***\n");
  });

  test("a full disk does not end the command, and is told", async () => {
    const command = `seq 100000 && echo ${SECRET} && exit 4`;
    await using job = await supervise({ shell, program, command, device: "/dev/full" });
    assert.equal(await job.end(), "4 1");
  });

  test("the command's last words are kept after polite signals to everybody", async () => {
    const command =
      `trap 'echo last ${SECRET}; exit 5' USR1; touch set; while :; do sleep 0.02; done`;
    await using job = await supervise({ shell, program, command });
    const filter = await job.filterPid();
    await waitFor(async () => await exists(`${job.folder}/set`));
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) Deno.kill(filter, signal);
    // As long as it is no program of its own, the filter goes by the supervisor's words.
    const commands = descendantsOf(job.pid)
      .filter(({ command, pid }) =>
        command.includes("trap") && !command.includes("grid_mask") && pid !== filter
      );
    for (const one of commands) Deno.kill(one.pid, "SIGUSR1");
    assert.equal(await job.end(), "5 0");
    assert.equal(job.out(), "last ***\n");
  });

  test("nothing is told of a command whose filter has not heard of its secrets", async () => {
    const command = `echo ${SECRET}; echo ${SECRET} >&2`;
    await using job = await supervise({ shell, program, command, patterns: "" });
    assert.match(await job.end(), / 2$/);
    assert.equal(job.out(), "");
    assert.equal(Deno.readTextFileSync(`${job.folder}/job.err`), "");
  });

  test("no process tells the secret", async () => {
    const command = "touch set; while [ ! -e go ]; do sleep 0.02; done";
    await using job = await supervise({ shell, program, command });
    const filter = await job.filterPid();
    await waitFor(async () => await exists(`${job.folder}/set`));
    const hex = new TextEncoder().encode(SECRET).toHex();
    for (const pid of [job.pid, filter, ...descendantsOf(job.pid).map((one) => one.pid)]) {
      for (const file of ["cmdline", "environ"]) {
        const text = readProc(`/proc/${pid}/${file}`);
        assert.ok(!text.includes(SECRET) && !text.includes(hex), `${file} of ${pid}`);
      }
    }
    Deno.writeTextFileSync(`${job.folder}/go`, "");
    assert.equal(await job.end(), "0 0");
  });

  test("a filter that dies or does not answer is told", async () => {
    const command = "while [ ! -e go ]; do sleep 0.02; done";
    for (const [signal, told] of [["SIGKILL", "0 2"], ["SIGSTOP", "0 141"]] as const) {
      await using job = await supervise({ shell, program, command, timeout: 1 });
      const filter = await job.filterPid();
      Deno.kill(filter, signal);
      Deno.writeTextFileSync(`${job.folder}/go`, "");
      assert.equal(await job.end(), told);
      if (signal === "SIGSTOP") Deno.kill(filter, "SIGCONT");
    }
  });
}

/** Empty for a process that has gone. */
function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
