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
  return allProcesses().filter((process) =>
    readText(`/proc/${process.pid}/environ`)?.split("\0").includes(variable)
  );
}

/** Processes by the value that this variable has in their environment. */
export function processesBy(name: string): ReadonlyMap<string, readonly ProcessInfo[]> {
  const start = `${name}=`;
  const groups = new Map<string, ProcessInfo[]>();
  for (const process of allProcesses()) {
    const variables = readText(`/proc/${process.pid}/environ`)?.split("\0") ?? [];
    const value = variables.find((each) => each.startsWith(start))?.slice(start.length);
    if (value !== undefined) groups.set(value, [...(groups.get(value) ?? []), process]);
  }
  return groups;
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
