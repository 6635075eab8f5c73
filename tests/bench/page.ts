/** docs/benchmarks.md: what the benchmarks printed, on which machine, with which versions. */
import { join } from "node:path";
import { REPOSITORY } from "../support/cli.ts";

const PAGE = join(REPOSITORY, "docs", "benchmarks.md");

/** What stands beside Grid somewhere, and how it says its version. */
const PEERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  ssh: ["ssh", "-V"],
  rsync: ["rsync", "--version"],
  make: ["make", "--version"],
  ninja: ["ninja", "--version"],
  parallel: ["parallel", "--version"],
  snakemake: ["/opt/grid-snakemake-venv/bin/snakemake", "--version"],
  hyperqueue: [
    "/opt/grid-hq-venv/bin/python",
    "-c",
    "from importlib.metadata import version; print(version('hyperqueue'))",
  ],
  clush: ["/opt/grid-clush-venv/bin/clush", "--version"],
  ansible: ["/opt/grid-ansible-venv/bin/ansible", "--version"],
  ray: ["/opt/grid-ray-venv/bin/ray", "--version"],
};

/** Sections of benchmarks that did not run this time stay as they are. */
export function writePage(printed: ReadonlyMap<string, string>): void {
  const sections = new Map([...sectionsOf(readPage()), ...[...printed].map(toSection)]);
  const text = [
    "# Benchmarks\n",
    "Grid beside what people would use instead, measured in the same run on the same machine; medians. " +
    "`deno task bench NAME` measures one of these anew, with `--page` into this page; what each does " +
    "and promises stands at the top of its file in `tests/bench/`. What is missed is called so; nothing " +
    "is estimated, and no figure stands anywhere else.\n",
    ...[...sections].toSorted(([a], [b]) => a < b ? -1 : 1).map(([, text]) => text),
  ].join("\n");
  Deno.writeTextFileSync(PAGE, text);
  new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PAGE] }).outputSync();
}

function toSection([name, text]: [string, string]): [string, string] {
  const lines = [
    `## ${name}\n`,
    `${new Date().toISOString().slice(0, 10)}, ${machine()}; ${versions(name)}\n`,
    "```text",
    text.trim().replaceAll(/ +$/gm, ""),
    "```\n",
  ];
  return [name, lines.join("\n")];
}

function sectionsOf(text: string): [string, string][] {
  return text.split(/^(?=## )/m).slice(1).map((section) => [
    /^## (\S+)/.exec(section)?.[1] ?? "",
    section.trimEnd() + "\n",
  ]);
}

function readPage(): string {
  try {
    return Deno.readTextFileSync(PAGE);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function machine(): string {
  const model = /^model name\s*:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1];
  const gib = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  return `${navigator.hardwareConcurrency} cores (${
    model ?? Deno.build.arch
  }), ${gib} GiB, ${Deno.osRelease()}`;
}

/** Of Deno, and of the peers that the benchmark's own text names. */
function versions(name: string): string {
  const source = Deno.readTextFileSync(new URL(`${name}_bench.ts`, import.meta.url)).toLowerCase();
  const found = Object.entries(PEERS).flatMap(([peer, [program, ...args]]) => {
    if (!new RegExp(`\\b${peer}\\b`).test(source)) return [];
    try {
      const { stdout, stderr } = new Deno.Command(program, { args }).outputSync();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      const version = /\d+(\.\d+)+\w*|\d{8}/.exec(text)?.[0];
      return version ? [`${peer} ${version}`] : [];
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
  return [`Deno ${Deno.version.deno}`, ...found].join(", ");
}
