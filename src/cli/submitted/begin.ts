/** Starts the runner on a node, once, also where the link breaks meanwhile. */
import { systemClock } from "../../core/clock.ts";
import { GridError, isTransportCode, toGridError } from "../../core/errors.ts";
import type { Session } from "../session.ts";
import { nameOf } from "./place.ts";
import type { BeginAnswer, BeginRequest } from "./request.ts";
import { askOnce, type SubmittedPlace } from "./talk.ts";

const BEGIN_TRIES = 4;
const PAUSE_MS = 1000;

interface BeginOptions {
  readonly session: Session;
  readonly on: string;
  readonly request: BeginRequest;
}

/** Where the answer is lost it is asked again: of two runners of one run one runs. */
export async function begin(
  place: SubmittedPlace,
  { session: { grid }, on, request }: BeginOptions,
): Promise<BeginAnswer> {
  const { store } = grid;
  const { run } = request;
  const runner = {
    run,
    node: on,
    folder: place.folder,
    project: `${place.folder}/${nameOf(grid.project)}`,
  };
  // From now on it may run, whatever becomes of us.
  store.nodeRunners.put({ ...runner, isAlive: true, seenAt: systemClock.now() });
  for (let attempt = 1;; attempt++) {
    try {
      const answer = await askOnce(place, request);
      if ("problem" in answer) store.nodeRunners.forget(run);
      return answer;
    } catch (error) {
      const problem = toGridError(error);
      if (!isTransportCode(problem.code)) throw error;
      if (attempt === BEGIN_TRIES) throw unknownBegin(run, problem);
      await systemClock.sleep(PAUSE_MS * attempt, { signal: place.signal });
    }
  }
}

function unknownBegin(run: string, cause: GridError): GridError {
  return new GridError({
    code: cause.code,
    message: `Cannot say whether run ${run} has begun: ${cause.message}`,
    hint: `once it can be reached, look: grid attach ${run}`,
    node: cause.node,
    cause,
  });
}
