/**
 * How long the program takes to its first word, and to check long files, beside an empty Deno file.
 * Medians of 20 runs; what it takes at most stands beside what it may take. OLD names a commit whose `grid run` of one
 * step is measured in turns with this build's.
 */
import { join } from "node:path";
import { programArgs, REPOSITORY } from "../support/cli.ts";
import {
  buildRelease,
  installWithDeno,
  installWithNpm,
  linkClone,
  unpackArchive,
} from "../support/installs.ts";
import { tempDir } from "../support/temp_dir.ts";

const RUNS = 20;
/** Each of five starts. */
const ROUNDS = 7;
using folder = tempDir();
const empty = join(folder.path, "empty.ts");
const chain = join(folder.path, "chain.yaml");
const train = ["-C", REPOSITORY, "plan", "pipelines/train.yaml"];
await Deno.writeTextFile(empty, "export {};\n");
await Deno.writeTextFile(chain, "name: one\nsteps:\n  - { id: a, node: local, run: 'true' }\n");

/** A file of so many steps that do nothing. */
async function longFile(steps: number): Promise<string> {
  const lines = Array.from(
    { length: steps },
    (_, at) => `  - { id: s${at}, needs: [], node: local, run: ":" }\n`,
  );
  const path = join(folder.path, `steps_${steps}.yaml`);
  await Deno.writeTextFile(path, `name: long\nsteps:\n${lines.join("")}`);
  return path;
}

/** The same number of steps as people write them: blocks, variables, expressions, limits. */
async function realFile(steps: number): Promise<string> {
  const lines = Array.from({ length: steps }, (_, at) => `
  - id: step_${at}
    needs: [${at === 0 ? "" : `step_${at - 1}`}]
    node: local
    env:
      EPOCHS: \${{ inputs.epochs }}
      LAST: ${at === 0 ? "none" : `\${{ steps.step_${at - 1}.outputs.value }}`}
    run: |
      python3 train.py --epochs "$EPOCHS" --part ${at}
      echo "value=1" >> "$GRID_OUTPUT"
    timeout: { attempt: 10m, idle: 2m }
    retry: 2
`);
  const path = join(folder.path, `real_${steps}.yaml`);
  const head = "name: real\ninputs:\n  epochs: { type: integer, default: 3 }\nsteps:\n";
  await Deno.writeTextFile(path, head + lines.join(""));
  return path;
}

/** Small files that ask for more than a file in earnest: thousands of mistakes, values and brackets. */
async function oddFiles(): Promise<readonly (readonly [name: string, path: string])[]> {
  const many = (count: number, line: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => line(at)).join("");
  const long = "b".repeat(80);
  const deep = `${"[".repeat(300)}${many(100_000, () => "{a: 1},")}${"]".repeat(300)}`;
  const values = "      cat <<EOF\n      ${{ inputs.a }}\n      EOF\n";
  const files: readonly (readonly [string, string])[] = [
    [
      "375 unknown names",
      `steps:\n${
        many(375, (at) => `  - { id: ${"a".repeat(80)}${at}, run: x, needs: ${long}${at} }\n`)
      }`,
    ],
    [
      "2,500 values in a script",
      `inputs: { a: { type: string, default: x } }\nsteps:\n  - id: a\n    run: |\n${
        many(2500, () => values)
      }`,
    ],
    [
      "7,200 wrong keys",
      `steps:\n${many(2400, (at) => `  - { id: s${at}, rnu: x, neds: a, timout: 1m }\n`)}`,
    ],
    [
      "an open quote",
      `steps:\n  - id: a\n    run: "x\n${many(25_000, (at) => `      line ${at}\n`)}`,
    ],
    ["300 brackets", `x-a: ${deep}\nsteps: [{ id: a, run: x }]\n`],
    [
      "650 steps after all",
      `steps:\n${
        many(650, (at) => `  - { id: s${at}, run: x, needs: [${many(at, (to) => `s${to},`)}] }\n`)
      }`,
    ],
  ];
  return await Promise.all(files.map(async ([name, text], at) => {
    const path = join(folder.path, `odd_${at}.yaml`);
    await Deno.writeTextFile(path, text);
    return [name, path] as const;
  }));
}

async function median(args: readonly string[], runs = RUNS): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: folder.path,
      stdout: "null",
      stderr: "null",
    }).output();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN;
}

/**
 * Every launcher beside an empty script of the same Deno, as CPU time of both in turn: on a machine
 * that others use, too, nothing else can be compared. It may be 1.5 times as much.
 */
async function launcherRows(): Promise<void> {
  using release = await buildRelease();
  using npm = await installWithNpm(release.npm);
  using archive = await unpackArchive(release.archive);
  using link = await linkClone();
  using shim = await installWithDeno();
  const env = { GRID_DENO: Deno.execPath() };
  const ways = [["link to bin/grid", link], ["deno install -g", shim], ["npm", npm], [
    "archive",
    archive,
  ]] as const;
  for (const [name, { grid }] of ways) {
    const ratios: number[] = [];
    for (let run = 0; run < ROUNDS; run++) {
      const base = await cpuMs([Deno.execPath(), "run", "-A", empty], env);
      ratios.push(await cpuMs([grid, "--help"], env) / base);
    }
    const ratio = ratios.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
    console.log(
      `${`${name} --help`.padEnd(24)} ${"".padStart(5)}     ${ratio.toFixed(2)}×  budget 1.5×`,
    );
  }
}

/** `grid run` of one local step, by CPU time of all that it starts, too; each with the flags of its own task. */
async function runRow(): Promise<void> {
  const old = Deno.env.get("OLD");
  const own: number[] = [];
  const theirs: number[] = [];
  using place = tempDir();
  const earlier = join(place.path, "old");
  const [here, there] = [projectIn(place.path, "here"), projectIn(place.path, "there")];
  const [cache, oldCache] = await Promise.all([here, there].map(cacheBeside));
  if (old !== undefined) await git("worktree", "add", "--detach", earlier, old);
  try {
    for (let round = 0; round < ROUNDS; round++) {
      own.push(await cpuMs(runWords(REPOSITORY), { DENO_DIR: cache ?? "" }, here));
      if (old === undefined) continue;
      theirs.push(await cpuMs(runWords(earlier), { DENO_DIR: oldCache ?? "" }, there));
    }
  } finally {
    if (old !== undefined) await git("worktree", "remove", "--force", earlier);
  }
  const least = Math.min(...own);
  const beside = old === undefined
    ? ""
    : `  ${(least / Math.min(...theirs)).toFixed(2)}× of ${old.slice(0, 7)}, at most 0.8×`;
  console.log(
    `${"grid run, one step".padEnd(24)} ${(least / 5).toFixed(0).padStart(5)} ms of CPU${beside}`,
  );
}

/** Builds do not read each other's stores. */
function projectIn(folder: string, name: string): string {
  const project = join(folder, name);
  Deno.mkdirSync(join(project, ".grid"), { recursive: true });
  Deno.copyFileSync(chain, join(project, "chain.yaml"));
  return project;
}

/** What Deno has compiled of itself for one set of flags, another set throws out. */
async function cacheBeside(project: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly npmCache: string;
  };
  const cache = `${project}_deno`;
  Deno.mkdirSync(cache);
  Deno.symlinkSync(npmCache, join(cache, "npm"));
  return cache;
}

function runWords(build: string): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(build, "deno.json")));
  const flag = /--v8-flags=\S+/.exec(tasks.grid.command ?? tasks.grid)?.[0];
  const config = ["--config", join(build, "deno.json")];
  const main = join(build, "src", "cli", "main.ts");
  return [
    ...[Deno.execPath(), "run", ...(flag === undefined ? [] : [flag])],
    ...["--quiet", "--allow-all", "--frozen", ...config, main, "run", "chain.yaml"],
  ];
}

async function git(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("git", { args, cwd: REPOSITORY }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** User and system time of five starts, as their shell counts it: in steps of 10 ms. */
async function cpuMs(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = folder.path,
): Promise<number> {
  const { stdout, success } = await new Deno.Command("sh", {
    args: ["-c", 'for _ in 1 2 3 4 5; do "$@" >/dev/null || exit; done; times', "sh", ...words],
    cwd,
    env,
    stdin: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`${words.join(" ")} failed`);
  // The shell's own times stand on the first line.
  const children = new TextDecoder().decode(stdout).split("\n")[1] ?? "";
  const times = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return times.reduce((sum, [, m, s]) => sum + 60_000 * Number(m) + 1000 * Number(s), 0);
}

/** Time until the first byte on stderr. */
async function medianFirstLine(args: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: folder.path,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reader = child.stderr.getReader();
    await reader.read();
    times.push(performance.now() - start);
    while (!(await reader.read()).done);
    await child.status;
  }
  return times.toSorted((a, b) => a - b)[RUNS / 2] ?? Number.NaN;
}

const base = await median(["run", empty]);
const rows = [
  ["empty Deno file", base, undefined],
  ["grid --help", await median(programArgs(["--help"])), 50],
  ["grid plan", await median(programArgs(["plan", chain])), 100],
  ["grid plan, train.yaml", await median(programArgs(train)), 100],
  ["grid run, first line", await medianFirstLine(programArgs(["run", chain])), 150],
  [
    "validate, 1,000 steps",
    await median(programArgs(["validate", await longFile(1000)])),
    300,
  ],
  [
    "the same as people write",
    await median(programArgs(["validate", await realFile(1000)])),
    undefined,
  ],
  [
    "validate, 10,000 steps",
    await median(programArgs(["validate", await longFile(10_000)]), 5),
    2000,
  ],
] as const;
for (const [name, ms, budget] of rows) {
  const ratio = (ms / base).toFixed(1);
  console.log(
    `${name.padEnd(24)} ${ms.toFixed(0).padStart(5)} ms  ${ratio.padStart(4)}×` +
      (budget ? `  budget ${budget} ms` : ""),
  );
}
for (const [name, path] of await oddFiles()) {
  const ms = await median(programArgs(["validate", path]), 3);
  console.log(`${name.padEnd(24)} ${ms.toFixed(0).padStart(5)} ms         budget 2000 ms`);
}
await runRow();
await launcherRows();
