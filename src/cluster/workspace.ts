/** Reaches a node and makes sure that its workspace exists and can be written to. */
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";
import type { Transport } from "../transport/transport.ts";
import type { Node, OpenNode } from "./node.ts";
import { machineIn, tokenIn } from "./shared_home.ts";

/** Exit codes of the script below, by what went wrong. */
const NO_FOLDER = 11;
const NOT_WRITABLE = 12;
/** A full disk still lets empty files be made. */
const NO_ROOM = 13;

/** Others could replace what lies there; the shell says who and what to do. */
const NOT_OURS = 14;

function script({ remoteRoot, endpoint }: Node): string {
  const text = nodeProgram("workspace.sh", import.meta.url);
  const isProject = endpoint.transport === "local" ? "yes" : "";
  const words = `root=${quote(remoteRoot)} is_project=${isProject} grid_random=${randomWord(16)}`;
  return [nodePrelude(), words, text].join("\n");
}

export interface OpenWorkspaceOptions {
  readonly transport: Transport;
  /** Where the user can change `remote_root`. */
  readonly configFile: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws {GridError} a transport code, or `workspace` */
export async function openWorkspace(node: Node, options: OpenWorkspaceOptions): Promise<OpenNode> {
  const { transport, signal } = options;
  const { code, stdout, stderr } = await transport.exec(script(node), { signal });
  const home = /^@home (.+)$/m.exec(stdout)?.[1];
  const root = /^@root (.+)$/m.exec(stdout)?.[1];
  if (code === 0 && home !== undefined && root !== undefined) {
    const lines = stdout.split("\n");
    const [workspaceToken, machine] = [tokenIn(lines), machineIn(lines)];
    return {
      ...{ node, transport, root, home },
      ...(workspaceToken && { workspaceToken }),
      ...(machine && { machine }),
    };
  }
  // A disk without a free inode, too, cannot even take a folder.
  const why = code === NO_FOLDER && /No space left|quota/i.test(stderr) ? NO_ROOM : code;
  throw new GridError({
    code: "workspace",
    message: `Cannot use the workspace "${node.remoteRoot}" on "${node.name}": ${
      stateOf(why, stderr)
    }`,
    hint: hintFor(node, { code: why, configFile: options.configFile }),
    node: node.name,
  });
}

function stateOf(code: number, stderr: string): string {
  // "mkdir: cannot create directory '/x': Permission denied": the last part is the reason.
  const reason = stderr.trim().split("\n").at(-1)?.split(": ").at(-1);
  switch (code) {
    case NO_FOLDER:
      return `the folder cannot be made (${reason})`;
    case NOT_WRITABLE:
      return `it cannot be written to (${reason})`;
    case NO_ROOM:
      return "its disk is full (of bytes, or of files: df -i), or a quota is used up";
    case NOT_OURS:
      return stderr.trim();
    default:
      return reason
        ? `the shell there says "${reason}"`
        : `the shell there ended with code ${code}`;
  }
}

interface HintOptions extends Pick<OpenWorkspaceOptions, "configFile"> {
  readonly code: number;
}

function hintFor(node: Node, { code, configFile }: HintOptions): string {
  const file = configFile ?? "config/cluster_config.yaml";
  if (code === NO_ROOM) {
    return `make room there, or move the workspace: remote_root of "${node.name}" in ${file}`;
  }
  return `set remote_root of "${node.name}" in ${file} to a folder that you may write to`;
}
