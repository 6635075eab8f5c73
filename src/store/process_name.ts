/** Names a process so that it cannot be mistaken for a later one with the same number. */
import { hostname } from "node:os";

export interface ProcessName {
  /** Where its number means something: host, boot and number space. */
  readonly place: string;
  readonly pid: number;
  /** Its start time, in the clock ticks of /proc; empty where there is no /proc. */
  readonly born: string;
}

export function ownProcess(): ProcessName {
  return { place: ownPlace(), pid: Deno.pid, born: bornOf(Deno.pid) ?? "" };
}

/** Whether the process still runs; undefined where it cannot be seen from here. */
export function isRunning({ place, pid, born }: ProcessName): boolean | undefined {
  if (place !== ownPlace()) return undefined;
  return born === "" ? answersSignal(pid) : bornOf(pid) === born;
}

/** Whether it ran on a machine of our name before that was restarted; only its runner's own unit may ask. */
export function isOfEarlierBoot({ place }: Pick<ProcessName, "place">): boolean {
  const [host, boot] = place.split(" ");
  const [ownHost, ownBoot] = ownPlace().split(" ");
  return host === ownHost && boot !== "" && boot !== ownBoot;
}

function ownPlace(): string {
  const boot = readProc("sys/kernel/random/boot_id")?.trim() ?? "";
  return [hostname(), boot, numberSpace()].join(" ");
}

/** Containers on one host count their processes apart. */
function numberSpace(): string {
  try {
    return Deno.readLinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** Field 22 of /proc/<pid>/stat, see proc(5); undefined for a process that is gone or a zombie. */
function bornOf(pid: number): string | undefined {
  const stat = readProc(`${pid}/stat`);
  // The name in parentheses may itself hold blanks and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}

function answersSignal(pid: number): boolean {
  try {
    return globalThis.process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but not ours.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readProc(name: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${name}`);
  } catch {
    return undefined;
  }
}
