/** What the runner asks about a node's jobs in one go, and what `job.sh` answers. */
import { GridError } from "../../core/errors.ts";
import type { JobState } from "./job_state.ts";
import { parseState } from "./job_state.ts";
import { jobCall } from "./job_script.ts";

export interface Question {
  readonly id: string;
  /** Shell text that starts the job unless it was started; undefined to ask only. */
  readonly start: string | undefined;
  /** Bytes that the runner has. */
  readonly offset: StreamOffset;
  /** `fresh`: its output can wait for its end. `held`: it is followed, but nothing is wanted now. */
  readonly mode: "fresh" | "old" | "held";
}

export interface StreamOffset {
  readonly stdout: number;
  readonly stderr: number;
}

export interface JobNews {
  readonly state: JobState;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** More was printed than this brought. */
  readonly hasMore: boolean;
  /** Content of the file named by `$GRID_OUTPUT`, a little more than 1 MiB at most; once it ended. */
  readonly outputFile: string;
}

export interface TurnOptions {
  readonly root: string;
  /** Random; shows the node that the runner lives. */
  readonly word: string;
  /** Bytes per stream and job that the answer may bring. */
  readonly credit: number;
}

/** Shell text that starts what is to be started, waits for news, and tells. */
export function turnCommand(
  questions: readonly Question[],
  { root, word, credit }: TurnOptions,
): string {
  const asked = questions.flatMap(({ id, offset, mode }) => [
    id,
    offset.stdout,
    offset.stderr,
    credit,
    mode,
  ]);
  const starts = questions.flatMap(({ start }) => start ?? []);
  return [...starts, jobCall("grid_turn", [root, word, ...asked])].join("\n");
}

/**
 * The answer to each question in its order: news, an error where the node refused to start the job, or
 * undefined for what was only held.
 *
 * @throws {GridError} `bug` for words that `job.sh` does not say
 */
export function parseTurn(
  answer: Uint8Array,
  { questions, node }: { readonly questions: readonly Question[]; readonly node: string },
): (JobNews | GridError | undefined)[] {
  const reader = new AnswerReader(answer);
  const refusals = new Map<string, GridError>();
  for (let id = reader.refused(); id; id = reader.refused()) {
    refusals.set(id.job, refused(id.what, { node, detail: reader.detail() }));
  }
  return questions.map(({ id, mode }) => {
    if (mode === "held") return undefined;
    const news = parseNews(reader, { node, job: id });
    return refusals.get(id) ?? news;
  });
}

interface Place {
  readonly node: string;
  readonly job: string;
}

function parseNews(reader: AnswerReader, place: Place): JobNews {
  const line = reader.line();
  const [word, id, out, outMore, err, errMore, file, ...state] = line.split(" ");
  if (word !== "job" || id !== place.job) {
    const message = `Cannot read news of job "${place.job}" on "${place.node}": "${line}"`;
    throw new GridError({ code: "bug", message, node: place.node });
  }
  return {
    state: parseState(state.join(" "), place),
    stdout: reader.bytes(Number(out)),
    stderr: reader.bytes(Number(err)),
    hasMore: outMore === "1" || errMore === "1",
    outputFile: new TextDecoder().decode(reader.bytes(Number(file))),
  };
}

class AnswerReader {
  readonly #answer: Uint8Array;
  #at = 0;

  constructor(answer: Uint8Array) {
    this.#answer = answer;
  }

  line(): string {
    const end = this.#answer.indexOf(0x0a, this.#at);
    const line = this.#answer.subarray(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#answer.length : end + 1;
    return new TextDecoder().decode(line);
  }

  bytes(count: number): Uint8Array {
    const bytes = this.#answer.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }

  /** The next line where it says that a job was not started. */
  refused(): { readonly job: string; readonly what: string } | undefined {
    const before = this.#at;
    const [word, job = "", what = ""] = this.line().split(" ");
    if (word === "refused") return { job, what };
    this.#at = before;
    return undefined;
  }

  /** Lines up to one with nothing but a dot. */
  detail(): string {
    const lines: string[] = [];
    for (let line = this.line(); line !== "."; line = this.line()) {
      lines.push(line);
      if (this.#at >= this.#answer.length) break;
    }
    return lines.join("\n");
  }
}

function refused(what: string, { node, detail }: { node: string; detail: string }): GridError {
  const isFolder = what === "cwd";
  return new GridError({
    // What a step asks for is its own; remote_root is the node's.
    code: isFolder ? "step-failed" : "workspace",
    message: `Cannot start the command on "${node}": ` +
      (isFolder ? `folder "${detail}" cannot be entered` : detail),
    hint: isFolder
      ? "sync the folder to this node before, or correct working-directory"
      : "look at the space and the permissions of remote_root",
    node,
  });
}
