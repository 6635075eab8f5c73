/** Whatever a tree of processes prints before the grace is over is in the log, however it is told to end. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { project, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { DEEP, LAST_WORDS, type LastWords, MAKEFILE, TIDY, WORKER } from "../support/last_words.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { findUv, hasPart, testWith } from "../support/requires.ts";

interface Place extends AsyncDisposable {
  readonly config: string;
  readonly node: string;
}

function here(): Promise<Place> {
  return Promise.resolve({
    config: "nodes: [{ name: here, transport: local }]\nremote_root: workspace\n",
    node: "here",
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

async function overSsh(): Promise<Place> {
  const lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  return {
    config: labConfig({ lab, rayMode: "embedded" }),
    node: "node1",
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

/** Long enough for all to have begun on a busy machine. */
const LIMIT = "14s";
const trees = LAST_WORDS.filter(({ parts = [] }) => parts.every(hasPart));

function pipeline(
  { node, folder, limit }: { node: string; folder: string; limit: string | undefined },
) {
  const limits = [...(limit === undefined ? [] : [`attempt: ${limit}`]), "kill-grace: 10s"].join(
    ", ",
  );
  const path = findUv() === undefined ? "" : `, PATH: "${findUv()}:${Deno.env.get("PATH")}"`;
  const steps = trees.map(({ name, command }) =>
    `  - id: ${name}
    node: ${node}
    retry: 0
    timeout: { ${limits} }
    env: { DIR: "${folder}", WORKER: "${folder}/worker.sh", TIDY: "${folder}/tidy.sh", MARK: "${folder}/${name}.begun"${path} }
    run: ${JSON.stringify(command)}
`
  );
  return `name: words\nsteps:\n${steps.join("")}`;
}

const WAYS = [
  { where: "on this machine", parts: [], open: here },
  { where: "over OpenSSH", parts: ["sshd"], open: overSsh },
] as const;
const TOLD = [
  { how: "a time-out", limit: LIMIT, code: 4, tell: undefined },
  {
    how: "Ctrl-C",
    limit: undefined,
    code: 130,
    tell: (run: ReturnType<typeof startGrid>) => run.signal("SIGINT"),
  },
] as const;

for (const { where, parts, open } of WAYS) {
  for (const { how, limit, code, tell } of TOLD) {
    testWith(
      parts,
      `${where}: the last words of every tree of processes are kept: ${how}`,
      async () => {
        await using place = await open();
        using home = project({
          "cluster.yaml": place.config,
          "worker.sh": WORKER,
          "tidy.sh": TIDY,
          "deep.sh": DEEP,
          Makefile: MAKEFILE,
        });
        const text = pipeline({ node: place.node, folder: home.path, limit });
        Deno.writeTextFileSync(join(home.path, "p.yaml"), text);
        await using run = startGrid(["run", "p.yaml", "--json", "--config", "cluster.yaml"], {
          cwd: home.path,
        });
        const missing = () =>
          trees.filter(({ name }) => !existsSync(join(home.path, `${name}.begun`)));
        await until(() => missing().length === 0 || run.isOver(), { what: "all trees" });
        tell?.(run);
        const result = await run.ended;
        assert.deepEqual(missing(), [], result.stderr);
        assert.equal(result.code, code, result.stderr);
        const report = JSON.parse(result.stdout);
        for (const tree of trees) checkTree(tree, { report, home: home.path });
      },
    );
  }
}

interface Checked {
  // deno-lint-ignore no-explicit-any
  readonly report: any;
  readonly home: string;
}

function checkTree({ name, exitCode }: LastWords, { report, home }: Checked): void {
  const log = Deno.readTextFileSync(
    join(home, ".grid", "runs", report.run, "logs", `${name}.1.log`),
  );
  const said = log.split("\n").filter((line) => ["begins", "ending", "saved"].includes(line));
  assert.deepEqual(said, ["begins", "ending", "saved"], `${name}:\n${log}`);
  if (exitCode === undefined) return;
  // deno-lint-ignore no-explicit-any
  const step = report.steps.find(({ id }: any) => id === name);
  assert.equal(step.attempts.at(-1).exitCode, exitCode, name);
}
