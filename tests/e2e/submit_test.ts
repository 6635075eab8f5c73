/** A run that goes on without the terminal it was started in, and looking at it from another one. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { grid, programArgs, project, startGrid, startInTerminal, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { findAccount, testWith } from "../support/requires.ts";
import { sealNetwork } from "../support/sealed_network.ts";
import { tempDir } from "../support/temp_dir.ts";
import { SecretHunt } from "../support/secret_hunt.ts";
import { writeProgram } from "../support/program_file.ts";

/** Prints, waits until it may go on, and prints the rest. */
const WAITING = `name: waiting
steps:
  - id: talks
    node: local1
    run: |
      echo first
      while [ ! -e "$HERE/go" ]; do sleep 0.1; done
      printf 'last\\n%s' 'without an end'
    env: { HERE: "\${{ env.HERE }}" }
`;

interface Home {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

function homeOf(path: string): Home {
  return { path, env: { HERE: path } };
}

const go = ({ path }: Home) => Deno.writeTextFileSync(join(path, "go"), "");

async function submit(home: Home, words: readonly string[] = ["p.yaml"]): Promise<string> {
  const { code, stdout, stderr } = await grid(["submit", ...words], {
    cwd: home.path,
    env: home.env,
  });
  assert.equal(code, 0, stderr);
  const run = stdout.trim();
  assert.match(run, /^\d{8}-\d{6}-\w{4}$/);
  return run;
}

function answersCtrlC(pid: number): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1] ?? "0"}`);
  return (caught & 2n) !== 0n; // SIGINT is the second signal
}

/** Of the lines that tell a step's output. */
const printed = (text: string) =>
  text.split("\n").filter((line) => line.includes("│")).map((line) => line.split("│ ")[1]);

testWith(["script"], "a submitted run outlives its terminal, and is shown whole", async () => {
  using folder = project({ "p.yaml": WAITING });
  const home = homeOf(folder.path);
  const terminal = startInTerminal(["submit", "p.yaml"], { cwd: home.path, env: home.env });
  const { code, stdout } = await terminal.ended; // hangs up all that is left in its session
  assert.equal(code, 0, stdout);
  const run = /\d{8}-\d{6}-\w{4}/.exec(stdout)?.[0] ?? "";
  assert.match(stdout, new RegExp(`look: grid attach ${run}`));
  await using looking = startGrid(["attach", "waiting"], { cwd: home.path, env: home.env });
  const log = join(home.path, ".grid", "runs", run, "logs", "talks.1.log");
  await until(() => existsSync(log) && Deno.readTextFileSync(log) === "first\n", {
    what: "a line",
  });
  go(home);
  const shown = await looking.ended;
  assert.equal(shown.code, 0, shown.stderr);
  assert.deepEqual(printed(shown.stderr), ["first", "last", "without an end"]);
  assert.match(shown.stderr, /waiting succeeded in .*\n {2}report {2}\.grid\/runs\//);
  const again = await grid(["attach", run, "--json"], { cwd: home.path });
  assert.equal(JSON.parse(again.stdout).result, "succeeded");
  assert.deepEqual(printed(again.stderr), printed(shown.stderr));
  assert.equal(Deno.readTextFileSync(join(home.path, ".grid", "runs", run, "runner.log")), "");
});

testWith(
  [],
  "Ctrl-C at attach leaves the run alone; cancel ends it, and attach says so",
  async () => {
    using folder = project({ "p.yaml": WAITING });
    const home = homeOf(folder.path);
    const run = await submit(home);
    await using looking = startGrid(["attach", run], { cwd: home.path });
    const log = join(home.path, ".grid", "runs", run, "logs", "talks.1.log");
    await until(() => existsSync(log) && answersCtrlC(looking.pid), { what: "a line" });
    looking.signal("SIGINT");
    const left = await looking.ended;
    assert.equal(left.code, 130);
    assert.match(
      left.stderr,
      new RegExp(`\\nleft; the run goes on: grid attach ${run}; to end it`),
    );
    assert.doesNotMatch(left.stderr, /resume|stopped/);
    assert.equal((await grid(["cancel", run], { cwd: home.path })).code, 0);
    const ended = await grid(["attach", run], { cwd: home.path });
    assert.equal(ended.code, 130, ended.stderr);
    assert.match(ended.stderr, /waiting cancelled/);
  },
);

testWith([], "what keeps a run from beginning is told at once, with its code", async () => {
  using folder = project({
    "bad.yaml": "name: x\nsteps: [{ id: a, rn: echo }]\n",
    "p.yaml": WAITING,
  });
  const here = { cwd: folder.path };
  for (
    const [words, code, said] of [
      [["bad.yaml"], 2, /unknown key "rn"/],
      [["none.yaml"], 2, /there is no such file/],
      [["p.yaml", "--gpus", "1"], 2, /it is for a command/],
      [["--on", "local1", "p.yaml"], 2, /that node is this machine itself\nhint: without --on/],
      [[], 2, /neither a pipeline file nor a command/],
      [["--config", "submit", "p.yaml"], 2, /"submit": there is no such file/],
    ] as const
  ) {
    const result = await grid(["submit", ...words], here);
    assert.deepEqual([result.code, result.stdout], [code, ""], result.stderr);
    assert.match(result.stderr, said);
  }
  assert.deepEqual(
    [...Deno.readDirSync(join(folder.path, ".grid"))].filter(({ name }) =>
      name.startsWith("runner_")
    ),
    [],
  );
  assert.equal((await grid(["attach"], here)).code, 2);
});

testWith(
  [],
  "attach has the run's exit code, also of a command, and of a runner that is gone",
  async () => {
    using folder = project({});
    const home = homeOf(folder.path);
    const run = await submit(home, ["--exit-code", "step", "--", "sh", "-c", "echo to; exit 7"]);
    const failed = await grid(["attach", run], { cwd: home.path });
    assert.deepEqual([failed.code, failed.stdout], [7, "to\n"], failed.stderr);
    const { stdout } = await grid(["submit", "--json", "sleep 60"], { cwd: home.path });
    const { pid, run: gone } = JSON.parse(stdout);
    Deno.kill(pid, "SIGKILL");
    const lost = await grid(["attach", gone], { cwd: home.path });
    assert.equal(lost.code, 3, lost.stderr);
    assert.match(lost.stderr, /Cannot go on with run .*: its runner is gone/);
    await grid(["clean", "--nodes"], { cwd: home.path });
  },
);

/** Says what it was given, waits until it may go on, and ends; each effect leaves a line. */
const AFAR = `name: afar
secrets: [NODE_TOKEN]
inputs: { word: { type: string, required: true } }
steps:
  - { id: code, sync: { from: . } }
  - id: talks
    needs: code
    node: node1
    secrets: [NODE_TOKEN]
    env: { WORD: "\${{ inputs.word }}", SIDE: "\${{ env.SIDE }}" }
    run: |
      echo effect >> "$HOME/effects"
      echo "first $WORD $SIDE \${#NODE_TOKEN} $(cat code.txt)"
      while [ ! -e "$HOME/go" ]; do sleep 0.1; done
      echo last
  - { id: after, needs: talks, node: local, run: 'echo "after $(cat code.txt)" | tee -a "$HOME/effects"' }
`;
/** False where it has ended meanwhile. */
function endAtOnce(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Its first step is done once, whatever happens to the machine. */
const BOOT = `name: boot
steps:
  - { id: one, node: node1, run: 'echo one >> "$HOME/effects"' }
  - id: two
    needs: one
    node: node1
    run: 'echo waits; touch "$HOME/waits"; while [ ! -e "$HOME/go" ]; do sleep 0.1; done'
  - { id: three, needs: two, node: local, run: 'echo three >> "$HOME/effects"; echo third' }
`;
const TOKEN = "kp7-Qz41-wuMs-9dTe";

testWith(
  ["sshd", "root", "unshare", "account", "git"],
  "a run on a node goes on while this machine has no network, and comes home",
  async (t) => {
    await using network = await sealNetwork();
    const account = findAccount();
    assert.ok(account);
    using boots = tempDir();
    const bootId = join(boots.path, "boot_id");
    Deno.writeTextFileSync(bootId, "11111111-1111-4111-8111-111111111111\n");
    Deno.chmodSync(boots.path, 0o755);
    const bind = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
    const enter = [...network.enter, "unshare", "--mount", "sh", "-c", bind, bootId];
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0, account, within: enter });
    const [node] = lab.nodes;
    assert.ok(node);
    using folder = project({
      "afar.yaml": AFAR,
      "code.txt": "of here",
      "private.txt": "stays",
      ".gitignore": "private.txt\n",
      "config/cluster_config.yaml": labConfig({ lab, rayMode: "embedded" }),
    });
    const within = (args: readonly string[]) => {
      const [program = "", ...words] = [...network.enter, Deno.execPath(), ...programArgs(args)];
      return new Deno.Command(program, {
        args: words,
        cwd: folder.path,
        env: { NO_COLOR: "1", NODE_TOKEN: TOKEN, GRID_INPUT_WORD: "told", SIDE: "besides" },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      });
    };
    const ask = async (...args: string[]) => {
      const { code, stdout, stderr } = await within(args).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    };
    const link = async (state: "up" | "down") => {
      const words = ["sh", "-c", `ip link set lo ${state} || busybox ip link set lo ${state}`];
      const [program = "", ...args] = [...network.enter, ...words];
      assert.ok((await new Deno.Command(program, { args }).output()).success);
    };
    const submitted = join(node.root, ".grid", "submitted");

    await t.step("what it would lack there is said before it starts", async () => {
      const steps = "[{ id: d, data: { from: private.txt } }]";
      Deno.writeTextFileSync(join(folder.path, "bad.yaml"), `name: bad\nsteps: ${steps}\n`);
      const { code, stderr } = await ask("submit", "--on", "node1", "bad.yaml");
      assert.equal(code, 2, stderr);
      assert.match(stderr, /Cannot submit bad.yaml to "node1": step d: .*private\.txt/);
      assert.match(stderr, /brought Grid itself to node1: .* once per version/);
      assert.deepEqual(readdirSync(submitted), []);
    });

    await t.step("a node that is not reached from there is a mistake with its place", async () => {
      const gone = "nodes:\n  - { name: gone, host: 127.0.0.1, port: 1 }";
      const config = labConfig({ lab, rayMode: "embedded" }).replace("nodes:", gone);
      Deno.writeTextFileSync(join(folder.path, "wide.yaml"), config);
      const steps = "steps:\n  - { id: d, node: gone, run: echo }\n";
      Deno.writeTextFileSync(join(folder.path, "far.yaml"), `name: far\n${steps}`);
      const words = ["submit", "--on", "node1", "far.yaml", "--config", "wide.yaml", "--json"];
      const { code, stdout, stderr } = await ask(...words);
      assert.equal(code, 2, stderr);
      const { message, place, ...error } = JSON.parse(stdout).error;
      assert.match(message, /^node "gone" is not reached: .*nothing listens there/);
      assert.deepEqual(place, { file: "far.yaml", line: 3, column: 20 });
      assert.deepEqual(error, { code: "pipeline-invalid", exitCode: 2 });
      assert.match(
        stderr,
        /far\.yaml:3:20: error: node "gone" is not reached: .* \[unreached-node\]/,
      );
      assert.deepEqual(readdirSync(submitted), []);
    });

    await t.step("it goes on without us", async () => {
      const { code, stdout, stderr } = await ask("submit", "--on", "node1", "afar.yaml");
      assert.equal(code, 0, stderr);
      const run = stdout.trim();
      assert.doesNotMatch(stderr, /brought Grid itself/, "once per version");
      assert.match(stderr, /it reaches itself alone/);
      const looking = within(["attach", run]).spawn();
      const log = join(folder.path, ".grid", "runs", run, "logs", "talks.1.log");
      await until(() => existsSync(log), { what: "the first line at home" });
      await link("down");
      looking.kill("SIGKILL");
      await looking.output();
      Deno.writeTextFileSync(join(node.home, "go"), "");
      const there = join(submitted, run, folder.path.split("/").at(-1) ?? "", ".grid", "runs", run);
      await until(() => existsSync(join(there, "report.html")), { what: "the end there" });
      const known = await ask("show", run);
      assert.match(known.stderr, /lives on node1, which cannot be asked: /);
      assert.match(known.stdout, /talks .*running/s);
      await link("up");
      const pages = within(["serve", "--port", "0", "--no-open"]).spawn();
      const brought = join(folder.path, ".grid", "runs", run, "report.html");
      await until(() => existsSync(brought), { what: "the report, by serve alone" });
      pages.kill("SIGINT");
      await pages.output();
      const runs = await ask("runs");
      assert.match(runs.stdout, new RegExp(`${run} +afar +succeeded +0`), runs.stderr);
      const home = join(folder.path, ".grid", "runs", run);
      for (const name of ["report.html", "report.json", "junit.xml", "events.jsonl"]) {
        assert.ok(existsSync(join(home, name)), name);
      }
      const shown = await ask("attach", run);
      assert.equal(shown.code, 0, shown.stderr);
      assert.deepEqual(printed(shown.stderr), [
        `first told besides ${TOKEN.length} of here`,
        "last",
        "after of here",
      ]);
      const effects = Deno.readTextFileSync(join(node.home, "effects"));
      assert.equal(effects, "effect\nafter of here\n");
      const hunt = new SecretHunt([TOKEN]);
      // Not in the 110 MB of Grid itself.
      const kept = ["submitted", "jobs", "state", "sync"].map((name) =>
        join(node.root, ".grid", name)
      );
      const places = [...kept.filter((path) => existsSync(path)), folder.path];
      assert.deepEqual(places.flatMap((path) => [...hunt.inFolder(path)]), []);
    });

    await t.step("a restart of the node is gone on from", async () => {
      writeProgram(join(node.home, "bin", "crontab"), CRONTAB);
      Deno.chmodSync(join(node.home, "bin", "crontab"), 0o755);
      Deno.removeSync(join(node.home, "go"));
      Deno.removeSync(join(node.home, "effects"));
      Deno.writeTextFileSync(join(folder.path, "boot.yaml"), BOOT);
      const { code, stdout, stderr } = await ask(
        ...["submit", "--on", "node1", "--restart", "boot.yaml"],
      );
      assert.equal(code, 0, stderr);
      assert.match(stderr, /on node1, after a restart, cron goes on with it/);
      const effects = () => Deno.readTextFileSync(join(node.home, "effects"));
      await until(() => existsSync(join(node.home, "waits")), { what: "the second step" });
      // All that runs there ends, and the kernel is another one.
      await node.stop();
      await until(() => lab.leftovers().filter(({ pid }) => endAtOnce(pid)).length === 0, {
        what: "the end",
      });
      Deno.writeTextFileSync(bootId, "22222222-2222-4222-8222-222222222222\n");
      await node.start();
      Deno.writeTextFileSync(join(node.home, "go"), "");
      const line = Deno.readTextFileSync(join(node.home, "crontab")).trim();
      const [program = "", ...words] = [
        ...[...enter, "setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`],
        ...["--clear-groups", "sh", "-c", line.replace(/^@reboot /, "")],
      ];
      const boot = await new Deno.Command(program, {
        args: words,
        env: { HOME: node.home, PATH: `${node.home}/bin:${Deno.env.get("PATH")}` },
        stdin: "null",
      }).output();
      assert.ok(boot.success, new TextDecoder().decode(boot.stderr));
      const shown = await ask("attach", "boot");
      // What the job had printed that ended with its machine is shown, too.
      assert.deepEqual([...new Set(printed(shown.stderr))], ["waits", "third"], shown.stderr);
      const first = await ask("show", stdout.trim());
      assert.match(first.stdout, /resumed as \d{8}-/);
      assert.equal(effects(), "one\nthree\n");
      assert.equal(Deno.readTextFileSync(join(node.home, "crontab")), "");
      const cleaned = await ask("clean", "--nodes", "--older", "1ms");
      assert.match(cleaned.stderr, /removed on node1: \.grid\/submitted\//);
      assert.deepEqual(readdirSync(submitted), []);
    });
  },
);

/** Keeps a crontab in a file, as crontab(1) does it. */
const CRONTAB = `#!/bin/sh
case $1 in
  -l) [ -s "$HOME/crontab" ] && cat "$HOME/crontab" || { echo "no crontab" >&2; exit 1; } ;;
  -) cat >"$HOME/crontab.new" && mv "$HOME/crontab.new" "$HOME/crontab" ;;
esac
`;

testWith(
  [],
  "a run that is submitted with --restart is gone on with, by one line of cron",
  async () => {
    using folder = project({
      "p.yaml": WAITING.replace("echo first", "echo effect >> $HERE/effects; echo first"),
      "home/bin/crontab": CRONTAB,
    });
    const home = join(folder.path, "home");
    Deno.chmodSync(join(home, "bin", "crontab"), 0o755);
    // No systemd that would answer: cron it is.
    const path = `${join(home, "bin")}:${Deno.env.get("PATH")}`;
    const env = { HERE: folder.path, HOME: home, PATH: path, DBUS_SESSION_BUS_ADDRESS: "none" };
    const cwd = folder.path;
    const denoDir = JSON.parse(
      new TextDecoder().decode(
        new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync().stdout,
      ),
    ).denoDir;
    const options = { cwd, env: { ...env, XDG_RUNTIME_DIR: "/nonexistent", DENO_DIR: denoDir } };
    Deno.writeTextFileSync(join(home, "crontab"), "5 4 * * * true\n");
    const { code, stdout, stderr } = await grid(
      ["--json", "submit", "--restart", "p.yaml"],
      options,
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /after a restart, cron goes on with it: crontab -l/);
    const { run, pid } = JSON.parse(stdout);
    await until(() => existsSync(join(cwd, "effects")), { what: "the step" });
    const [other, line = ""] = Deno.readTextFileSync(join(home, "crontab")).trim().split("\n");
    assert.equal(other, "5 4 * * * true");
    assert.match(line, new RegExp(`^@reboot cd .* # grid submit --restart ${run}$`));
    // The machine goes down: the run shall not end by that.
    Deno.kill(pid, "SIGTERM");
    await until(() => !existsSync(`/proc/${pid}`), { what: "the runner's end" });
    assert.match((await grid(["runs"], options)).stdout, /waiting +stopped/);
    go({ path: cwd, env: {} });
    const boot = new Deno.Command("/bin/sh", {
      args: ["-c", line.slice("@reboot ".length)],
      ...options,
      stdin: "null",
    });
    assert.ok((await boot.output()).success);
    const shown = await grid(["attach", "waiting"], options);
    assert.deepEqual(printed(shown.stderr), ["first", "last", "without an end"], shown.stderr);
    assert.equal(Deno.readTextFileSync(join(home, "crontab")).trim(), "5 4 * * * true");
  },
);

testWith([], "of two runners that are started for one run, one runs", async () => {
  using folder = project({
    "p.yaml": WAITING.replace("echo first", "echo effect >> $HERE/effects; echo first"),
  });
  const home = homeOf(folder.path);
  const run = "20260131-142530-x7k2";
  const request = JSON.stringify({
    ask: "begin",
    run,
    words: ["run", "p.yaml"],
    env: home.env,
    secrets: {},
    restart: false,
  });
  const begin = async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: programArgs(["__submitted"]),
      cwd: home.path,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${request.length}\n${request}`));
    await writer.close();
    return new TextDecoder().decode((await child.output()).stdout);
  };
  const answers = await Promise.all([begin(), begin()]);
  for (const answer of answers) assert.match(answer, /^answer \d+\n\{"pid":\d+\}$/);
  go(home);
  const shown = await grid(["attach", run], { cwd: home.path });
  assert.equal(shown.code, 0, shown.stderr);
  assert.equal(Deno.readTextFileSync(join(home.path, "effects")), "effect\n");
  assert.match(await begin(), /^answer \d+\n\{"pid":\d+\}$/, "an answer that was lost is repeated");
  assert.equal(Deno.readTextFileSync(join(home.path, "effects")), "effect\n");
});
