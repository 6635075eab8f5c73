/** The npm packages that Grid runs with, in the versions of `deno.lock`, made small and passive. */
import { join } from "node:path";
import { walk } from "./code.ts";

export interface PackagesOptions {
  readonly repository: string;
  /** An empty folder to install into. */
  readonly scratch: string;
  readonly to: string;
}

/** Only another runtime loads these: `tar-stream` and `streamx` name them for Bare. */
const FOR_OTHERS = /^bare-(?!events$)/;
/** What no program reads. */
const UNREAD = /\.(?:map|md|markdown|flow|[cm]?ts)$|(?:^|\/)(?:test|tests|example|examples)\//i;

/** Names and versions of what was written to `<to>/node_modules`. */
export async function writePackages(options: PackagesOptions): Promise<Record<string, string>> {
  const { repository, scratch, to } = options;
  for (const name of ["deno.json", "deno.lock"]) {
    Deno.copyFileSync(join(repository, name), join(scratch, name));
  }
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "install",
      "--quiet",
      "--frozen",
      "--node-modules-dir=manual",
      "--node-modules-linker=hoisted",
    ],
    cwd: scratch,
    stdin: "null",
  }).output();
  if (!success) throw new Error(`deno install: ${new TextDecoder().decode(stderr)}`);
  const modules = join(scratch, "node_modules");
  const versions: Record<string, string> = {};
  for (const name of neededPackages(repository, modules)) {
    versions[name] = writePackage(join(modules, name), join(to, "node_modules", name));
  }
  return versions;
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(Deno.readTextFileSync(join(folder, "package.json")));
}

/** What the sources import, and what that needs; in order. */
function neededPackages(repository: string, modules: string): string[] {
  const needed = new Set<string>();
  const add = (name: string) => {
    if (needed.has(name) || FOR_OTHERS.test(name)) return;
    needed.add(name);
    Object.keys(readManifest(join(modules, name)).dependencies ?? {}).forEach(add);
  };
  for (const path of walk(repository, "src").filter((path) => path.endsWith(".ts"))) {
    const code = Deno.readTextFileSync(join(repository, path)).replaceAll(/^\s*\/\/.*$/gm, "");
    for (const [, name = ""] of code.matchAll(/"npm:((?:@[^/"@]+\/)?[^/"@]+)@[^"]*"/g)) {
      if (!name.startsWith("@types/")) add(name);
    }
  }
  return [...needed].toSorted();
}

/**
 * Copies what programs read. The manifest asks for nothing more: npm would fetch what it names, and
 * build the native parts of ssh2, which Deno does not load.
 */
function writePackage(from: string, to: string): string {
  for (const path of walk(from, ".").filter((path) => !UNREAD.test(path))) {
    if (path.startsWith("node_modules/")) {
      throw new Error(`${from} brings another version of ${path}: it would have to be nested`);
    }
    Deno.mkdirSync(join(to, path, ".."), { recursive: true });
    Deno.copyFileSync(join(from, path), join(to, path));
  }
  const manifest = readManifest(from);
  const passive = Object.fromEntries(
    Object.entries(manifest).filter(([key]) =>
      !/^(?:scripts|engines|.*[dD]ependenc(?:ies|iesMeta))$/.test(key)
    ),
  );
  Deno.writeTextFileSync(join(to, "package.json"), JSON.stringify(passive, null, 2) + "\n");
  return manifest.version;
}
