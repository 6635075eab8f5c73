/**
 * A secret that careless commands print in every spelling, byte by byte, put into outputs and into
 * error messages is found nowhere: not on the screen, in no file that Grid leaves here or on the
 * node, and on no command line while the run goes on.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CliResult, project, startGrid, startInTerminal } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { type Part, testWith } from "../support/requires.ts";
import { SecretHunt, spellings } from "../support/secret_hunt.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const SECRETS: Readonly<Record<string, string>> = {
  TOKEN: 's3cr3t/Pa+ss\'word "quoted" & more',
  KEY: "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7qq\nq2c9LkZZtop\n-----END KEY-----",
  SERVICE: JSON.stringify({ user: "robot-seven", token: "jws-4711-abcdef" }),
};
/** What must not turn up: the values, and what they consist of. */
const PARTS = [
  SECRETS["TOKEN"] ?? "",
  "MIIEpAIBAAKCAQEA7qq",
  "q2c9LkZZtop",
  "robot-seven",
  "jws-4711-abcdef",
];
const LOOK_MS = 25;
const LOOKS_PER_SEARCH = 20;

/** Prints every spelling on both streams, one byte at a time. */
const DRIBBLE = `import os, sys, time
for byte in open(sys.argv[1], "rb").read():
    for stream in (1, 2):
        os.write(stream, bytes([byte]))
    time.sleep(0.0001)
`;
/** Each byte on its own: nothing puts them together again before Grid reads them. */
const SLOW = `import os, sys, time
for byte in os.environ["TOKEN"].encode() + b"\\n":
    for stream in (1, 2):
        os.write(stream, bytes([byte]))
        time.sleep(0.01)
`;
/** As tools spell it that nobody of Grid's has written. */
const TOOLS = `import json, os, shlex, urllib.parse
for name in ("TOKEN", "KEY", "SERVICE"):
    value = os.environ[name]
    for text in (value, json.dumps(value), json.dumps({"v": value}), repr(value), shlex.quote(value),
                 urllib.parse.quote(value), urllib.parse.quote(value, safe=""),
                 urllib.parse.quote_plus(value)):
        print(text)
`;

const PIPELINE = `name: leak
secrets: [TOKEN, KEY, SERVICE]
inputs: { project: { type: string }, node: { type: string } }
defaults: { working-directory: "\${{ inputs.project }}" }
env: { PYTHONUNBUFFERED: "1" }
steps:
  - id: print
    secrets: [TOKEN, KEY, SERVICE]
    node: "\${{ inputs.node }}"
    run: |
      python3 dribble.py spellings
      echo "leak=$TOKEN" >> "$GRID_OUTPUT"
  - id: matched
    allow-failure: true
    secrets: [TOKEN]
    node: "\${{ inputs.node }}"
    run: echo "found $TOKEN"
    outputs:
      value: { from: stdout, match: "found (.*)" }
  - id: slow
    secrets: [TOKEN]
    node: "\${{ inputs.node }}"
    run: python3 slow.py
  - id: tools
    secrets: [TOKEN, KEY, SERVICE]
    node: "\${{ inputs.node }}"
    run: |
      python3 tools.py
      python3 tools.py >&2
      for value in "$TOKEN" "$KEY" "$SERVICE"; do
        printf '%q\\n' "$value"
        for before in "" x xy; do printf '%s%s' "$before" "$value" | base64 -w 0; echo; done
      done
  - id: misspelt
    allow-failure: true
    secrets: [TOKEN]
    node: "\${{ inputs.node }}"
    run: echo "$TOKEN" >> "$GRID_OUTPUT"
  - id: lost
    needs: print
    allow-failure: true
    node: "\${{ steps.print.outputs.leak }}"
    run: "true"
  - id: fail
    after: [print, slow, tools, misspelt, lost]
    secrets: [TOKEN]
    node: "\${{ inputs.node }}"
    env: { LEAK: "\${{ steps.print.outputs.leak }}" }
    run: |
      echo "cannot log in with $TOKEN, once known as $LEAK" >&2
      exit 3
hooks:
  failure:
    - secrets: [KEY]
      node: "\${{ inputs.node }}"
      run: echo "$KEY"
`;

interface Place extends AsyncDisposable {
  readonly config: string;
  readonly node: string;
  /** Absolute `remote_root`. */
  readonly root: string;
}

function here(): Promise<Place> {
  const root = tempDir();
  return Promise.resolve({
    config: `nodes: [{ name: here, transport: local }]\nremote_root: "${root.path}"\n`,
    node: "here",
    root: root.path,
    [Symbol.asyncDispose]: () => Promise.resolve(root[Symbol.dispose]()),
  });
}

async function overSsh(): Promise<Place> {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  return {
    config: labConfig({ lab, rayMode: "embedded" }),
    node: "node1",
    root: lab.nodes[0]?.root ?? "",
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

interface Way {
  readonly name: string;
  readonly parts: readonly Part[];
  open(): Promise<Place>;
}

const WAYS: readonly Way[] = [
  { name: "on this machine", parts: ["python3", "bash"], open: here },
  { name: "over OpenSSH", parts: ["python3", "bash", "sshd"], open: overSsh },
];

interface Mode {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: true;
}

const MODES: readonly Mode[] = [
  { name: "plain" },
  { name: "--json", args: ["--json"] },
  { name: "debug", args: ["--log-level", "debug", "--log-format", "json"] },
  { name: "GitHub", env: { GITHUB_ACTIONS: "true" } },
  { name: "a terminal", terminal: true },
];

for (const { name, parts, open } of WAYS) {
  for (const mode of MODES) {
    const needed: readonly Part[] = mode.terminal ? [...parts, "script"] : parts;
    testWith(needed, `${name}, ${mode.name}: a printed secret is found nowhere`, async () => {
      await using place = await open();
      using folder = projectWith(place);
      const hunt = new SecretHunt(PARTS);
      const { result, leaks } = await runWatched(mode, { place, folder: folder.path, hunt });
      assert.equal(result.code, 1, result.stderr);
      assertSeen(result, join(folder.path, ".grid"));
      assert.deepEqual([
        ...leaks,
        ...hunt.inText("stdout", result.stdout),
        ...hunt.inText("stderr", result.stderr),
        ...hunt.inFolder(join(folder.path, ".grid")),
        ...hunt.inFolder(place.root),
      ], []);
    });
  }
}

function projectWith({ config }: Place): TempDir {
  return project({
    "cluster.yaml": config,
    "leak.yaml": PIPELINE,
    "dribble.py": DRIBBLE,
    "slow.py": SLOW,
    "tools.py": TOOLS,
    "spellings": Object.values(SECRETS).flatMap(spellings).join("\n") + "\n",
  });
}

interface Watched {
  readonly place: Place;
  readonly folder: string;
  readonly hunt: SecretHunt;
}

/** Runs to the end, with a look at all command lines and at what is written here meanwhile. */
async function runWatched(
  { args = [], env = {}, terminal }: Mode,
  { place, folder, hunt }: Watched,
): Promise<{ readonly result: CliResult; readonly leaks: readonly string[] }> {
  const inputs = ["-i", `project=${folder}`, "-i", `node=${place.node}`];
  const words = ["run", "leak.yaml", "--config", "cluster.yaml", ...inputs, ...args];
  const options = { cwd: folder, env: { ...SECRETS, ...env } };
  await using run = terminal ? startInTerminal(words, options) : startGrid(words, options);
  const leaks = new Set<string>();
  for (let turn = 0; !run.isOver(); turn++) {
    for (const leak of hunt.inProcesses()) leaks.add(leak);
    if (turn % LOOKS_PER_SEARCH === 0) {
      for (const leak of hunt.inFolder(join(folder, ".grid"))) leaks.add(leak);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return { result: await run.ended, leaks: [...leaks] };
}

/** The test is worth nothing where the secrets were not printed, or the files not searched. */
function assertSeen({ stdout, stderr }: CliResult, folder: string): void {
  assert.match(stdout + stderr, /cannot log in with \*\*\*, once known as \*\*\*/);
  const [run] = [...Deno.readDirSync(join(folder, "runs"))];
  const files = [...Deno.readDirSync(join(folder, "runs", run?.name ?? ""))].map(({ name }) =>
    name
  );
  assert.deepEqual(
    files.toSorted(),
    [
      ...["events.jsonl", "junit.xml", "logs", "metrics.prom", "report.html", "report.json"],
      "summary.md",
    ],
  );
  const report = JSON.parse(
    Deno.readTextFileSync(join(folder, "runs", run?.name ?? "", "report.json")),
  );
  const states = report.steps.map((step: { id: string; state: string }) => [step.id, step.state]);
  assert.deepEqual(Object.fromEntries(states), {
    print: "succeeded",
    slow: "succeeded",
    tools: "succeeded",
    misspelt: "allowed-failure",
    matched: "allowed-failure",
    lost: "allowed-failure",
    fail: "failed",
    [states.at(-1)[0]]: "succeeded",
  });
  const { leak } = report.steps[0].outputs;
  const matched = report.steps.find(({ id }: { readonly id: string }) => id === "matched");
  assert.equal(leak, "***");
  // A value that a mask has changed is nobody's.
  assert.match(JSON.stringify(matched), /it holds a secret, which was masked/);
  for (const step of ["print", "slow", "tools", "fail"]) {
    const log = Deno.readTextFileSync(
      join(folder, "runs", run?.name ?? "", "logs", `${step}.1.log`),
    );
    assert.match(log, /\*\*\*/, step);
  }
  assert.ok([...Deno.readDirSync(folder)].some(({ name }) => name === "grid.db"));
}
