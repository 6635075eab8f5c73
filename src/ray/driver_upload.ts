/** Brings `batch_driver.py` and its spec to the head, whose Python takes them. */
import { GridError } from "../core/errors.ts";
import { quote, quoteAll } from "../core/shell.ts";
import { Greeting } from "../transport/greeting.ts";
import type { OpenNode } from "../cluster/node.ts";
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
    /** Its text. */
    readonly driver: string;
    readonly specText: string;
    /** What is known from another node, as lines of a results file. */
    readonly knownResults: Uint8Array;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { files, specText, knownResults, signal } = options;
  const contents: [string, Uint8Array][] = [[files.driver, ENCODER.encode(options.driver)]];
  if (knownResults.length > 0) contents.push([files.known, knownResults]);
  // Last, for the driver may be there already, and waits for it.
  contents.push([files.spec, ENCODER.encode(specText)]);
  const command = receiveCommand(head, { folder: files.folder, contents });
  const { code, stdout, stderr } = await send(head, { command, contents, signal });
  if (code === RECEIVED) return;
  if (code === NO_FOLDER) throw cannotWrite(head, files.folder, stderr);
  const missing = code === NO_PYTHON
    ? "python3 is not on its PATH"
    : code === OLD_PYTHON
    ? `its python3 is ${stdout.trim()}, too old`
    : stdout.trim() === ""
    ? `python3 does not start: ${stderr.trim()}`
    : undefined;
  if (missing === undefined) {
    throw cannotWrite(head, files.driver, stderr.trim().split("\n").at(-1) ?? "");
  }
  throw new GridError({
    code: "missing-tool",
    message: `Cannot run a batch on ${head.node.name}: ${missing}`,
    hint:
      `Install Python ${OLDEST_PYTHON} or newer there, or let \`grid setup\` make ${head.root}/grid_env`,
    node: head.node.name,
  });
}

const ENCODER = new TextEncoder();
const RECEIVED = 0;
const OLD_PYTHON = 8;
const NO_FOLDER = 9;
const NO_PYTHON = 127;

/** Folders that come before PATH on the node, as for every step. */
export function pathPrefixOf(head: OpenNode): readonly string[] {
  return [`${head.root}/grid_env/bin`];
}

/**
 * Tells its version, then writes files of the sizes that its arguments name, `<bytes>:<path>`, from what
 * comes behind each other. Any Python understands it.
 */
const RECEIVER = [
  "import os, sys",
  'print("%d.%d" % sys.version_info[:2])',
  "sys.stdout.flush()",
  `if sys.version_info < (${OLDEST_PYTHON.replace(".", ", ")}): sys.exit(${OLD_PYTHON})`,
  "for pair in sys.argv[1:]:",
  "    size, path = pair.split(':', 1)",
  "    left = int(size)",
  "    with open(path + '.part', 'wb') as file:",
  "        while left:",
  "            chunk = sys.stdin.buffer.read(min(left, 1 << 20))",
  "            if not chunk:",
  "                os.remove(path + '.part')",
  "                sys.exit('cut short')",
  "            file.write(chunk)",
  "            left -= len(chunk)",
  "    os.rename(path + '.part', path)",
].join("\n");

/** In one go, for each further look costs a way there and back: the folder is ours, Python is there, and takes the files. */
function receiveCommand(
  head: OpenNode,
  { folder, contents }: {
    readonly folder: string;
    readonly contents: readonly (readonly [string, Uint8Array])[];
  },
): string {
  const pairs = contents.map(([path, bytes]) => `${bytes.length}:${path}`);
  const own = quote(folder);
  return `${nodePrelude()}\numask 077; ` +
    `grid_own ${own} 700 || { echo "$grid_fault" >&2; exit ${NO_FOLDER}; }; ` +
    `mkdir -p ${own}/results || exit ${NO_FOLDER}; ` +
    `find ${own}/.. -mindepth 1 -maxdepth 1 -mtime +${KEEP_DAYS} -exec rm -rf {} + 2>/dev/null; ` +
    `find ${own}/results -name '*.done' -mtime +0 -exec rm -f {} + 2>/dev/null; ` +
    `PATH=${quote(pathPrefixOf(head)[0] ?? "")}:$PATH; export PATH; ` +
    `command -v python3 >/dev/null || exit ${NO_PYTHON}; ` +
    `exec ${quoteAll(["python3", "-Ec", RECEIVER, ...pairs])}`;
}

/** Over a channel of its own: the list of tasks may be long. */
async function send(
  head: OpenNode,
  { command, contents, signal }: {
    readonly command: string;
    readonly contents: readonly (readonly [string, Uint8Array])[];
    readonly signal: AbortSignal;
  },
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const greeting = new Greeting();
  const program = `sh -c ${quote(greeting.ending + command)}`;
  await using channel = await head.transport.open(program, { signal });
  const errors = new Response(channel.stderr).text();
  const words = new Response(channel.stdout).bytes();
  const stdin = channel.stdin.getWriter();
  try {
    for (const [, bytes] of contents) await stdin.write(bytes);
    await stdin.close();
  } catch {
    signal.throwIfAborted(); // what it says tells why it did not read on
  }
  const exit = await channel.exit;
  const [stderr, said] = await Promise.all([errors, words]);
  const stdout = new TextDecoder().decode(greeting.past(said));
  return { code: exit.kind === "code" ? exit.code : -1, stdout, stderr };
}

function cannotWrite(head: OpenNode, path: string, stderr: string): GridError {
  return new GridError({
    code: "workspace",
    message: `Cannot write ${path}: ${stderr.trim()}`,
    hint: `Make ${head.root} writable on ${head.node.name}, with room on its disk`,
    node: head.node.name,
  });
}
