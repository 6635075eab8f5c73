/** A node whose programs are other than one thinks: scripts that stand first on its PATH. */
import { join } from "node:path";
import { createLocalTransport } from "../../src/transport/local.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { localEndpoint } from "./sync_rig.ts";

/** Writes programs into a new folder `name` below `folder`, and gives back its path. */
export function writePrograms(folder: string, programs: Readonly<Record<string, string>>): string {
  const bin = Deno.makeTempDirSync({ dir: folder, prefix: "bin-" });
  for (const [name, text] of Object.entries(programs)) {
    Deno.writeTextFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return bin;
}

/** Every script runs with `path` as its PATH. */
export function transportWithPath(path: string, name = "n1"): Transport {
  const inner = createLocalTransport(localEndpoint(name));
  const change = (command: string) => `PATH=${quoted(path)} ${command}`;
  return {
    endpoint: inner.endpoint,
    exec: (command, options) => inner.exec(change(`eval ${quoted(command)}`), options),
    wait: (command, options) => inner.wait(command, options),
    open: (command, options) => inner.open(change(command).replace(/ exec /, " "), options),
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
): Transport {
  return transportWithPath(`${writePrograms(folder, programs)}:${Deno.env.get("PATH")}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
