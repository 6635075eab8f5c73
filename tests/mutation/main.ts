/**
 * Breaks one line at a time in the files that do the most harm when they are wrong, and expects a test
 * to fail. `deno task mutate [--most 30] [FILES]` prints who survived, and a table for docs/testing.md.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Mutant, mutantsOf } from "./mutants.ts";

/** Per room: the files, each with the tests that should see a fault in it. */
const ROOMS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "what a sync deletes and a fetch writes": {
    "src/sync/plan.ts": ["tests/unit/sync/plan_test.ts"],
    "src/sync/record.ts": ["tests/unit/sync/record_test.ts"],
    "src/sync/fetch_listing.ts": ["tests/unit/sync/fetch_listing_test.ts"],
    "src/core/relative_path.ts": ["tests/unit/core/relative_path_test.ts"],
  },
  "who gets which GPU": {
    "src/cluster/claims_fit.ts": ["tests/unit/cluster/claims_fit_test.ts"],
    "src/cluster/line_order.ts": ["tests/unit/cluster/line_order_test.ts"],
    "src/cluster/gpu_choice.ts": [
      "tests/unit/cluster/node_choice_test.ts",
      "tests/unit/cluster/devices_test.ts",
    ],
    "src/cluster/node_choice.ts": ["tests/unit/cluster/node_choice_test.ts"],
  },
  "what runs, what is said, what is hidden": {
    "src/engine/schedule/choice.ts": ["tests/unit/engine/schedule"],
    "src/engine/schedule/scheduler.ts": ["tests/unit/engine/schedule"],
    "src/core/shell.ts": ["tests/unit/core/shell_test.ts"],
    "src/core/secret.ts": ["tests/unit/core/secret_test.ts"],
  },
};
/** A change may make a loop that has no end: it is found where the tests take so many times what they take as it is. */
const TIMES_LONGER = 10;
const LEAST_MS = 20_000;

interface Score {
  made: number;
  found: number;
}

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { most: { type: "string", default: "30" } },
  allowPositionals: true,
});
const most = Number(values.most);
if (!(most >= 1)) throw new Error(`--most takes a number from 1, not "${values.most}"`);

const copy = mkdtempSync(join(tmpdir(), "grid-mutation-"));
try {
  for (const name of ["src", "tests", "config", "deno.json", "deno.lock", "mod.ts"]) {
    cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  }
  const rows: string[] = [];
  const all: Score = { made: 0, found: 0 };
  for (const [room, files] of Object.entries(ROOMS)) {
    const score: Score = { made: 0, found: 0 };
    for (const [file, tests] of Object.entries(files)) {
      if (positionals.length > 0 && !positionals.includes(file)) continue;
      await breakFile(file, { tests, score });
    }
    if (score.made > 0) rows.push(rowOf(room, score));
    all.made += score.made;
    all.found += score.found;
  }
  console.log(["", "| room | changes | found |", "| --- | --- | --- |", ...rows].join("\n"));
  console.log(rowOf("all", all));
} finally {
  rmSync(copy, { recursive: true });
}

async function breakFile(
  file: string,
  { tests, score }: { readonly tests: readonly string[]; readonly score: Score },
): Promise<void> {
  const text = Deno.readTextFileSync(join(copy, file));
  const start = performance.now();
  if (!await passes(tests, 600_000)) {
    throw new Error(`${tests.join(" ")} fail before anything is changed`);
  }
  const limitMs = Math.max(LEAST_MS, TIMES_LONGER * (performance.now() - start));
  for (const mutant of spread(mutantsOf(file, text))) {
    Deno.writeTextFileSync(join(copy, file), mutant.text);
    score.made++;
    if (await passes(tests, limitMs)) {
      console.log(`survived: ${file}:${mutant.line}: ${oneLine(mutant.from)} -> ${mutant.to}`);
    } else score.found++;
  }
  Deno.writeTextFileSync(join(copy, file), text);
  console.log(`${file}: done`);
}

/** At most so many, from all parts of the file. */
function spread(mutants: readonly Mutant[]): readonly Mutant[] {
  const step = Math.max(1, mutants.length / most);
  return mutants.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step));
}

async function passes(tests: readonly string[], limitMs: number): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--fail-fast", "--frozen", ...tests],
    cwd: copy,
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(limitMs),
  }).output();
  return success;
}

function rowOf(room: string, { made, found }: Score): string {
  return `| ${room} | ${made} | ${Math.floor((100 * found) / made)} % |`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 60);
}
