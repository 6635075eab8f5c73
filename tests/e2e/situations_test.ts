/**
 * Situations from the world's bug reports, one folder each in `situations/`: `check.sh` goes into the
 * situation as its user would and ends with 0 where Grid does what `docs/situations.md` says of it. Alone:
 *
 *   deno test -A tests/e2e/situations_test.ts --filter dead_first_address
 *
 * Lines of `check.sh` that begin with `# needs:`, `# nodes:`, `# sshd:` and `# home:` say what it finds,
 * see `readSituation`. The other files of the folder are its project. To add one, add a folder and a row.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { accountHome, runAtHome } from "../support/fresh_home.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { type Part, testWith } from "../support/requires.ts";
import { REPOSITORY } from "../support/cli.ts";
import { removeFolder, tempDir } from "../support/temp_dir.ts";

const FOLDER = join(import.meta.dirname ?? ".", "situations");
const PAGE = join(REPOSITORY, "docs", "situations.md");

interface Situation {
  readonly name: string;
  /** `# needs: sshd, root`: real parts; where one is missing the situation is skipped by name. */
  readonly needs: readonly Part[];
  /** `# nodes: 2`: so many OpenSSH nodes `node1`, `node2`; `$LAB_HOST`, `$LAB_PORT` are those of the first. */
  readonly nodes: number;
  /** `# sshd: MaxSessions 1`: lines for their daemons. */
  readonly sshd: readonly string[];
  /** `# home: fresh`: an empty home lies over the account's, and `/etc/hosts` may be written to. */
  readonly isFreshHome: boolean;
}

function readSituation(name: string): Situation {
  const text = Deno.readTextFileSync(join(FOLDER, name, "check.sh"));
  const said = (word: string) =>
    [...text.matchAll(new RegExp(`^# ${word}: (.*)$`, "gm"))].map(([, value]) => value ?? "");
  const isFreshHome = said("home").includes("fresh");
  const nodes = Number(said("nodes")[0] ?? 0);
  const needs = [
    ...said("needs").flatMap((list) => list.split(",").map((part) => part.trim())),
    ...(nodes > 0 ? ["sshd"] : []),
    ...(isFreshHome ? ["root"] : []),
  ];
  return {
    name,
    needs: [...new Set(needs)] as Part[],
    nodes,
    sshd: said("sshd"),
    isFreshHome,
  };
}

const situations = [...Deno.readDirSync(FOLDER)].filter(({ isDirectory }) => isDirectory)
  .map(({ name }) => name).toSorted().map(readSituation);

for (const situation of situations) {
  testWith(situation.needs, `situation ${situation.name}`, () => goInto(situation));
}

async function goInto({ name, nodes, sshd, isFreshHome }: Situation): Promise<void> {
  using project = tempDir();
  for (const entry of Deno.readDirSync(join(FOLDER, name))) {
    if (entry.isFile) {
      Deno.copyFileSync(join(FOLDER, name, entry.name), join(project.path, entry.name));
    }
  }
  await using lab = nodes > 0
    ? await startOpenSsh({ nodes, gpus: 0, sshdConfig: sshd })
    : undefined;
  const first = lab?.nodes[0];
  Deno.mkdirSync(join(project.path, "config"));
  if (lab) {
    const config = labConfig({ lab, rayMode: "embedded" });
    Deno.writeTextFileSync(join(project.path, "config", "cluster_config.yaml"), config);
  }
  const command = ["sh", "-c", 'cd "$1" && exec sh ./check.sh', "sh", project.path];
  const env = {
    ...Deno.env.toObject(),
    NO_COLOR: "1",
    GRID_DENO: Deno.execPath(),
    // Where HOME is another one the modules would be fetched anew.
    DENO_DIR: Deno.env.get("DENO_DIR") ?? `${accountHome()}/.cache/deno`,

    PATH: `${REPOSITORY}/bin:${Deno.env.get("PATH")}`,
    ...(first && lab
      ? {
        LAB_HOST: first.host,
        LAB_PORT: String(first.port),
        LAB_USER: first.endpoint.user ?? "",
        LAB_KEY: lab.keyFile,
        LAB_KNOWN_HOSTS: lab.knownHosts,
      }
      : {}),
  };
  const { code, stdout, stderr } = isFreshHome
    ? await atFreshHome(command, env)
    : await runHere(command, env);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
}

async function atFreshHome(command: readonly string[], env: Readonly<Record<string, string>>) {
  const folder = Deno.makeTempDirSync({ prefix: "grid-test-" });
  try {
    return await runAtHome({ folder }, command, env);
  } finally {
    removeFolder(folder);
  }
}

async function runHere(
  [program = "sh", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const child = new Deno.Command(program, { args, env, stdin: "null" });
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("docs/situations.md has one row for each situation, and no other", () => {
  const rows = Deno.readTextFileSync(PAGE).split("\n")
    .flatMap((line) => /^\| `(\w+)` +\|/.exec(line)?.[1] ?? []);
  assert.deepEqual(rows.toSorted(), situations.map(({ name }) => name));
});

testWith(["shellcheck"], "every situation's check.sh is clean", () => {
  const files = situations.map(({ name }) => join(FOLDER, name, "check.sh"));
  const { success, stdout } = new Deno.Command("shellcheck", { args: ["-s", "sh", ...files] })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stdout));
});
