/** What to do about a command that came to a limit of its account or node: `ulimit`. */

const FILE_SIZE = "a file came to the largest size allowed there, which ulimit -f in the script " +
  "shows, or to the largest that its disk takes";
const CPU_TIME = "its CPU time came to the limit there, which ulimit -t in the script shows";

const OF_SIGNAL: ReadonlyMap<string, string> = new Map([
  ["SIGKILL", "perhaps the node ran out of memory: dmesg | grep -i oom"],
  ["SIGXFSZ", FILE_SIZE],
  ["SIGXCPU", CPU_TIME],
]);

/** One sentence; undefined where nothing is known of it. */
export function signalHint(signal: string): string | undefined {
  return OF_SIGNAL.get(signal);
}

/** What a shell exits with where a signal ended its command: 128 and its number. */
const FILE_SIZE_CODE = 128 + 25;
const CPU_TIME_CODE = 128 + 24;

/** The same of a command whose parent has seen the signal, or that was refused the write. */
export function limitHint(code: number, stderr: string): string | undefined {
  if (code === FILE_SIZE_CODE || /File size limit exceeded|\bFile too large\b/.test(stderr)) {
    return FILE_SIZE;
  }
  return code === CPU_TIME_CODE || /CPU time limit exceeded/.test(stderr) ? CPU_TIME : undefined;
}
