/** One sync of one folder on one node, over one channel. */
import type { Conversation } from "./conversation.ts";
import { problemOf } from "./apply_problem.ts";
import {
  type ApplyOptions,
  say,
  sendArchive,
  type SendOptions,
  type Sent,
  stageHere,
} from "./deliver.ts";
import { judge, keepOf, keepStamp, refuseDrift, tellOthers } from "./drift.ts";
import { comparePaths } from "./entry.ts";
import { GaveUp } from "./frames.ts";
import type { SourceEntry } from "./hash.ts";
import { tellPruned } from "./kept.ts";
import { keepLock } from "./lock_heartbeat.ts";
import { writeManifest } from "./manifest.ts";
import { DamagedManifest } from "./manifest_cache.ts";
import { readState, startNodeSync } from "./node_state.ts";
import type { Plan } from "./plan.ts";
import { refuseLargeDelete, refuseWithoutSpace } from "./preflight.ts";
import { recordOf } from "./record.ts";
import { planReuse } from "./reuse.ts";

export interface Applied extends Sent {
  readonly plan: Plan<SourceEntry>;
}

/** @throws {GridError} `sync`, `conflict`, `workspace` or a transport code */
export async function applySync(options: ApplyOptions): Promise<Applied> {
  try {
    return await applyOnce(options, { isReusing: true });
  } catch (error) {
    if (error instanceof DamagedManifest) {
      return await applySync({ ...options, remembered: undefined });
    }
    if (!(error instanceof BaseChanged)) throw error;
    return await applyOnce(options, { isReusing: false });
  }
}

/** What lay on the node, and something was to be made of, was changed meanwhile; nothing was done. */
class BaseChanged extends Error {
  override readonly name = "BaseChanged";
}

async function applyOnce(
  options: ApplyOptions,
  { isReusing }: { readonly isReusing: boolean },
): Promise<Applied> {
  await using talk = await startNodeSync(options);
  // The node looks at what it has meanwhile.
  void options.remembered?.entries;
  const hashing = options.source.isChanged ? options.source.hashed() : undefined;
  hashing?.catch(() => {});
  const state = await readState(talk, options);
  options.phase?.("state told");
  await using _lease = keepLock(options);
  const judged = await judge(talk, { ...options, state });
  const { known, wanted, isUnread, others, isThere } = judged;
  let { plan } = judged;
  if (state.verdict === "same" && isNothingToDo(plan)) {
    const packed = { sent: [], torn: [], bytes: 0 };
    const record = recordOf({ ...options, wanted, known, packed, isUnread, isThere });
    const manifest = writeManifest(record);
    if (manifest.digest === state.digest) {
      await say(talk, "stop");
      return { plan, packed, record, manifest };
    }
  }
  refuseLargeDelete(plan, { known, wanted, folder: options.source.folder, ...options });
  const { onDrift = "backup" } = options;
  refuseDrift([...others].toSorted(comparePaths), { ...options, onDrift });
  const stay = onDrift === "keep" ? others : new Set<string>();
  if (stay.size > 0) plan = { ...plan, send: plan.send.filter((entry) => !stay.has(entry.path)) };
  const keep = keepOf(plan, others);
  const work = options.target.transport.isHere ? state.work : undefined;
  // Where nothing travels, a whole file is soon copied.
  const reuse = isReusing && work === undefined
    ? await planReuse(talk, { ...options, ...judged, plan, state, folder: options.source.folder })
    : { send: plan.send, edits: [], taken: [] };
  refuseWithoutSpace([...reuse.send, ...reuse.edits.map((edit) => edit.entry)], {
    freeBytes: state.freeBytes,
    ...options,
  });
  options.phase?.("planned");
  const stamp = keepStamp();
  tellOthers({ ...options, stay, keep, stamp });
  return await send(talk, {
    ...options,
    work,
    wanted,
    plan,
    known,
    isUnread,
    isThere,
    stay,
    keep,
    stamp,
    reuse,
    can: state.can,
    canPatch: state.can.has("patch") && stay.size === 0 && state.manifest !== undefined &&
      state.pending.length === 0,
  });
}

async function send(
  talk: Conversation,
  { work, ...options }: SendOptions & { readonly work: string | undefined },
): Promise<Applied> {
  const sent = work === undefined
    ? await sendArchive(talk, options).catch(async (error) => {
      options.signal.throwIfAborted();
      // A node that gives up says why before it stops listening.
      const line = error instanceof GaveUp ? error.line : await talk.line().catch(() => "");
      throw line.startsWith("failed ") ? await refusal(talk, { ...options, line }) : error;
    })
    : await stageHere(talk, { ...options, work });
  options.phase?.("sent");
  options.sent?.(sent);
  const line = await talk.line();
  options.phase?.("applied");
  if (!/^finished \d{1,9}$/.test(line)) throw await refusal(talk, { ...options, line });
  tellPruned(line, options);
  return { plan: options.plan, ...sent };
}

async function refusal(
  talk: Conversation,
  { line, ...where }: SendOptions & { readonly line: string },
): Promise<Error> {
  const words = await talk.rest();
  return line === "failed base" ? new BaseChanged(words) : problemOf(line, words, where);
}

function isNothingToDo(plan: Plan): boolean {
  return [plan.send, plan.clear, plan.clearFolders, plan.remove, plan.removeFolders]
    .every((list) => list.length === 0);
}
