/** Brings `batch_driver.py` and its spec to the head, after a look whether Python is there. */
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
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
  const { files, signal } = options;
  await checkPython(head, signal);
  const driver = driverSource();
  await send(head, { files, path: files.driver, text: driver, signal });
  await send(head, { files, path: files.spec, text: options.specText, signal });
  if (options.knownResults.length > 0) {
    await send(head, { files, path: files.known, text: options.knownResults, signal });
  }
}

/** Folders that come before PATH on the node, as for every step. */
export function pathPrefixOf(head: OpenNode): readonly string[] {
  return [`${head.root}/grid_env/bin`];
}

async function checkPython(head: OpenNode, signal: AbortSignal): Promise<void> {
  const [folder] = pathPrefixOf(head);
  const program = `import sys; print("%d.%d" % sys.version_info[:2]); ` +
    `sys.exit(sys.version_info < (${OLDEST_PYTHON.replace(".", ", ")}))`;
  const command = `PATH=${quote(folder ?? "")}:$PATH; export PATH; ` +
    `command -v python3 >/dev/null || exit 127; python3 -c ${quote(program)}`;
  const { code, stdout, stderr } = await head.transport.exec(`(${command})`, { signal });
  if (code === 0) return;
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

async function send(
  head: OpenNode,
  { files, path, text, signal }: {
    readonly files: DriverFiles;
    readonly path: string;
    readonly text: string | Uint8Array;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const folder = quote(files.folder);
  const prune = `find ${folder}/.. -mindepth 1 -maxdepth 1 -mtime +${KEEP_DAYS} ` +
    `-exec rm -rf {} + 2>/dev/null; find ${folder}/results -name '*.done' -mtime +0 ` +
    "-exec rm -f {} + 2>/dev/null";
  const command = `${nodePrelude()}\n(umask 077; ` +
    `grid_own ${folder} 700 || { echo "$grid_fault" >&2; exit 1; }; mkdir -p ${folder}/results; { ${prune}; ` +
    `cat >${quote(`${path}.part`)} && mv ${quote(`${path}.part`)} ${quote(path)}; })`;
  const { code, stderr } = await head.transport.exec(command, { stdin: text, signal });
  if (code !== 0) throw cannotWrite(head, path, stderr);
}

function cannotWrite(head: OpenNode, path: string, stderr: string): GridError {
  return new GridError({
    code: "workspace",
    message: `Cannot write ${path}: ${stderr.trim()}`,
    hint: `Make ${head.root} writable on ${head.node.name}, with room on its disk`,
    node: head.node.name,
  });
}
