/** The standard input of this process, where there is one to be read. */
import type { InputFile } from "../transport/job/input_reader.ts";
import type { InputSource } from "../transport/job/input_supply.ts";

/** Undefined for none: closed, `/dev/null`, or a terminal that belongs to somebody else for now. */
export function ownInput(): InputSource | undefined {
  if (Deno.stdin.isTerminal()) {
    return isInForeground() ? { stream: Deno.stdin.readable } : undefined;
  }
  const size = ownSize();
  if (size === "nothing") return undefined;
  const stream = Deno.stdin.readable;
  if (size === undefined) return { stream };
  const file = ownFile();
  return { stream, size: size - (file?.offset ?? 0), file };
}

/** Undefined where only Linux could tell. */
function ownFile(): InputFile | undefined {
  try {
    const [, offset] = /^pos:\s*(\d+)$/m.exec(Deno.readTextFileSync("/proc/self/fdinfo/0")) ?? [];
    return { file: Deno.openSync("/proc/self/fd/0"), offset: Number(offset) };
  } catch {
    return undefined;
  }
}

/** Of a file, of which another program may have read a part; undefined for what has none. */
function ownSize(): number | "nothing" | undefined {
  // Imported, it would be loaded before the first word of every command.
  const { fstatSync, statSync } = globalThis.process.getBuiltinModule("node:fs");
  try {
    const own = fstatSync(0);
    if (own.isCharacterDevice() && own.rdev === statSync("/dev/null").rdev) return "nothing";
    return own.isFile() ? own.size : undefined;
  } catch {
    return "nothing"; // closed
  }
}

/**
 * Who reads a terminal from the background is stopped. In `/proc/self/stat` behind the name: state, parent,
 * our process group, session, terminal, and the group that the terminal belongs to.
 */
function isInForeground(): boolean {
  try {
    const stat = Deno.readTextFileSync("/proc/self/stat");
    const [, , group, , , owner] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return group === owner;
  } catch {
    return true; // no /proc
  }
}
