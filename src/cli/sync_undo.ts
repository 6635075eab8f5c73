/** `grid sync --undo`. */
import { basename } from "node:path";
import { placeOf } from "../sync/place.ts";
import { undoSync } from "../sync/undo.ts";
import { openNodes } from "./nodes.ts";
import { type SyncCall, tellFailed } from "./sync_call.ts";
import { placeOn } from "./sync_places.ts";

export async function undo(call: SyncCall): Promise<number> {
  const { source, flags, context, session } = call;
  const { signal, settings } = session;
  const { open, failed } = await openNodes(session, { names: flags.to, withLocal: false });
  const done = [];
  for (const { node, transport, root } of open) {
    const target = { node: node.name, transport, root };
    // A name that is given is that of the folder itself, as the sync told it.
    const place = flags.as === undefined
      ? await placeOn(target, { as: basename(source), session })
      : placeOf(root, flags.as);
    done.push(await undoSync({ target, place, signal }));
  }
  const lines = done.map(({ node, folder, files }) =>
    files.length === 0
      ? `${node}: nothing was moved aside in ${folder}`
      : `${node}: back in ${folder}: ${files.join(", ")}`
  );
  context.stdout(`${settings.json ? JSON.stringify(done, null, 2) : lines.join("\n")}\n`);
  return tellFailed(failed, call);
}
