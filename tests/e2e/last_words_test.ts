/** What a command prints on being told to end is on the screen and in its log, however it is told. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";

const PIPELINE = `name: last-words
steps:
  - id: work
    node: local
    timeout: { kill-grace: 5s }
    run: |
      trap 'echo checkpoint; sleep 0.4; echo bye; exit 0' TERM
      echo begins; touch begun
      while :; do sleep 0.1; done
`;

interface Way {
  readonly name: string;
  readonly code: number;
  readonly limit?: string;
  readonly tell?: (run: { signal(name: Deno.Signal): void }, cwd: string) => void | Promise<void>;
}

const WAYS: readonly Way[] = [
  { name: "a time-out", code: 4, limit: "attempt: 1s" },
  { name: "Ctrl-C", code: 130, tell: (run) => run.signal("SIGINT") },
  {
    name: "grid cancel",
    code: 130,
    tell: async (_run, cwd) => {
      const { code, stderr } = await grid(["cancel", "last"], { cwd });
      assert.equal(code, 0, stderr);
    },
  },
];

/** The step's own shell, which waits for another program, is gone at once. */
const BEHIND_A_SHELL = PIPELINE.replace(/run: \|[^]*/, "run: sh work.sh; true\n");
const WORK = PIPELINE.replace(/[^]*run: \|\n/, "").replaceAll(/^ +/gm, "");

for (const { name, ...way } of WAYS) {
  for (const [whose, pipeline] of [["", PIPELINE], [" of its program", BEHIND_A_SHELL]] as const) {
    keeps(`the last words of a command${whose} are kept: ${name}`, { pipeline, ...way });
  }
}

function keeps(
  name: string,
  { pipeline, code, limit, tell }: Omit<Way, "name"> & { readonly pipeline: string },
): void {
  Deno.test(name, async () => {
    const text = limit === undefined ? pipeline : pipeline.replace("{ kill", `{ ${limit}, kill`);
    using home = project({ "pipeline.yaml": text, "work.sh": WORK });
    await using run = startGrid(["run", "pipeline.yaml"], { cwd: home.path });
    await until(() => existsSync(join(home.path, "begun")) || run.isOver(), { what: "the step" });
    await tell?.(run, home.path);
    const result = await run.ended;
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr + result.stdout, /│ checkpoint\n[^]*│ bye\n/);
    const runs = join(home.path, ".grid", "runs");
    const [folder] = [...Deno.readDirSync(runs)];
    const log = Deno.readTextFileSync(join(runs, folder?.name ?? "", "logs", "work.1.log"));
    assert.equal(log.replaceAll("Terminated\n", ""), "begins\ncheckpoint\nbye\n");
  });
}
