/** A look at /proc, for tests that promise to leave nothing behind. Linux only. */

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  /** Arguments joined by blanks, or the kernel's short name in brackets. */
  readonly command: string;
}

/** Every process, zombies left out. */
export function allProcesses(): ProcessInfo[] {
  return [...Deno.readDirSync("/proc")]
    .filter((entry) => /^\d+$/.test(entry.name))
    .flatMap((entry) => readProcess(Number(entry.name)) ?? []);
}

/** Children, their children, and so on. */
export function descendantsOf(pid: number): ProcessInfo[] {
  const all = allProcesses();
  const found: ProcessInfo[] = [];
  let parents = new Set([pid]);
  while (parents.size > 0) {
    const next = all.filter((process) => parents.has(process.parent));
    found.push(...next);
    parents = new Set(next.map((process) => process.pid));
  }
  return found;
}

/** Processes whose environment holds exactly this `NAME=value`. */
export function processesWith(variable: string): ProcessInfo[] {
  return withVariables().filter(({ variables }) => variables.includes(variable))
    .map(({ process }) => process);
}

/** Processes by the value that this variable has in their environment. */
export function processesBy(name: string): ReadonlyMap<string, readonly ProcessInfo[]> {
  const start = `${name}=`;
  const groups = new Map<string, ProcessInfo[]>();
  for (const { process, variables } of withVariables()) {
    const value = variables.find((each) => each.startsWith(start))?.slice(start.length);
    if (value !== undefined) groups.set(value, [...(groups.get(value) ?? []), process]);
  }
  return groups;
}

/**
 * Environments are shown to their own account alone, unless one has `CAP_SYS_PTRACE`, which root has
 * not in every container: what root may not read is asked as the account.
 */
function withVariables(): { process: ProcessInfo; variables: readonly string[] }[] {
  const all = allProcesses();
  const closed = new Map<string, ProcessInfo[]>();
  const found = all.flatMap((process) => {
    try {
      const text = Deno.readTextFileSync(`/proc/${process.pid}/environ`);
      return [{ process, variables: text.split("\0") }];
    } catch (error) {
      if (Deno.uid() === 0 && isRefused(error)) {
        const owner = ownerOf(process.pid);
        if (owner !== undefined) closed.set(owner, [...(closed.get(owner) ?? []), process]);
      }
      return [];
    }
  });
  return [...found, ...[...closed].flatMap(([owner, processes]) => readAs(owner, processes))];
}

function isRefused(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
}

/** `uid:gid`; undefined where it has gone, or is root's. */
function ownerOf(pid: number): string | undefined {
  const status = readText(`/proc/${pid}/status`) ?? "";
  const [uid, gid] = ["Uid", "Gid"].map((name) =>
    new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]
  );
  return uid === undefined || gid === undefined || uid === "0" ? undefined : `${uid}:${gid}`;
}

function readAs(owner: string, processes: readonly ProcessInfo[]) {
  const [uid = 0, gid = 0] = owner.split(":").map(Number);
  const { stdout } = new Deno.Command("grep", {
    args: ["-asHzZ", "", ...processes.map(({ pid }) => `/proc/${pid}/environ`)],
    uid,
    gid,
    cwd: "/",
    stderr: "null",
  }).outputSync();
  const variables = new Map<string, string[]>();
  // The file's name and a variable, in turn.
  const words = new TextDecoder().decode(stdout).split("\0");
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [file = "", variable = ""] = words.slice(at, at + 2);
    variables.set(file, [...(variables.get(file) ?? []), variable]);
  }
  return processes.map((process) => ({
    process,
    variables: variables.get(`/proc/${process.pid}/environ`) ?? [],
  }));
}

function readProcess(pid: number): ProcessInfo | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const commandLine = readText(`/proc/${pid}/cmdline`);
  if (stat === undefined || commandLine === undefined) return undefined;
  // The name in parentheses may itself hold blanks and parentheses.
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return undefined;
  const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
  const command = commandLine.split("\0").join(" ").trim() || `[${name}]`;
  return { pid, parent: Number(parent), command };
}

/** Undefined where the process has gone, or is not ours to read. */
function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
