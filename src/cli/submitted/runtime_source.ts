/** What this Grid consists of here: its Deno, its code, and the packages that the code imports. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GridError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";

export interface RuntimePart {
  readonly name: "grid-deno" | "grid-code" | "grid-packages";
  /** Absolute: a folder, or a file. */
  readonly source: string;
  /** In gitignore syntax. */
  readonly exclude: readonly string[];
}

export interface RuntimeSource {
  readonly deno: RuntimePart;
  readonly code: RuntimePart;
  /** Undefined where the code brings them. */
  readonly packages: RuntimePart | undefined;
  /** What lies beside the code, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Folder that Deno looks for the packages in, below its cache. */
  readonly registry: string;
  /** For `deno run`; `@code` stands for the folder of the code. */
  readonly words: readonly string[];
}

/** As the clone's and the installation's own launchers have it. */
const FLAGS = [
  "run",
  "--v8-flags=--min-semi-space-size=12,--max-semi-space-size=12,--heap-growing-percent=40,--no-lazy",
  "--quiet",
  "--allow-all",
];
/** What no program reads. */
const UNREAD = ["*.map", "*.md", "*.markdown", "*.flow", "*.d.ts", "*.d.mts", "*.d.cts"];
/** Only another runtime loads these: `tar-stream` and `streamx` name them for Bare. */
const FOR_OTHERS = /^bare-(?!events$)/;
const CODE = ["/*", "!/src", "!/config", "!/pipelines"];

interface Lock {
  readonly version: string;
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
}

/** @throws {GridError} `usage` where packages are missing here */
export async function runtimeSource(): Promise<RuntimeSource> {
  const folder = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
  const deno: RuntimePart = { name: "grid-deno", source: Deno.execPath(), exclude: [] };
  if (import.meta.url.endsWith(".js")) return { deno, ...installed(folder) };
  const lock: Lock = JSON.parse(readFileSync(join(folder, "deno.lock"), "utf8"));
  const needed = neededPackages(folder, lock);
  const { registry, source } = await findPackages([...needed.npm.keys()]);
  return {
    deno,
    code: { name: "grid-code", source: folder, exclude: CODE },
    packages: { name: "grid-packages", source, exclude: onlyThese([...needed.npm.keys()]) },
    registry,
    files: {
      "deno.json": JSON.stringify({ name: "@grid/grid", version: VERSION }),
      "deno.lock": JSON.stringify({
        version: lock.version,
        specifiers: Object.fromEntries(needed.specifiers),
        npm: Object.fromEntries(needed.npm),
      }),
      // The account there may have another one for its own projects.
      ".npmrc": `registry=https://${registry}/\n`,
    },
    words: [...FLAGS, "--frozen", "--cached-only", "--config", "@code/deno.json"].concat(
      "@code/src/cli/main.ts",
    ),
  };
}

/** A package of npm, or an archive: its packages lie in it. */
function installed(folder: string): Omit<RuntimeSource, "deno"> {
  const exclude = [...CODE, "!/node_modules", "!/deno.json", "!/package.json", "!/build.json"];
  return {
    code: { name: "grid-code", source: folder, exclude },
    packages: undefined,
    registry: "",
    files: {},
    words: [...FLAGS, "--no-config", "--no-lock", "--node-modules-dir=manual"].concat(
      "@code/src/cli/main.js",
    ),
  };
}

interface Needed {
  readonly specifiers: ReadonlyMap<string, string>;
  /** By `name@version`, as the lock file has them. */
  readonly npm: ReadonlyMap<string, LockedPackage>;
}

/** What the sources import, and what that needs. */
function neededPackages(folder: string, lock: Lock): Needed {
  const specifiers = new Map<string, string>();
  const npm = new Map<string, LockedPackage>();
  const add = (key: string) => {
    const known = lock.npm[key];
    if (npm.has(key) || known === undefined) return;
    const dependencies = known.dependencies?.filter((name) => !FOR_OTHERS.test(name))
      .map((name) => name in lock.npm ? name : versionOf(name, lock));
    npm.set(key, { integrity: known.integrity, ...(dependencies && { dependencies }) });
    dependencies?.forEach(add);
  };
  for (const specifier of imported(join(folder, "src"))) {
    const version = lock.specifiers[specifier];
    if (version === undefined) continue;
    specifiers.set(specifier, version);
    add(specifier.slice("npm:".length).replace(/@[^@]+$/, `@${version}`));
  }
  return { specifiers, npm };
}

/** A name without a version stands for the only one. */
function versionOf(name: string, { npm }: Lock): string {
  return Object.keys(npm).find((key) => key.startsWith(`${name}@`)) ?? name;
}

function imported(folder: string): Set<string> {
  const found = new Set<string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const code = readFileSync(join(entry.parentPath, entry.name), "utf8");
    for (const [, name = ""] of code.matchAll(/"(npm:(?:@[^/"@]+\/)?[^/"@]+@[^/"]+)[^"]*"/g)) {
      if (!name.startsWith("npm:@types/")) found.add(name);
    }
  }
  return found;
}

interface FoundPackages {
  readonly registry: string;
  readonly source: string;
}

async function findPackages(packages: readonly string[]): Promise<FoundPackages> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdin: "null",
    stderr: "null",
  }).output();
  const cache: string = JSON.parse(new TextDecoder().decode(stdout)).npmCache;
  const registries = existsSync(cache) ? readdirSync(cache) : [];
  const complete = registries.find((registry) =>
    packages.every((key) => existsSync(join(cache, registry, pathOf(key))))
  );
  if (complete !== undefined) return { registry: complete, source: join(cache, complete) };
  throw new GridError({
    code: "usage",
    message: "Cannot bring Grid to a node: not all of its packages are on this machine",
    hint: `bring them first: (cd ${
      fileURLToPath(new URL("../../..", import.meta.url))
    } && deno install)`,
  });
}

/** `@a/b@1.2.3` lies in `@a/b/1.2.3`; what follows `_` are peers. */
function pathOf(key: string): string {
  const [, name = "", version = ""] = /^(@?[^@]+)@([^_]+)/.exec(key) ?? [];
  return `${name}/${version}`;
}

/** Everything is left out but these folders, in the way of gitignore: from above, one level at a time. */
function onlyThese(packages: readonly string[]): string[] {
  const levels = new Map<string, Set<string>>();
  for (const key of packages) {
    const parts = pathOf(key).split("/");
    for (let depth = 0; depth < parts.length; depth++) {
      const above = parts.slice(0, depth).join("/");
      const inside = levels.get(above) ?? new Set();
      levels.set(above, inside.add(parts[depth] ?? ""));
    }
  }
  const lines = [...levels].flatMap(([above, names]) => {
    const at = above === "" ? "" : `/${above}`;
    return [`${at}/*`, ...[...names].map((name) => `!${at}/${name}`)];
  });
  return [...lines, ...UNREAD];
}

/** As `uname -s -m` says it on a machine that this Deno runs on. */
export function ownSystem(): { readonly system: string; readonly loader: string | undefined } {
  const { os, arch } = Deno.build;
  if (os === "darwin") {
    return { system: `Darwin ${arch === "aarch64" ? "arm64" : arch}`, loader: undefined };
  }
  return {
    system: `Linux ${arch}`,
    loader: arch === "aarch64" ? "/lib/ld-linux-aarch64.so.1" : "/lib64/ld-linux-x86-64.so.2",
  };
}
