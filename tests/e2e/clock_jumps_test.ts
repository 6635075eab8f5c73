/** Somebody sets the clock of the machine while a run goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { findFaketime, testWith } from "../support/requires.ts";
import type { TempDir } from "../support/temp_dir.ts";

const PIPELINE = `name: p
steps:
  - id: plain
    node: here
    run: touch up; until [ -e changed ]; do sleep 0.1; done; sleep 2; echo done
  - id: graceful
    node: here
    # On a busy machine it takes a while until the trap stands.
    timeout: { attempt: 4s, kill-grace: 30s }
    allow-failure: true
    run: |
      trap 'touch saving; sleep 2; echo saved; exit 1' TERM
      while :; do sleep 0.1; done
`;

/** The runner is taken for gone where it says nothing for twenty seconds. */
const NODES = "nodes: [{ name: here, transport: local }]\njobs: { lease: 20 }\n";

/** As libfaketime reads its file: an offset, or a moment at which the clock stands still. */
const CHANGES = {
  "an hour forth": "+3600",
  "an hour back": "-3600",
  frozen: "2026-01-31 12:00:00",
};
/** Nothing here takes this long, also not on a busy machine. */
const FAR_TOO_LONG_MS = 20 * 60_000;

function fakeTime(folder: TempDir): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: findFaketime() ?? "",
    FAKETIME_TIMESTAMP_FILE: join(folder.path, "clock"),
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

interface Timed {
  readonly durationMs: number;
}

for (const [name, clock] of Object.entries(CHANGES)) {
  testWith(
    ["faketime"],
    `a clock that is ${name} in mid-run shortens no grace and no lease, and lengths stay right`,
    async () => {
      using folder = project({ "p.yaml": PIPELINE });
      using work = project({});
      Deno.writeTextFileSync(
        join(folder.path, "nodes.yaml"),
        `${NODES}remote_root: ${work.path}
`,
      );
      const file = join(folder.path, "clock");
      Deno.writeTextFileSync(file, "+0\n");
      const args = ["run", "p.yaml", "--config", "nodes.yaml"];
      await using run = startGrid(args, { cwd: folder.path, env: fakeTime(folder) });
      const isThere = (what: string) => exists(join(work.path, what));
      await until(() => run.isOver() || (isThere("up") && isThere("saving")), {
        what: "the grace",
      });
      assert.ok(!run.isOver(), "the run ended before its clock changed");
      Deno.writeTextFileSync(file, `${clock}\n`);
      Deno.writeTextFileSync(join(work.path, "changed"), "");
      const { code, stderr } = await run.ended;
      assert.equal(code, 0, stderr);
      const saved = await grid(["logs", "last", "graceful"], { cwd: folder.path });
      assert.match(saved.stdout, /^saved$/m);
      const { stdout } = await grid(["report", "--json"], { cwd: folder.path });
      const report = JSON.parse(stdout);
      const steps: readonly (Timed & { readonly attempts: readonly Timed[] })[] = report.steps;
      for (
        const { durationMs } of [
          report,
          ...steps,
          ...steps.flatMap(({ attempts }) => attempts),
        ]
      ) {
        assert.ok(durationMs >= 1000 && durationMs < FAR_TOO_LONG_MS, `${durationMs}`);
      }
    },
  );
}
