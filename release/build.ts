/**
 * `deno task release [--out dist] [--platforms linux-x64,…]`: the npm package, an archive for each
 * platform that needs nothing else, their checksums and what changed. The same commit gives the same
 * bytes.
 */
import { copyFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { changesOf } from "./changes.ts";
import { writeCode } from "./code.ts";
import { writePackages } from "./packages.ts";
import { DENO_VERSION, fetchRuntime, packageOf, type Platform, PLATFORMS } from "./runtime.ts";
import { sha256, writeTarball } from "./tarball.ts";

const REPOSITORY = join(import.meta.dirname ?? ".", "..");
/** What an installed Grid has besides its code. */
const EXTRAS = ["LICENSE", "README.md", "CHANGELOG.md", "config", "docs", "examples", "pipelines"];

const { values } = parseArgs({
  args: Deno.args,
  options: {
    out: { type: "string", default: "dist" },
    platforms: { type: "string", default: PLATFORMS.join(",") },
  },
});

const { name, version, license } = JSON.parse(
  Deno.readTextFileSync(join(REPOSITORY, "deno.json")),
);
const out = resolve(values.out);
const scratch = Deno.makeTempDirSync({ prefix: "grid-release-" });
try {
  for (const file of await build(platformsOf(values.platforms))) console.log(file);
} finally {
  Deno.removeSync(scratch, { recursive: true });
}

function platformsOf(list: string): Platform[] {
  const names = list.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !PLATFORMS.includes(name as Platform));
  if (unknown !== undefined) {
    throw new Error(`unknown platform "${unknown}"; there are ${PLATFORMS.join(", ")}`);
  }
  return names as Platform[];
}

async function build(platforms: readonly Platform[]): Promise<string[]> {
  const folder = join(scratch, "package");
  Deno.mkdirSync(join(folder, "bin"), { recursive: true });
  Deno.mkdirSync(join(scratch, "modules"));
  Deno.mkdirSync(out, { recursive: true });
  await writeCode({ repository: REPOSITORY, to: folder });
  const bundled = await writePackages({
    repository: REPOSITORY,
    scratch: join(scratch, "modules"),
    to: folder,
  });
  for (const extra of EXTRAS) await copyTracked(extra, folder);
  copyFileSync(join(REPOSITORY, "release", "launcher.sh"), join(folder, "bin", "grid"));
  await writeManifests(folder, bundled);
  Deno.mkdirSync(join(folder, "man"));
  Deno.writeTextFileSync(join(folder, "man", "grid.1"), await manual());

  const files = [`grid-${version}.tgz`];
  await writeTarball(join(out, files[0] ?? ""), {
    folder,
    as: "package",
    executable: new Set(["bin/grid"]),
  });
  for (const platform of platforms) {
    Deno.mkdirSync(join(folder, "runtime"), { recursive: true });
    copyFileSync(await fetchRuntime(platform, scratch), join(folder, "runtime", "deno"));
    const file = `grid-${version}-${platform}.tar.gz`;
    await writeTarball(join(out, file), {
      folder,
      as: `grid-${version}`,
      executable: new Set(["bin/grid", "runtime/deno"]),
    });
    files.push(file);
  }
  const sums = await Promise.all(
    files.map(async (file) => `${await sha256(join(out, file))}  ${file}\n`),
  );
  Deno.writeTextFileSync(join(out, "SHA256SUMS"), sums.join(""));
  const changelog = Deno.readTextFileSync(join(REPOSITORY, "CHANGELOG.md"));
  Deno.writeTextFileSync(join(out, "CHANGES.md"), changesOf(changelog, version));
  return [...files, "SHA256SUMS", "CHANGES.md"].map((file) => join(out, file));
}

async function writeManifests(
  folder: string,
  bundled: Readonly<Record<string, string>>,
): Promise<void> {
  const write = (file: string, content: unknown) =>
    Deno.writeTextFileSync(join(folder, file), JSON.stringify(content, null, 2) + "\n");
  write("package.json", {
    name,
    version,
    description: "Declarative pipelines on GPU machines reached over SSH",
    license,
    type: "module",
    bin: { grid: "bin/grid" },
    man: "man/grid.1",
    exports: {
      ".": { types: "./mod.d.ts", default: "./mod.js" },
      "./package.json": "./package.json",
    },
    dependencies: bundled,
    // One of them is installed, by the machine's system and processor.
    optionalDependencies: Object.fromEntries(
      PLATFORMS.map((platform) => [packageOf(platform), DENO_VERSION]),
    ),
    bundleDependencies: Object.keys(bundled),
  });
  write("deno.json", { name, version });
  write("build.json", { commit: (await git("rev-parse", "--short=10", "HEAD")).trim() });
}

async function manual(): Promise<string> {
  const main = join(REPOSITORY, "src", "cli", "main.ts");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--frozen", main, "man"],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`grid man: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** What git knows of a path: nothing that lies about in a working copy gets into a release. */
async function copyTracked(path: string, to: string): Promise<void> {
  for (const file of (await git("ls-files", "-z", "--", path)).split("\0").filter(Boolean)) {
    Deno.mkdirSync(join(to, file, ".."), { recursive: true });
    Deno.copyFileSync(join(REPOSITORY, file), join(to, file));
  }
}

async function git(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["-C", REPOSITORY, ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`git ${args[0]}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
