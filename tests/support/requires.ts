/**
 * Real parts that some tests need. A test whose part is missing is ignored by name, or fails
 * where `GRID_TEST_REQUIRE=all` says that every part must be there.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { realNvidiaSmi } from "./nvml/real_nvidia_smi.ts";

/** Folders that hold daemons but are not on everybody's PATH. */
const MORE_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

const PARTS = {
  sshd: () => findProgram("sshd") && findProgram("ssh-keygen") && findProgram("ssh"),
  rsync: () => findProgram("rsync"),
  promtool: () => findProgram("promtool"),
  prometheus: () => findProgram("prometheus"),
  "prometheus-node-exporter": () => findProgram("prometheus-node-exporter"),
  "prometheus-pushgateway": () => findProgram("prometheus-pushgateway"),
  chromium: () => findProgram("chromium"),
  python3: () => findProgram("python3"),
  perl: () => findProgram("perl"),
  /** GNU time, which tells what a program used. */
  time: () => findProgram("time"),
  bash: () => findProgram("bash"),
  git: () => findProgram("git"),
  bsdtar: () => findProgram("bsdtar"),
  fish: () => findProgram("fish"),
  /** Reads manual pages. */
  groff: () => findProgram("groff"),
  npm: () => findProgram("npm"),
  /** Checkers of CI files and of SARIF, and GitLab's runner; `GRID_TEST_CI_TOOLS` names their folder. */
  "ci-tools": () => findCiTools(),
  /** Programs that read reports and graphs; `GRID_TEST_READERS` names their folder. */
  readers: () => findReaders(),
  dot: () => findProgram("dot"),
  curl: () => findProgram("curl"),
  "systemd-analyze": () => findProgram("systemd-analyze"),
  /** The program itself, which an account may run as its own. */
  systemd: () =>
    ["/lib/systemd/systemd", "/usr/lib/systemd/systemd"].find((path) => existsSync(path)),
  /** Of iproute2: networks of a test's own. */
  ip: () => findProgram("ip"),
  openmpi: () => findProgram("mpirun.openmpi"),
  mpich: () => findProgram("mpirun.mpich"),
  /** Starts a program without a network, or as an account that is not there. */
  unshare: () => findProgram("unshare") && findProgram("setpriv"),
  /** Gives a program a terminal; of bsdutils, which every Debian has. */
  script: () => findProgram("script"),
  /** A library that tells programs another time. */
  faketime: () => findFaketime(),
  cc: () => findProgram("cc"),
  /** Debian's non-free packages, unpacked into the folder that `GRID_TEST_NVIDIA_SMI` names. */
  "nvidia-smi-470": () => realNvidiaSmi("470"),
  "nvidia-smi-535": () => realNvidiaSmi("535"),
  "nvidia-smi-550": () => realNvidiaSmi("550"),
  dash: () => findProgram("dash"),
  make: () => findProgram("make"),
  /** Of a virtual environment that `GRID_TEST_UV_VENV` names. */
  uv: () => findUv(),
  /** Environment modules: the shell function `module`. */
  modules: () => existsSync("/etc/profile.d/modules.sh") ? "/etc/profile.d/modules.sh" : undefined,
  /** Engines of containers, with what starts them without systemd. */
  podman: () =>
    ["runc", "catatonit"].every((name) => findProgram(name)) ? findProgram("podman") : undefined,
  docker: () => findProgram("docker") && findProgram("dockerd"),
  /** Debian's uidmap: podman of an account without rights. */
  uidmap: () => findProgram("newuidmap"),
  busybox: () => findProgram("busybox"),
  /** Debian's other build, which runs its own tools without a process of their name. */
  "busybox-static": () => findBusyboxStatic(),
  mksh: () => findProgram("mksh"),
  yash: () => findProgram("yash"),
  zsh: () => findProgram("zsh"),
  dropbear: () => findProgram("dropbear") && findProgram("dropbearconvert"),
  tinyssh: () => findProgram("tinysshd"),
  /** Of the system's own Python: python3-asyncssh. */
  asyncssh: () =>
    existsSync("/usr/lib/python3/dist-packages/asyncssh") ? "/usr/bin/python3" : undefined,
  xonsh: () => findProgram("xonsh"),
  shellcheck: () => findProgram("shellcheck"),
  /** mypy, and a shellcheck that knows busybox; `GRID_TEST_PROGRAM_CHECKS` names their environment. */
  "program-checks": () => findProgramChecks(),
  /** A test that mounts file systems or takes on another account. */
  root: () => Deno.uid() === 0 ? "root" : undefined,
  /** Of util-linux; with `root` a process becomes another account's. */
  setpriv: () => findProgram("setpriv"),
  /** An ordinary account to log in to: `useradd -m -s /bin/sh grid-test; usermod -p '*' grid-test`. */
  account: () => Deno.uid() === 0 ? findAccount()?.name : undefined,
  /** The same with other login shells: `grid-fish` with fish, `grid-tcsh` with tcsh. */
  "fish-account": () => Deno.uid() === 0 ? findAccount("grid-fish")?.name : undefined,
  "tcsh-account": () => Deno.uid() === 0 ? findAccount("grid-tcsh")?.name : undefined,
  /** A virtual environment with Ray; `GRID_TEST_RAY_VENV` names it. */
  ray: () => findRayVenv() && findProgram("sshd"),
  /** A virtual environment with numpy; `GRID_TEST_NUMPY_VENV` names it. */
  numpy: () => findNumpyVenv(),
  /** One with `ray[default]`, which has the Jobs API; `GRID_TEST_RAY_DASHBOARD_VENV` names it. */
  "ray-dashboard": () => findRayDashboardVenv(),
} satisfies Record<string, () => string | undefined>;

export type Part = keyof typeof PARTS;

/** Full path of a program, also where it lies outside PATH as daemons do. */
export function findProgram(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(delimiter), ...MORE_FOLDERS];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The library to load first, where Debian puts it. */
export function findFaketime(): string | undefined {
  const libraries = "/usr/lib";
  return [...Deno.readDirSync(libraries)].filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => join(libraries, name, "faketime", "libfaketime.so.1"))
    .find((path) => existsSync(path));
}

/** `node_modules` with npm's packages, and `venv`, as `.ci/run` installs them. */
export function findCiTools(): string | undefined {
  const folder = Deno.env.get("GRID_TEST_CI_TOOLS") ?? "/opt/grid-ci-tools";
  return existsSync(join(folder, "venv", "bin", "check-jsonschema")) ? folder : undefined;
}

/** A virtual environment, as `.ci/run` installs it. */
export function findProgramChecks(): string | undefined {
  const folder = Deno.env.get("GRID_TEST_PROGRAM_CHECKS") ?? "/opt/grid-program-checks";
  return existsSync(join(folder, "bin", "mypy")) ? folder : undefined;
}

/** As `findCiTools`. */
export function findReaders(): string | undefined {
  const folder = Deno.env.get("GRID_TEST_READERS") ?? "/opt/grid-readers";
  return existsSync(join(folder, "venv", "bin", "junitparser")) ? folder : undefined;
}

/** It cannot be installed beside `busybox`, so its package is unpacked into a folder. */
export function findBusyboxStatic(): string | undefined {
  const path = Deno.env.get("GRID_TEST_BUSYBOX_STATIC") ?? "/opt/grid-busybox-static/bin/busybox";
  return existsSync(path) ? path : undefined;
}

/** The folder of `uv`, where there is one; it need not be on the PATH. */
export function findUv(): string | undefined {
  const folder = `${Deno.env.get("GRID_TEST_UV_VENV") ?? "/opt/grid-uv-venv"}/bin`;
  return existsSync(`${folder}/uv`) ? folder : undefined;
}

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** An account for tests, where the machine has it. */
export function findAccount(
  wanted: "grid-test" | "grid-fish" | "grid-tcsh" = "grid-test",
): Account | undefined {
  const line = Deno.readTextFileSync("/etc/passwd").split("\n")
    .find((line) => line.startsWith(`${wanted}:`));
  const [name, , uid, gid] = line?.split(":") ?? [];
  return name === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) };
}

/** The virtual environment that holds Ray, where there is one. */
export function findRayVenv(): string | undefined {
  const folder = Deno.env.get("GRID_TEST_RAY_VENV") ?? "/opt/grid-ray-venv";
  return existsSync(join(folder, "bin", "ray")) ? folder : undefined;
}

/** The virtual environment that holds numpy, where there is one. */
export function findNumpyVenv(): string | undefined {
  const folder = Deno.env.get("GRID_TEST_NUMPY_VENV") ?? "/opt/grid-numpy-venv";
  return existsSync(join(folder, "bin", "python3")) ? folder : undefined;
}

/** The virtual environment that holds `ray[default]`, where there is one. */
export function findRayDashboardVenv(): string | undefined {
  const own = Deno.env.get("GRID_TEST_RAY_DASHBOARD_VENV") ?? "/opt/grid-ray-dashboard-venv";
  return [own, findRayVenv()].find((folder) => folder !== undefined && hasDashboard(folder));
}

function hasDashboard(venv: string): boolean {
  const library = join(venv, "lib");
  if (!existsSync(library)) return false;
  return [...Deno.readDirSync(library)].some(({ name }) =>
    existsSync(join(library, name, "site-packages", "aiohttp_cors"))
  );
}

/** Whether the machine has it; with `GRID_TEST_REQUIRE=all` it must. */
export function hasPart(part: Part): boolean {
  const found = Boolean(PARTS[part]());
  if (!found && Deno.env.get("GRID_TEST_REQUIRE") === "all") throw new Error(`missing: ${part}`);
  return found;
}

type TestOptions = Pick<Deno.TestDefinition, "sanitizeResources">;

/** `Deno.test` for a test that needs real parts. */
export function testWith(
  parts: readonly Part[],
  name: string,
  run: (context: Deno.TestContext) => void | Promise<void>,
  options: TestOptions = {},
): void {
  const missing = parts.filter((part) => !PARTS[part]());
  const required = Deno.env.get("GRID_TEST_REQUIRE") === "all";
  const title = parts.length === 0 ? name : `${name} (needs ${parts.join(", ")})`;
  if (missing.length > 0 && required) {
    Deno.test(title, () => {
      throw new Error(`missing: ${missing.join(", ")}, and GRID_TEST_REQUIRE=all asks for it`);
    });
    return;
  }
  Deno.test({ ...options, name: title, ignore: missing.length > 0, fn: run });
}
