/** Every way to install Grid, each into a folder and a HOME of its own. */
import { basename, dirname, join } from "node:path";
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

/** What `deno task release` makes, in a folder that its users share; the archive for this machine. */
export async function buildRelease(platforms = PLATFORM): Promise<Release> {
  const folder = openDir();
  const script = join(REPOSITORY, "release", "build.ts");
  await must("deno", [
    ...["run", "-A", "--frozen", "--quiet", script],
    ...["--out", folder.path, "--platforms", platforms],
  ]);
  return {
    ...folder,
    npm: join(folder.path, `grid-${VERSION}.tgz`),
    archive: join(folder.path, `grid-${VERSION}-${PLATFORM}.tar.gz`),
  };
}

/** The npm package of a release as another version had it, which is its number alone. */
export async function asVersion(version: string, release: Release): Promise<string> {
  using folder = tempDir();
  await must("tar", ["-xzf", release.npm, "-C", folder.path]);
  for (const name of ["package.json", "deno.json"]) {
    const path = join(folder.path, "package", name);
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(
      path,
      text.replace(`"version": "${VERSION}"`, `"version": "${version}"`),
    );
  }
  const tarball = join(release.path, `grid-${version}.tgz`);
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
