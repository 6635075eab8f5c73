/** Brings `batch_driver.py` and its spec to the head, after a look whether Python is there. */
import { GridError } from "../core/errors.ts";
import { quote, quoteAll } from "../core/shell.ts";
import type { OpenNode } from "../cluster/node.ts";
import { driverSource } from "./driver_source.ts";
import type { DriverFiles } from "./driver_spec.ts";
import { nodePrelude } from "../transport/node_program.ts";

/**
 * Results of steps that nobody took up again are removed after this many days; those that were handed
 * over, to a run that did not live to remove them, after one.
 */
const KEEP_DAYS = 14;
const OLDEST_PYTHON = "3.8";

/** @throws {GridError} `missing-tool`, `workspace`, or a transport code */
export async function uploadDriver(
  head: OpenNode,
  options: {
    readonly files: DriverFiles;
    readonly specText: string;
    /** What is known from another node, as lines of a results file. */
    readonly knownResults: Uint8Array;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { files, specText, knownResults, signal } = options;
  await prepareFolder(head, { files, signal });
  const contents: [string, Uint8Array][] = [
    [files.driver, ENCODER.encode(driverSource())],
    [files.spec, ENCODER.encode(specText)],
  ];
  if (knownResults.length > 0) contents.push([files.known, knownResults]);
  await send(head, { contents, signal });
}

const ENCODER = new TextEncoder();

/** Folders that come before PATH on the node, as for every step. */
export function pathPrefixOf(head: OpenNode): readonly string[] {
  return [`${head.root}/grid_env/bin`];
}

/** The folder is ours, and Python is there. */
async function prepareFolder(
  head: OpenNode,
  { files, signal }: { readonly files: DriverFiles; readonly signal: AbortSignal },
): Promise<void> {
  const program = `import sys; print("%d.%d" % sys.version_info[:2]); ` +
    `sys.exit(sys.version_info < (${OLDEST_PYTHON.replace(".", ", ")}))`;
  const folder = quote(files.folder);
  const command = `${nodePrelude()}\n(umask 077; ` +
    `grid_own ${folder} 700 || { echo "$grid_fault" >&2; exit 9; }; ` +
    `mkdir -p ${folder}/results || exit 9; ` +
    `find ${folder}/.. -mindepth 1 -maxdepth 1 -mtime +${KEEP_DAYS} -exec rm -rf {} + 2>/dev/null; ` +
    `find ${folder}/results -name '*.done' -mtime +0 -exec rm -f {} + 2>/dev/null; ` +
    `PATH=${quote(pathPrefixOf(head)[0] ?? "")}:$PATH; export PATH; ` +
    `command -v python3 >/dev/null || exit 127; python3 -c ${quote(program)})`;
  const { code, stdout, stderr } = await head.transport.exec(command, { signal });
  if (code === 0) return;
  if (code === 9) throw cannotWrite(head, files.folder, stderr);
  const state = code === 127
    ? "python3 is not on its PATH"
    : stdout.trim() === ""
    ? `python3 does not start: ${stderr.trim()}`
    : `its python3 is ${stdout.trim()}, too old`;
  throw new GridError({
    code: "missing-tool",
    message: `Cannot run a batch on ${head.node.name}: ${state}`,
    hint:
      `Install Python ${OLDEST_PYTHON} or newer there, or let \`grid setup\` make ${head.root}/grid_env`,
    node: head.node.name,
  });
}

/** Writes files of the sizes that its arguments name, `<bytes>:<path>`, from what comes behind each other. */
const RECEIVER = [
  "import os, sys",
  "for pair in sys.argv[1:]:",
  "    size, path = pair.split(':', 1)",
  "    left = int(size)",
  "    with open(path + '.part', 'wb') as file:",
  "        while left:",
  "            chunk = sys.stdin.buffer.read(min(left, 1 << 20))",
  "            if not chunk: sys.exit('cut short')",
  "            file.write(chunk)",
  "            left -= len(chunk)",
  "    os.rename(path + '.part', path)",
].join("\n");

/** Over a channel of its own: the list of tasks may be long. */
async function send(
  head: OpenNode,
  { contents, signal }: {
    readonly contents: readonly (readonly [string, Uint8Array])[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const pairs = contents.map(([path, bytes]) => `${bytes.length}:${path}`);
  const words = quoteAll(["python3", "-c", RECEIVER, ...pairs]);
  const command = `umask 077; PATH=${quote(pathPrefixOf(head)[0] ?? "")}:$PATH; exec ${words}`;
  await using channel = await head.transport.open(`sh -c ${quote(command)}`, { signal });
  const errors = new Response(channel.stderr).text();
  const nothing = new Response(channel.stdout).text();
  const stdin = channel.stdin.getWriter();
  try {
    for (const [, bytes] of contents) await stdin.write(bytes);
    await stdin.close();
  } catch {
    signal.throwIfAborted(); // what it says tells why it did not read on
  }
  const exit = await channel.exit;
  const [said] = await Promise.all([errors, nothing]);
  if (exit.kind === "code" && exit.code === 0) return;
  const [[path] = [""]] = contents;
  throw cannotWrite(head, path, said.trim().split("\n").at(-1) ?? "");
}

function cannotWrite(head: OpenNode, path: string, stderr: string): GridError {
  return new GridError({
    code: "workspace",
    message: `Cannot write ${path}: ${stderr.trim()}`,
    hint: `Make ${head.root} writable on ${head.node.name}, with room on its disk`,
    node: head.node.name,
  });
}
