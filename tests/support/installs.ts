/** Every way to install Grid, each into a folder and a HOME of its own. */
import { basename, join } from "node:path";
import { REPOSITORY } from "./cli.ts";
import { type TempDir, tempDir } from "./temp_dir.ts";

export interface Install extends Disposable {
  /** The program to start. */
  readonly grid: string;
  readonly home: string;
  /** Where its files lie. */
  readonly folder: string;
}

export const PLATFORM = `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
const VERSION: string = JSON.parse(
  Deno.readTextFileSync(join(REPOSITORY, "deno.json")),
).version;

/** What `deno task release` makes, in a folder that its users share. */
export async function buildRelease(): Promise<
  TempDir & { readonly npm: string; readonly archive: string }
> {
  const folder = openDir();
  await must("deno", [
    "run",
    "-A",
    "--frozen",
    "--quiet",
    join(REPOSITORY, "release", "build.ts"),
    "--out",
    folder.path,
    "--platforms",
    PLATFORM,
  ]);
  return {
    ...folder,
    npm: join(folder.path, `grid-${VERSION}.tgz`),
    archive: join(folder.path, `grid-${VERSION}-${PLATFORM}.tar.gz`),
  };
}

/** A link on PATH to the launcher of the clone. */
export function linkClone(): Install {
  const folder = openDir();
  Deno.mkdirSync(join(folder.path, "bin"));
  Deno.symlinkSync(join(REPOSITORY, "bin", "grid"), join(folder.path, "bin", "grid"));
  return installed(folder, { grid: "bin/grid", folder: REPOSITORY });
}

export async function installWithDeno(): Promise<Install> {
  const folder = openDir();
  const home = join(folder.path, "home");
  Deno.mkdirSync(home);
  const main = join(REPOSITORY, "src", "cli", "main.ts");
  const config = join(REPOSITORY, "deno.json");
  await must("deno", ["install", "-g", "-A", "--config", config, "-n", "grid", main], {
    cwd: folder.path,
    env: { HOME: home, DENO_DIR: denoDir() },
  });
  return installed(folder, { grid: "home/.deno/bin/grid", folder: REPOSITORY });
}

export async function installWithNpm(tarball: string): Promise<Install> {
  const folder = openDir();
  const prefix = join(folder.path, "prefix");
  await must("npm", ["install", "-g", "--prefix", prefix, "--no-fund", "--no-audit", tarball], {
    cwd: folder.path,
  });
  return installed(folder, { grid: "prefix/bin/grid", folder: prefix });
}

/** In the `devDependencies` of a project; started as `npx grid` and npm's scripts do it. */
export async function installInProject(tarball: string): Promise<Install> {
  const folder = openDir();
  Deno.writeTextFileSync(join(folder.path, "package.json"), '{"name":"own","version":"1.0.0"}\n');
  await must("npm", ["install", "-D", "--no-fund", "--no-audit", tarball], { cwd: folder.path });
  return installed(folder, { grid: "node_modules/.bin/grid", folder: folder.path });
}

export async function unpackArchive(archive: string): Promise<Install> {
  const folder = openDir();
  await must("tar", ["-xzf", archive, "-C", folder.path]);
  const inside = basename(archive).replace(`-${PLATFORM}.tar.gz`, "");
  return installed(folder, {
    grid: `${inside}/bin/grid`,
    folder: join(folder.path, inside),
  });
}

function installed(
  folder: TempDir,
  { grid, folder: files }: { readonly grid: string; readonly folder: string },
): Install {
  const home = join(folder.path, "home");
  Deno.mkdirSync(home, { recursive: true });
  return { ...folder, grid: join(folder.path, grid), home, folder: files };
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
