/** `grid resume` of a run that lived on a node: it goes on there, with the project as it is here now. */
import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { newRunId } from "../../core/ids.ts";
import { resumableState } from "../../engine/resume/lineage.ts";
import type { NodeRunner } from "../../store/node_runners.ts";
import { earlierPipeline } from "../earlier_pipeline.ts";
import type { Begun, NotBegun } from "../runner_elsewhere.ts";
import { type Asker, beginOn, givenTo } from "./submit_on.ts";

export interface ResumeOnFlags {
  readonly input: readonly string[];
  readonly from?: string;
  readonly only?: string;
}

export interface ResumeOnOptions extends Asker {
  readonly flags: ResumeOnFlags;
}

export async function resumeOn(
  runner: NodeRunner,
  { session, context, flags }: ResumeOnOptions,
): Promise<Begun | NotBegun> {
  const { grid, signal } = session;
  const { run: earlierRun, node: on, folder } = runner;
  if (runner.isAlive) throw mayRun(runner);
  const earlier = resumableState(earlierRun, (each) => grid.store.events(each));
  const pipeline = await earlierPipeline(earlier, { input: flags.input, grid, context });
  const given = await givenTo(pipeline, { flags: {}, context, session });
  const node = await grid.cluster.open(on, { signal });
  return await beginOn({
    run: context.runId ?? newRunId(systemClock.now()),
    node,
    folder,
    session,
    context,
    pipeline: { ...pipeline, file: earlier.file },
    given,
    target: earlier.file,
    words: [
      "resume",
      earlierRun,
      ...flags.input.flatMap((word) => ["-i", word]),
      ...flags.from === undefined ? [] : ["--from", flags.from],
      ...flags.only === undefined ? [] : ["--only", flags.only],
    ],
    isNew: false,
    restart: false,
  });
}

function mayRun({ run, node, seenAt }: NodeRunner): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot resume run ${run}: it may still run on "${node}", which was last heard of at ${
      new Date(seenAt).toISOString()
    }`,
    hint: `look: grid attach ${run}; where the node is gone for good: grid resume ${run} --here`,
    node,
  });
}
