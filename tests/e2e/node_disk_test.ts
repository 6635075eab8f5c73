/** While a command runs, and after its runner was killed, the node's disk holds no secret it printed. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, type RunningGrid, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { type Part, testWith } from "../support/requires.ts";
import { SecretHunt } from "../support/secret_hunt.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const SECRETS: Readonly<Record<string, string>> = {
  TOKEN: 's3cr3t/Pa+ss\'word "quoted" & more',
  KEY: "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7qq\nq2c9LkZZtop\n-----END KEY-----",
};
const PARTS = [SECRETS["TOKEN"] ?? "", "MIIEpAIBAAKCAQEA7qq", "q2c9LkZZtop"];

/** Seconds: what a failed test leaves behind ends soon. */
const LEASE = "jobs: { lease: 5 }\n";

/** Prints on both streams, then waits for the test to look. */
const PRINTS = `
      for value in "$TOKEN" "$KEY"; do
        echo "$value"
        echo "$value" >&2
        printf %s "$value" | base64
      done
      echo printed > "$PROJECT/printed"
      while [ ! -f "$PROJECT/release" ]; do sleep 0.05; done`;
interface Place extends AsyncDisposable {
  readonly config: string;
  readonly node: string;
  /** Absolute `remote_root`. */
  readonly root: string;
}

function here(): Promise<Place> {
  const root = tempDir();
  return Promise.resolve({
    config: `nodes: [{ name: here, transport: local }]\nremote_root: "${root.path}"\n${LEASE}`,
    node: "here",
    root: root.path,
    [Symbol.asyncDispose]: () => Promise.resolve(root[Symbol.dispose]()),
  });
}

async function overSsh(): Promise<Place> {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  return {
    config: labConfig({ lab, rayMode: "embedded" }) + LEASE,
    node: "node1",
    root: lab.nodes[0]?.root ?? "",
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

const WAYS: readonly { name: string; parts: readonly Part[]; open(): Promise<Place> }[] = [
  { name: "on this machine", parts: [], open: here },
  { name: "over OpenSSH", parts: ["sshd"], open: overSsh },
];

for (const { name, parts, open } of WAYS) {
  const test = (title: string, body: (place: Place) => Promise<void>) =>
    testWith(parts, `${name}: ${title}`, async () => {
      await using place = await open();
      await body(place);
    });

  test("what a command prints is on the node's disk in no spelling while it runs", async (place) => {
    using folder = projectWith(place, PRINTS);
    await using run = await startPrinted(folder);
    assert.deepEqual(new SecretHunt(PARTS).inFolder(place.root), []);
    await release(folder, run);
    assert.deepEqual(new SecretHunt(PARTS).inFolder(place.root), []);
    const logs = await grid(["logs", "last", "work"], { cwd: folder.path });
    assert.match(logs.stdout, /\*\*\*/);
  });

  test("what a command prints is not on the node's disk after its runner was killed", async (place) => {
    using folder = projectWith(place, PRINTS);
    await using run = await startPrinted(folder);
    await run.kill();
    assert.deepEqual(new SecretHunt(PARTS).inFolder(place.root), []);
    Deno.writeTextFileSync(join(folder.path, "release"), "");
    const resumed = await grid(["resume", "last", "--config", "cluster.yaml"], {
      cwd: folder.path,
      env: SECRETS,
    });
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(new SecretHunt(PARTS).inFolder(place.root), []);
  });
}

function projectWith({ config, node }: Place, script: string): TempDir {
  const folder = project({ "cluster.yaml": config });
  Deno.writeTextFileSync(
    join(folder.path, "p.yaml"),
    `name: disk
secrets: [TOKEN, KEY]
steps:
  - id: work
    node: ${node}
    secrets: [TOKEN, KEY]
    env: { PROJECT: ${JSON.stringify(folder.path)} }
    run: |${script}
`,
  );
  return folder;
}

async function startPrinted(folder: TempDir): Promise<RunningGrid> {
  const run = startGrid(["run", "p.yaml", "--config", "cluster.yaml"], {
    cwd: folder.path,
    env: SECRETS,
  });
  await until(() => existsSync(join(folder.path, "printed")) || run.isOver());
  assert.ok(!run.isOver(), "the run did not begin");
  return run;
}

async function release(folder: TempDir, run: RunningGrid): Promise<void> {
  Deno.writeTextFileSync(join(folder.path, "release"), "");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
}
