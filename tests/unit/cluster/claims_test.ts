import assert from "node:assert/strict";
import { join } from "node:path";
import { claimWord, parseWork } from "../../../src/cluster/claim.ts";
import { systemClock } from "../../../src/core/clock.ts";
import {
  type ClaimNode,
  heldGpus,
  SHELLS,
  startJob,
  tellWork,
  workOn,
} from "../../support/claims.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

const PATIENCE_MS = 30_000;

async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await systemClock.sleep(50);
  }
}

/** The first line that the job prints, once it has printed it. */
async function firstLine(job: Deno.ChildProcess): Promise<string> {
  const reader = job.stdout.getReader();
  try {
    const { value } = await reader.read();
    return new TextDecoder().decode(value).split("\n")[0] ?? "";
  } finally {
    reader.releaseLock();
  }
}

async function ended(job: Deno.ChildProcess): Promise<number> {
  await job.stdout.cancel();
  return (await job.status).code;
}

function kill(pid: number | string): void {
  try {
    Deno.kill(Number(pid), "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Those that such a job has left in sessions of their own. */
async function daemonsOf(job: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-f", "^sleep 601$"] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").filter((pid) => markOf(pid) === job);
}

/** As killed jobs leave them: of a boot that is over. */
function writeDead(folder: string, count: number): void {
  for (let at = 0; at < count; at++) {
    const words = "grid-claim 1\nkind job\npid 1 1 1\nboot gone\nup 1\ngpus GPU-z\nheld\n";
    Deno.writeTextFileSync(join(folder, `gpu.${at}`), words);
  }
}

for (const shell of SHELLS) {
  const name = shell.join(" ");

  testWith(
    ["root"],
    `${name}: no GPU is given where another account has more claims than can be read, and it is said`,
    async () => {
      using folder = tempDir();
      const node: ClaimNode = { folder: folder.path, shell };
      const theirs = join(folder.path, "grid-claims-4242");
      Deno.mkdirSync(theirs);
      writeDead(theirs, 2001);
      for (
        const path of [
          theirs,
          ...[...Deno.readDirSync(theirs)].map((it) => join(theirs, it.name)),
        ]
      ) {
        Deno.chownSync(path, 4242, null);
      }
      const told = await tellWork(node);
      assert.match(told, new RegExp(`^@claims-unfit crowded ${theirs}$`, "m"));
      assert.match(told, /^@claims end$/m, "what others hold is known");
      const output = join(folder.path, "output");
      Deno.writeTextFileSync(output, "");
      const job = startJob(node, { job: "job-1", script: "echo never", output });
      assert.equal(await ended(job), 75);
      assert.match(Deno.readTextFileSync(output), /^grid: no claim: .*grid-claims-4242 holds more/);
      Deno.removeSync(join(theirs, "gpu.0"));
      const next = startJob(node, { job: "job-2", script: "echo begun" });
      assert.equal(await firstLine(next), "begun");
      assert.equal(await ended(next), 0);
    },
  );

  Deno.test(`${name}: what an account's ended jobs left goes, however much it is`, async () => {
    using folder = tempDir();
    const node: ClaimNode = { folder: folder.path, shell };
    const own = join(folder.path, `grid-claims-${Deno.uid()}`);
    Deno.mkdirSync(own);
    writeDead(own, 2500);
    const job = startJob(node, { job: "job-1", script: "echo begun" });
    assert.equal(await firstLine(job), "begun");
    assert.equal(await ended(job), 0);
    await until("the dead ones are gone", async () => {
      // A look ends after a while, whatever is left.
      await tellWork(node);
      return [...Deno.readDirSync(own)].length < 3;
    });
  });

  Deno.test(`${name}: a GPU is held as long as anything of the job lives, and not longer`, async () => {
    using folder = tempDir();
    const node: ClaimNode = { folder: folder.path, shell };
    // A child in the job's session; one in its own that has let go of all it inherited; one without the mark.
    const mine = `job-${crypto.randomUUID()}`;
    const job = startJob(node, {
      job: mine,
      script: `sleep 600 & one=$!
setsid sh -c 'exec 8>&- sleep 601' >/dev/null & two=$!
env -i sleep 602 >/dev/null & three=$!
echo "$$ $one $two $three $CUDA_VISIBLE_DEVICES $GRID_GPUS"
wait`,
    });
    const [leader = "", one = "", , three = "", cuda, index] = (await firstLine(job)).split(" ");
    assert.deepEqual([cuda, index], ["GPU-a", "0"]);
    assert.deepEqual(await heldGpus(node), ["GPU-a"]);
    const other = startJob(node, { job: "job-2", script: 'echo "$CUDA_VISIBLE_DEVICES"' });
    assert.equal(await firstLine(other), "GPU-b");
    assert.equal(await ended(other), 0);
    const third = startJob(node, { job: "job-3", gpus: 2, script: "echo never" });
    assert.equal(await ended(third), 75);
    kill(leader);
    await ended(job);
    // The second job's goes a moment after it.
    await until("the first job's is left", async () => (await heldGpus(node)).join() === "GPU-a");
    kill(one);
    kill(three);
    let daemons: string[] = [];
    await until("the daemon is there", async () => {
      daemons = await daemonsOf(mine);
      return daemons.length === 1;
    });
    assert.deepEqual(await heldGpus(node), ["GPU-a"], "its session is its own, but not its mark");
    kill(daemons[0] ?? "");
    await until("it is free", async () => (await heldGpus(node)).length === 0);
    const next = startJob(node, { job: "job-4", gpus: 2, script: 'echo "$GRID_GPUS"' });
    assert.equal(await firstLine(next), "0,1");
    assert.equal(await ended(next), 0);
  });
}

/** What its environment says of the job that a process belongs to. */
function markOf(pid: string): string | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/environ`);
    return text.split("\0").find((word) => word.startsWith("GRID_JOB="))?.slice("GRID_JOB=".length);
  } catch {
    // Gone, or somebody else's.
    return undefined;
  }
}

Deno.test("a folder that another of the account makes at the same moment is taken as one's own", async () => {
  const program = ["claims.sh", "claim.sh"].map((name) =>
    Deno.readTextFileSync(new URL(`../../../src/cluster/${name}`, import.meta.url))
  ).join("\n");
  for (const shell of SHELLS) {
    using folder = tempDir();
    // Whoever was faster has made it; one's own mkdir says so.
    const script = `${program}
grid_claims_base=${folder.path}/claims
mkdir() { command mkdir "$@" && false; }
grid_claims_own && echo well || echo "$grid_fault"`;
    const [command = "", ...args] = shell;
    const { stdout } = await new Deno.Command(command, { args: [...args, "-c", script] }).output();
    assert.equal(new TextDecoder().decode(stdout), "well\n", shell.join(" "));
  }
});

Deno.test("claims of one group share a GPU, and those that share on purpose", async () => {
  using folder = tempDir();
  const node = { folder: folder.path };
  const script = 'echo "$GRID_GPUS"; sleep 600';
  const pairs = ["GPU-a=0=GPU-a"];
  const jobs = [
    startJob(node, { job: "one", group: "g", pairs, script }),
  ];
  assert.equal(await firstLine(jobs[0]!), "0");
  jobs.push(startJob(node, { job: "two", group: "g", pairs, script }));
  assert.equal(await firstLine(jobs[1]!), "0");
  const stranger = startJob(node, { job: "three", pairs, share: true, script });
  assert.equal(await ended(stranger), 75, "those two do not share with others");
  for (const job of jobs) {
    job.kill("SIGKILL");
    await ended(job);
  }
  await until("both are gone", async () => {
    for (const { pid } of jobs) killGroup(pid);
    return (await heldGpus(node)).length === 0;
  });
  const sharing = ["four", "five"].map((job) =>
    startJob(node, { job, pairs, share: true, script: 'echo "$GRID_GPUS"; sleep 0.2' })
  );
  for (const job of sharing) assert.equal(await firstLine(job), "0");
  for (const job of sharing) assert.equal(await ended(job), 0);
});

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A claim as a job of this very process would make it. */
function claimText(changes: Readonly<Record<string, string>> = {}): string {
  const stat = Deno.readTextFileSync(`/proc/${Deno.pid}/stat`);
  const born = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  const lines = {
    "grid-claim": "1",
    kind: "job",
    pid: `${Deno.pid} ${born} -`,
    boot: Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim(),
    up: "1.0",
    gpus: "GPU-x",
    group: "g",
    held: "yes",
    ...changes,
  };
  return Object.entries(lines).map(([key, value]) => `${key} ${value}\n`).join("");
}

Deno.test("what was claimed before the machine went down, or by a number that is another's now, is free", async () => {
  using folder = tempDir();
  const own = join(folder.path, `grid-claims-${Deno.uid()}`);
  Deno.mkdirSync(own, { mode: 0o755 });
  const write = (name: string, changes: Readonly<Record<string, string>>) =>
    Deno.writeTextFileSync(join(own, name), claimText(changes));
  write("gpu.lives", {});
  write("gpu.boot", { boot: "another", gpus: "GPU-1" });
  write("gpu.born", { pid: `${Deno.pid} 1 -`, gpus: "GPU-2" });
  write("gpu.late", { seen: "1.0", ttl: "5", gpus: "GPU-3" });
  write("gpu.format", { "grid-claim": "2", gpus: "GPU-4" });
  write("gpu.words", { run: "a b", step: "x\x1b[2J", gpus: "GPU-5" });
  const { claims } = await workOn({ folder: folder.path });
  assert.deepEqual(claims.map(({ gpus }) => gpus[0]).toSorted(), ["GPU-5", "GPU-x"]);
  assert.deepEqual(claims.map(({ run, step }) => `${run}${step}`), ["", ""]);
  const left = [...Deno.readDirSync(own)].map(({ name }) => name).toSorted();
  assert.deepEqual(
    left,
    ["gpu.format", "gpu.lives", "gpu.words"],
    "dead ones of our own are removed",
  );
});

testWith(
  ["root"],
  "nobody claims in another's name, and nothing they plant holds others up",
  async () => {
    using folder = tempDir();
    Deno.chmodSync(folder.path, 0o1777);
    const theirs = join(folder.path, "grid-claims-theirs");
    Deno.mkdirSync(theirs);
    Deno.chmodSync(theirs, 0o755);
    Deno.writeTextFileSync(join(theirs, "gpu.honest"), claimText({ gpus: "GPU-1" }));
    Deno.writeTextFileSync(
      join(theirs, "gpu.big"),
      claimText({ gpus: "GPU-2" }) + "x".repeat(70_000),
    );
    Deno.chownSync(join(theirs, "gpu.honest"), 12_345, 12_345);
    Deno.chownSync(join(theirs, "gpu.big"), 12_345, 12_345);
    // Not written by whose folder it is.
    Deno.writeTextFileSync(join(theirs, "gpu.root"), claimText({ gpus: "GPU-3" }));
    Deno.symlinkSync(join(theirs, "gpu.honest"), join(theirs, "gpu.link"));
    await new Deno.Command("mkfifo", { args: [join(theirs, "gpu.fifo")] }).output();
    Deno.chownSync(theirs, 12_345, 12_345);
    const open = join(folder.path, "grid-claims-open");
    Deno.mkdirSync(open);
    Deno.chmodSync(open, 0o777);
    Deno.writeTextFileSync(join(open, "gpu.planted"), claimText({ gpus: "GPU-4" }));
    Deno.chownSync(join(open, "gpu.planted"), 12_345, 12_345);
    Deno.chownSync(open, 12_345, 12_345);
    Deno.symlinkSync(theirs, join(folder.path, "grid-claims-link"));
    const { claims } = await workOn({ folder: folder.path });
    assert.deepEqual(claims.map(({ gpus }) => gpus), [["GPU-1"]]);
    assert.equal(claims[0]?.isOwn, false);
    assert.equal(claims[0]?.account, "12345");
    assert.equal((Deno.statSync(open).mode ?? 0) & 0o777, 0o777, "another's stays as it is");
  },
);

for (const shell of SHELLS) {
  Deno.test(`${shell.join(" ")}: a folder of one's own that somebody has opened is closed, and counts`, async () => {
    using folder = tempDir();
    const node = { folder: folder.path, shell };
    const own = join(folder.path, `grid-claims-${Deno.uid()}`);
    const modeOf = () => (Deno.statSync(own).mode ?? 0) & 0o777;
    Deno.mkdirSync(own);
    Deno.chmodSync(own, 0o777);
    const script = 'echo "$GRID_GPUS"; sleep 600';
    const job = startJob(node, { job: "opened", gpus: 2, script });
    using _gone = { [Symbol.dispose]: () => killGroup(job.pid) };
    assert.equal(await firstLine(job), "0,1");
    assert.equal(modeOf(), 0o755, "before anything is held in it");
    Deno.chmodSync(own, 0o775);
    assert.deepEqual(await heldGpus(node), ["GPU-a", "GPU-b"]);
    assert.equal(modeOf(), 0o755, "by whoever looks next");
    killGroup(job.pid);
    await ended(job);
  });
}

testWith(
  ["root"],
  "a folder that cannot be had is named, with its owner and the way out",
  async () => {
    using folder = tempDir();
    const own = join(folder.path, `grid-claims-${Deno.uid()}`);
    Deno.mkdirSync(own);
    Deno.chownSync(own, 12_345, 12_345);
    const output = join(folder.path, "output");
    const job = startJob({ folder: folder.path }, { job: "one", output, script: "echo never" });
    assert.equal(await ended(job), 75);
    assert.equal(
      Deno.readTextFileSync(output),
      `grid: no claim: ${own} belongs to somebody else (owner 12345, mode drwxr-xr-x): have it removed\n`,
    );
  },
);

Deno.test("a lease that an earlier version holds is honoured", async () => {
  using folder = tempDir();
  const stat = Deno.readTextFileSync(`/proc/${Deno.pid}/stat`);
  const born = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  Deno.writeTextFileSync(join(folder.path, `GPU-a@${Deno.pid}@${born}@other`), "ada job\n");
  const job = startJob({ folder: folder.path }, { job: "one", script: 'echo "$GRID_GPUS"' });
  assert.equal(await firstLine(job), "1");
  assert.equal(await ended(job), 0);
});

Deno.test("an answer that is not whole tells nothing, and words come back as they were", () => {
  assert.equal(parseWork(["@claim job held yes ada 1 - r s p o g no - -"]).isWhole, false);
  const step = "train[lr=1e-3, x=ä b]";
  const line = `@claim job held yes ada 61 600 r ${claimWord(step)} p o g yes - GPU-1,GPU-2`;
  const [claim] = parseWork([line, "@claim job held yes ada", "@claims end"]).claims;
  assert.equal(claim?.step, step);
  assert.deepEqual([claim?.ageMs, claim?.lastsMs, claim?.isShared], [61_000, 600_000, true]);
  assert.deepEqual(claim?.gpus, ["GPU-1", "GPU-2"]);
  for (const text of ["", "-", "a'b", "\u{1F600}".repeat(50)]) {
    assert.match(claimWord(text), /^[A-Za-z0-9._%-]{1,120}$/);
  }
});
