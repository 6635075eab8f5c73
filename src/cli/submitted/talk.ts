/** Asks the Grid that was brought to a node. */
import { GridError } from "../../core/errors.ts";
import { Conversation } from "../../sync/conversation.ts";
import { nodePrelude, nodeProgram } from "../../transport/node_program.ts";
import type { Transport } from "../../transport/transport.ts";
import { READERS } from "./answers.ts";
import type { BeginAnswer, BeginRequest, CancelAnswer, CancelRequest } from "./request.ts";
import type { CheckAnswer, CheckRequest, FeedRequest, Request } from "./request.ts";

export interface SubmittedPlace {
  readonly transport: Transport;
  /** Absolute, on the node; holds `grid`. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const MOST_ANSWER = { bytes: 16 * 2 ** 20, what: "an answer" };
/** A runner that does not say in a minute that it has begun says so itself. */
const BEGIN_SILENCE_MS = 150_000;

/** Starts it with a request; what it answers is read by the caller. */
export async function askThere(place: SubmittedPlace, request: Request): Promise<Conversation> {
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  const talk = await Conversation.start(place.transport, {
    script: `${nodePrelude()}\n${nodeProgram("ask.sh", import.meta.url)}`,
    words: [place.folder],
    signal: place.signal,
    silenceMs: BEGIN_SILENCE_MS,
  });
  try {
    const line = await talk.line();
    if (line !== "there") throw notThere(place, line);
    await talk.write(new TextEncoder().encode(`${bytes.length}\n`));
    await talk.write(bytes);
    return talk;
  } catch (error) {
    await talk[Symbol.asyncDispose]();
    throw error;
  }
}

export async function askOnce(place: SubmittedPlace, request: CheckRequest): Promise<CheckAnswer>;
export async function askOnce(place: SubmittedPlace, request: BeginRequest): Promise<BeginAnswer>;
export async function askOnce(place: SubmittedPlace, request: CancelRequest): Promise<CancelAnswer>;
export async function askOnce(
  place: SubmittedPlace,
  request: Exclude<Request, FeedRequest>,
): Promise<unknown> {
  await using talk = await askThere(place, request);
  const line = await talk.line();
  const size = /^answer (\d{1,9})$/.exec(line)?.[1];
  if (size !== undefined) {
    const text = new TextDecoder().decode(await talk.bytes(Number(size), MOST_ANSWER));
    const answer = READERS[request.ask](parsed(text));
    if (answer !== undefined) return answer;
    throw new GridError({
      code: "answer-invalid",
      message: `Cannot ask the Grid on "${place.transport.endpoint.name}": it answered ${
        JSON.stringify(text.slice(0, 200))
      }`,
      hint: "nothing of that was believed; see: grid doctor",
      node: place.transport.endpoint.name,
    });
  }
  const said = `${line}\n${await talk.rest()}\n${await talk.complaints()}`.trim();
  throw new GridError({
    code: "shell",
    message: `Cannot ask the Grid on "${place.transport.endpoint.name}": it said ${
      JSON.stringify(said.slice(-1000))
    }`,
    node: place.transport.endpoint.name,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notThere({ transport: { endpoint }, folder }: SubmittedPlace, line: string): GridError {
  return new GridError({
    code: "lost",
    message: line === "gone"
      ? `Cannot ask about the run on "${endpoint.name}": ${folder} is not there any more`
      : `Cannot ask about the run on "${endpoint.name}": it said "${line.slice(0, 100)}"`,
    hint: "what came home before stays: grid show RUN",
    node: endpoint.name,
  });
}
