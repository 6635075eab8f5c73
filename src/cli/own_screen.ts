/** The terminal that Grid itself runs in, as the window of one on a node. */
import type { Screen, ScreenSize } from "../transport/transport.ts";

/** Undefined where there is none. */
export function ownScreen(): Screen | undefined {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  return {
    term: Deno.env.get("TERM") || "xterm",
    size,
    onResize(changed) {
      Deno.addSignalListener("SIGWINCH", changed);
      return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGWINCH", changed) };
    },
    raw,
    input: Deno.stdin.readable,
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
    },
  };
}

function size(): ScreenSize {
  const { columns, rows } = Deno.consoleSize();
  // Fresh pseudo-terminals, which nobody has sized, say that they have no columns.
  return { columns: columns || 80, rows: rows || 24 };
}

function raw(): Disposable {
  Deno.stdin.setRaw(true);
  let isRaw = true;
  const restore = () => {
    if (isRaw) Deno.stdin.setRaw(false);
    isRaw = false;
  };
  // Also where something ends the process without a word to whoever uses the terminal.
  globalThis.addEventListener("unload", restore);
  return {
    [Symbol.dispose]: () => {
      globalThis.removeEventListener("unload", restore);
      restore();
    },
  };
}
