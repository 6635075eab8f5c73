/** The step's folder as the zip file that Ray spreads over its nodes. */
import { GridError } from "../core/errors.ts";
import { formatSize } from "../core/size.ts";
import { quoteAll } from "../core/shell.ts";
import { Greeting } from "../transport/greeting.ts";
import type { OpenNode } from "../cluster/node.ts";
import { PACKAGE_LIMIT_BYTES } from "./jobs_api.ts";

/** Packs a folder to stdout; files given as JSON on stdin come on top. */
const PACK = `
import json, os, sys, zipfile
folder, skip = sys.argv[1], set(sys.argv[2].split(","))
os.chdir(folder)
extra = json.load(sys.stdin)
with zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED) as package:
    for place, folders, files in os.walk("."):
        folders[:] = sorted(name for name in folders if name not in skip)
        for name in sorted(files):
            path = os.path.join(place, name)
            if name not in skip and os.path.isfile(path):
                # A fixed date: the same files make the same package.
                info = zipfile.ZipInfo(os.path.relpath(path, "."), (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = (os.stat(path).st_mode & 0xFFFF) << 16
                with open(path, "rb") as file:
                    package.writestr(info, file.read())
    for name, text in sorted(extra.items()):
        package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
`;
/** Never code, often the reason for a package that is too big. */
const SKIPPED = [".git", ".venv", "__pycache__", "node_modules", ".grid"];

export interface PackageOptions {
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Files that come on top, by path in the package. */
  readonly extra: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** @throws {GridError} `ray` where the folder cannot be packed or is larger than Ray takes */
export async function packFolder(
  node: OpenNode,
  options: PackageOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const program = quoteAll([PACK, options.folder, SKIPPED.join(",")]);
  const greeting = new Greeting();
  const command = `${greeting.ending}PATH=${
    quoteAll([`${node.root}/grid_env/bin`])
  }:$PATH; exec python3 -c ${program}`;
  await using channel = await node.transport.open(`sh -c ${quoteAll([command])}`, {
    signal: options.signal,
  });
  const writer = channel.stdin.getWriter();
  const extra = new TextEncoder().encode(JSON.stringify(options.extra));
  const [answer, errors, exit] = await Promise.all([
    new Response(channel.stdout).bytes(),
    new Response(channel.stderr).text(),
    channel.exit,
    writer.write(extra).then(() => writer.close()),
  ]);
  if (exit.kind !== "code" || exit.code !== 0) {
    const last = errors.trim().split("\n").at(-1);
    throw cannotPack(node, options, { state: last ?? "it said nothing" });
  }
  // The same code has the same name, whatever its account is greeted with.
  const content = new Uint8Array(greeting.past(answer));
  if (content.length > PACKAGE_LIMIT_BYTES) {
    throw cannotPack(node, options, {
      state: `${formatSize(content.length)} packed, Ray takes ${formatSize(PACKAGE_LIMIT_BYTES)}`,
      hint: "Keep data out of the synced folder: sync.exclude_patterns, or exclude on the step",
    });
  }
  return content;
}

function cannotPack(
  node: OpenNode,
  { folder }: PackageOptions,
  { state, hint }: { readonly state: string; readonly hint?: string },
): GridError {
  return new GridError({
    code: "ray",
    message: `Cannot pack ${folder} on ${node.node.name}: ${state}`,
    hint,
    node: node.node.name,
  });
}
