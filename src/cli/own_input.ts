/** The standard input of this process, where there is one to be read. */

/** Undefined for none: closed, `/dev/null`, or a terminal that belongs to somebody else for now. */
export function ownInput(): ReadableStream<Uint8Array> | undefined {
  if (Deno.stdin.isTerminal()) return isInForeground() ? Deno.stdin.readable : undefined;
  return isNothing() ? undefined : Deno.stdin.readable;
}

function isNothing(): boolean {
  // Imported, it would be loaded before the first word of every command.
  const { fstatSync, statSync } = globalThis.process.getBuiltinModule("node:fs");
  try {
    const own = fstatSync(0);
    return own.isCharacterDevice() && own.rdev === statSync("/dev/null").rdev;
  } catch {
    return true; // closed
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
