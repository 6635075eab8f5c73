/** A node whose programs are other than one thinks: scripts that stand first on its PATH. */
import { join } from "node:path";
import { createLocalTransport } from "../../src/transport/local.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { findProgram } from "./requires.ts";
import { localEndpoint } from "./sync_rig.ts";
import { writeProgram } from "./program_file.ts";

/** Writes programs into a new folder `name` below `folder`, and gives back its path. */
export function writePrograms(folder: string, programs: Readonly<Record<string, string>>): string {
  const bin = Deno.makeTempDirSync({ dir: folder, prefix: "bin-" });
  for (const [name, text] of Object.entries(programs)) {
    writeProgram(join(bin, name), `#!/bin/sh\n${text}\n`);
  }
  return bin;
}

/** Every script runs with `path` as its PATH. @param isHere as `Transport` has it */
export function transportWithPath(path: string, { name = "n1", isHere = false } = {}): Transport {
  const inner = createLocalTransport(localEndpoint(name));
  const change = (command: string) => `PATH=${quoted(path)} ${command}`;
  return {
    endpoint: inner.endpoint,
    isHere,
    exec: (command, options) => inner.exec(change(`eval ${quoted(command)}`), options),
    wait: (command, options) => inner.wait(command, options),
    open: (command, options) => inner.open(change(command).replace(/ exec /, " "), options),
    terminal: (screen, options) => inner.terminal(screen, options),
    dial: (target, options) => inner.dial(target, options),
    get stats() {
      return inner.stats;
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

/** The machine's own programs, with some in front of them. */
export function transportWithPrograms(
  folder: string,
  programs: Readonly<Record<string, string>>,
  isHere = false,
): Transport {
  const path = `${writePrograms(folder, programs)}:${Deno.env.get("PATH")}`;
  return transportWithPath(path, { isHere });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What Grid's scripts may call on any node; a program that is left out is not there. */
const TOOLS =
  "sh awk basename cat cmp cp cut date dd df find head ls mkdir mktemp mv paste printf rm " +
  "rmdir sed sha256sum sleep sort tail tar touch tr uname wc xargs stat";

/** A folder with these programs of the machine and no others; for a PATH. */
export function linkPrograms(folder: string, options: { readonly without: readonly string[] }) {
  const bin = Deno.makeTempDirSync({ dir: folder, prefix: "bin-" });
  for (const name of TOOLS.split(" ").filter((name) => !options.without.includes(name))) {
    const path = findProgram(name);
    if (path !== undefined) Deno.symlinkSync(path, join(bin, name));
  }
  return bin;
}

/** `stat` as macOS and the BSDs have it: `-f` takes a format of its own, and there is no `-c`. */
export const BSD_STAT = `follow=
[ "$1" != -L ] || { follow=-L; shift; }
[ "$1" = -f ] || { echo "stat: illegal option -- c" >&2; exit 1; }
format=$(printf %s "$2" | sed 's/%Xp/%f/g;s/%z/%s/g;s/%Fm/%.9Y/g;s/%Fc/%.9Z/g;s/%m/%Y/g;s/%c/%Z/g;s/%N/%n/g')
shift 2
exec /usr/bin/stat $follow -c "$format" "$@"`;
