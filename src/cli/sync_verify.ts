/** `grid sync --verify`: every file on the nodes is read again and compared. */
import { basename } from "node:path";
import { oneLine } from "../terminal/harmless.ts";
import { type Verified, verifySync } from "../sync/verify.ts";
import { openNodes } from "./nodes.ts";
import { type SyncCall, tellFailed } from "./sync_call.ts";
import { placeOn } from "./sync_places.ts";

/** Names of files that are shown. */
const MOST_SHOWN = 10;

/** 1 where something differs and is not put right, 3 where a node could not be asked. */
export async function verify(call: SyncCall): Promise<number> {
  const { source, flags, context, session } = call;
  const { signal, settings } = session;
  const { open, failed } = await openNodes(session, { names: flags.to, withLocal: false });
  const isDry = (flags.dryRun ?? flags.explain) === true;
  const done: Verified[] = [];
  for (const { node, transport, root } of open) {
    const target = { node: node.name, transport, root };
    const place = await placeOn(target, { as: flags.as ?? basename(source), session });
    done.push(await verifySync({ target, place, mark: !isDry, signal }));
  }
  const words = `${done.map(line).join("\n")}\n`;
  // The report of the sync that follows is the one object on stdout.
  if (settings.json && isDry) context.stdout(`${JSON.stringify({ nodes: done }, null, 2)}\n`);
  else if (done.length > 0) (isDry ? context.stdout : context.stderr)(words);
  const code = tellFailed(failed, call);
  const isSame = done.every(({ differ, missing }) => differ.length + missing.length === 0);
  return code !== 0 || isSame || !isDry ? code : 1;
}

function line({ node, folder, compared, differ, missing, unknown }: Verified): string {
  const parts = [
    `${compared} ${compared === 1 ? "file" : "files"} compared by SHA-256`,
    ...(unknown > 0 ? [`${unknown} of which nobody noted a sum (use_checksums: false)`] : []),
    differ.length === 0 ? "" : `${differ.length} differ: ${shorten(differ)}`,
    missing.length === 0 ? "" : `${missing.length} missing or unreadable: ${shorten(missing)}`,
    differ.length + missing.length === 0 ? "all as they were brought" : "",
  ];
  return `${node}  ${folder}: ${parts.filter((part) => part !== "").join("; ")}`;
}

function shorten(paths: readonly string[]): string {
  const shown = paths.slice(0, MOST_SHOWN).map(oneLine).join(", ");
  return paths.length > MOST_SHOWN ? `${shown} and ${paths.length - MOST_SHOWN} more` : shown;
}
