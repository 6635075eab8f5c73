/**
 * Runs `deno test` and ends with the names of the tests that were skipped because a real part is
 * missing. Arguments are passed on: folders, files, `--filter`.
 *
 * With `GRID_TEST_AGAIN` set, the few tests that failed beside others run once more, each alone: what
 * passes then is told by name, for it depends on how busy the machine is, and does not fail the whole.
 */
import { fileURLToPath } from "node:url";
import { tempDir } from "./support/temp_dir.ts";
import { testGroups } from "./support/test_groups.ts";
import { type TestName, TestOutput } from "./support/test_output.ts";

/** More than that is no accident. */
const MOST_AGAIN = 6;
// Who has checked the types a moment ago need not do it twice.
const checked = Deno.env.has("GRID_TEST_CHECKED") ? ["--no-check"] : [];
const config = fileURLToPath(new URL("../deno.json", import.meta.url));
const deadline = new URL("support/deadline.ts", import.meta.url).pathname;

/** Both numbers, and what failed and was skipped, of one `deno test`, whose output is passed on. */
async function runTests(args: readonly string[], jobs: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "-A",
      "--frozen",
      `--config=${config}`,
      "--parallel",
      ...checked,
      `--preload=${deadline}`,
      ...args,
    ],
    env: { DENO_JOBS: jobs, NO_COLOR: "1", GRID_TEST_SHARED: shared.path },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = new TestOutput();
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    await Deno.stdout.write(bytes);
    output.add(decoder.decode(bytes, { stream: true }));
  }
  const { code } = await child.status;
  return { code, ...output.result() };
}

async function say(title: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const text = `\n${title}:\n${lines.map((line) => `  ${line}\n`).join("")}`;
  await Deno.stdout.write(new TextEncoder().encode(text));
}

const words = ({ file, name }: TestName) => `${file} => ${name}`;

const groups = tempDir();
/** What tests of several files need, and take long to make. */
const shared = tempDir();
Deno.chmodSync(shared.path, 0o755);
const tests = fileURLToPath(new URL(".", import.meta.url));
const first = await runTests(
  Deno.args.length > 0 ? Deno.args : testGroups(tests, groups.path),
  Deno.env.get("DENO_JOBS") ?? "2",
);
let { code } = first;
const isFew = first.failed.length > 0 && first.failed.length <= MOST_AGAIN;
if (code !== 0 && isFew && !first.isBroken && Deno.env.has("GRID_TEST_AGAIN")) {
  await say("again, each alone", first.failed.map(words));
  const passed: TestName[] = [];
  for (const test of first.failed) {
    const again = await runTests([`--filter=/^${RegExp.escape(test.name)}$/`, test.file], "1");
    if (again.code === 0 && again.passed > 0) passed.push(test);
  }
  await say("failed beside others, passed alone", passed.map(words));
  if (passed.length === first.failed.length) code = 0;
  const totals = `${first.passed + passed.length} passed, ${
    first.failed.length - passed.length
  } failed`;
  await say("both together", [totals]);
}
await say("skipped, a real part is missing", first.skipped);
groups[Symbol.dispose]();
shared[Symbol.dispose]();
Deno.exit(code);
