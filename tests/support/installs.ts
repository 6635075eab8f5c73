/** Every way to install Grid, each into a folder and a HOME of its own. */
import { basename, dirname, join, relative } from "node:path";
import { existsSync } from "node:fs";
import { REPOSITORY } from "./cli.ts";
import { type TempDir, tempDir } from "./temp_dir.ts";

export interface Install extends Disposable {
  /** The program to start. */
  readonly grid: string;
  readonly home: string;
  /** Where its files lie. */
  readonly folder: string;
  /** As its users remove it. */
  uninstall(): Promise<void>;
}

export const PLATFORM = `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
const VERSION: string = JSON.parse(
  Deno.readTextFileSync(join(REPOSITORY, "deno.json")),
).version;

export interface Release extends TempDir {
  readonly npm: string;
  readonly archive: string;
}

/**
 * What `deno task release` makes, with the archive for this machine. Within one run of all tests it is made once:
 * the folder that `GRID_TEST_SHARED` names keeps it for whoever asks next.
 */
export async function sharedRelease(): Promise<Release> {
  const shared = Deno.env.get("GRID_TEST_SHARED");
  if (shared === undefined) return await buildRelease();
  using lock = Deno.openSync(join(shared, "release.lock"), { create: true, write: true });
  await lock.lock(true);
  const folder = join(shared, "release");
  if (!existsSync(join(folder, "SHA256SUMS"))) await writeRelease(folder, PLATFORM);
  return releaseIn({ path: folder, [Symbol.dispose]: () => {} });
}

/** The same for its user alone; for these platforms, separated by commas, there is an archive. */
export async function buildRelease(platforms = PLATFORM): Promise<Release> {
  const folder = openDir();
  await writeRelease(folder.path, platforms);
  return releaseIn(folder);
}

async function writeRelease(folder: string, platforms: string): Promise<void> {
  const script = join(REPOSITORY, "release", "build.ts");
  await must("deno", [
    ...["run", "-A", "--frozen", "--quiet", script],
    ...["--out", folder, "--platforms", platforms],
  ]);
}

function releaseIn(folder: TempDir): Release {
  return {
    ...folder,
    npm: join(folder.path, `grid-${VERSION}.tgz`),
    archive: join(folder.path, `grid-${VERSION}-${PLATFORM}.tar.gz`),
  };
}

/**
 * The npm package of a release with this machine's Deno, as an archive has one, in the place of the one of 100 MB
 * that npm would unpack for every install; and with another version's number.
 */
export async function packWithoutDeno(
  { npm }: Release,
  { version = VERSION, to }: { readonly version?: string; readonly to: string },
): Promise<string> {
  using folder = tempDir();
  await must("tar", ["-xzf", npm, "-C", folder.path]);
  const at = (name: string) => join(folder.path, "package", name);
  for (const name of ["package.json", "deno.json"]) {
    const { optionalDependencies: _, ...rest } = JSON.parse(Deno.readTextFileSync(at(name)));
    Deno.writeTextFileSync(at(name), JSON.stringify({ ...rest, version }));
  }
  Deno.mkdirSync(at("runtime"));
  const deno = `#!/bin/sh\nexec '${Deno.execPath()}' "$@"\n`;
  Deno.writeTextFileSync(at("runtime/deno"), deno, { mode: 0o755 });
  const tarball = join(to, `grid-${version}.tgz`);
  await must("tar", ["-czf", tarball, "-C", folder.path, "package"]);
  return tarball;
}

/** A clone with what this working copy holds, where other accounts can read it. */
export async function cloneRepository(): Promise<TempDir> {
  const folder = openDir();
  const git = (...args: readonly string[]) => must("git", args, { cwd: REPOSITORY });
  await git("clone", "--quiet", "--shared", "--no-checkout", ".", join(folder.path, "clone"));
  await must("sh", [
    "-c",
    'git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$1"',
    "sh",
    join(folder.path, "clone"),
  ], { cwd: REPOSITORY });
  return { ...folder, path: join(folder.path, "clone") };
}

/** A link on PATH to the launcher of a clone. */
export async function linkClone(clone = REPOSITORY): Promise<Install> {
  const folder = openDir();
  const link = join(folder.path, "bin", "grid");
  Deno.mkdirSync(join(folder.path, "bin"));
  await must("ln", ["-s", join(clone, "bin", "grid"), link]);
  return installed(folder, {
    grid: "bin/grid",
    folder: clone,
    uninstall: () => Deno.remove(link),
  });
}

export async function installWithDeno(clone = REPOSITORY): Promise<Install> {
  const folder = openDir();
  const home = join(folder.path, "home");
  Deno.mkdirSync(home);
  const main = join(clone, "src", "cli", "main.ts");
  const config = join(clone, "deno.json");
  const options = { cwd: folder.path, env: { HOME: home, DENO_DIR: denoDir() } };
  // With the versions of deno.json and not by the lock, so that what registries tell is at hand later.
  await must("deno", ["install", "--no-lock"], { cwd: clone, env: options.env });
  await must("deno", ["install", "-g", "-A", "--config", config, "-n", "grid", main], options);
  return installed(folder, {
    grid: "home/.deno/bin/grid",
    folder: clone,
    uninstall: () => must("deno", ["uninstall", "-g", "grid"], options),
  });
}

const NPM_QUIET = ["--no-fund", "--no-audit", "--prefer-offline"];

export async function installWithNpm(tarball: string): Promise<Install> {
  const folder = openDir();
  const prefix = join(folder.path, "prefix");
  await updateWithNpm({ folder: prefix }, tarball);
  const where = ["-g", "--prefix", prefix];
  return installed(folder, {
    grid: "prefix/bin/grid",
    folder: prefix,
    uninstall: () => must("npm", ["uninstall", ...where, "@grid/grid"], { cwd: folder.path }),
  });
}

/** Over what is there. */
export async function updateWithNpm({ folder }: { readonly folder: string }, tarball: string) {
  const parent = dirname(folder);
  await must("npm", ["install", "-g", "--prefix", folder, ...NPM_QUIET, tarball], { cwd: parent });
}

/** In the `devDependencies` of a project; started as `npx grid` and npm's scripts do it. */
export async function installInProject(tarball: string, project: string): Promise<Install> {
  // The project's own registry is a dead one.
  const { stdout } = await new Deno.Command("npm", { args: ["config", "get", "registry"] })
    .output();
  const registry = ["--registry", new TextDecoder().decode(stdout).trim()];
  const npm = (...args: readonly string[]) => must("npm", [...args, ...registry], { cwd: project });
  await npm("install", "-D", ...NPM_QUIET, tarball);
  const folder = openDir();
  return {
    ...installed(folder, {
      grid: "",
      folder: join(project, "node_modules", "@grid", "grid"),
      uninstall: () => npm("uninstall", "@grid/grid"),
    }),
    grid: join(project, "node_modules", ".bin", "grid"),
  };
}

export async function unpackArchive(archive: string): Promise<Install> {
  const folder = openDir();
  await must("tar", ["-xzf", archive, "-C", folder.path]);
  const inside = basename(archive).replace(`-${PLATFORM}.tar.gz`, "");
  const files = join(folder.path, inside);
  return installed(folder, {
    grid: `${inside}/bin/grid`,
    folder: files,
    uninstall: () => Deno.remove(files, { recursive: true }),
  });
}

/** A second one beside it, of the same files. */
export async function copyInstall(install: Install): Promise<Install> {
  const folder = openDir();
  await must("cp", ["-al", install.folder, folder.path]);
  const files = join(folder.path, basename(install.folder));
  return installed(folder, {
    grid: join(basename(files), relative(install.folder, install.grid)),
    folder: files,
    uninstall: () => Deno.remove(files, { recursive: true }),
  });
}

function installed(
  folder: TempDir,
  { grid, folder: files, uninstall }: Omit<Install, "home" | keyof Disposable>,
): Install {
  const home = join(folder.path, "home");
  Deno.mkdirSync(home, { recursive: true });
  return { ...folder, grid: join(folder.path, grid), home, folder: files, uninstall };
}

/** Other accounts may look into it. */
function openDir(): TempDir {
  const folder = tempDir();
  Deno.chmodSync(folder.path, 0o755);
  return folder;
}

/** Where this machine's Deno keeps packages: they are not fetched again for every test. */
export function denoDir(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

interface MustOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function must(program: string, args: readonly string[], options: MustOptions = {}) {
  const { success, stderr } = await new Deno.Command(
    program === "deno" ? Deno.execPath() : program,
    {
      args: [...args],
      stdin: "null",
      ...options,
    },
  ).output();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}
