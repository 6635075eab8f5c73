/** What the runner asks about a node's jobs in one go, and what `job.sh` answers. */
import { GridError } from "../../core/errors.ts";
import type { JobState } from "./job_state.ts";
import { parseState, unreadable } from "./job_state.ts";
import { jobCall } from "./job_script.ts";
import type { Usage } from "../../core/usage.ts";
import { parseUsage } from "./job_usage.ts";

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
  /** Once it ended; undefined where the node does not know. */
  readonly usage?: Usage | undefined;
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

/** Bytes of an output file that are told; a little more than the 1 MiB that it may have. */
const OUTPUT_FILE_BYTES = 2 ** 20 + 1;
/** Of what is said about what it used. */
const USAGE_BYTES = 20 * 1024;

/** Bytes of the longest answer to these questions. */
export function longestTurn(questions: readonly Question[], credit: number): number {
  const each = 2 * credit + OUTPUT_FILE_BYTES + USAGE_BYTES + LONGEST_LINE;
  return LONGEST_DETAIL + questions.length * each;
}

/**
 * The answer to each question in its order: news, an error where the node refused to start the job, or
 * undefined for what was only held.
 *
 * @throws {GridError} `answer-invalid` for what `job_turn.sh` does not say: not all is believed that a
 * node answers
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
  const match = NEWS.exec(line);
  if (match?.[1] !== place.job) throw unreadable(line, place);
  const [, , out, outMore, err, errMore, file, used, state = ""] = match;
  const news = {
    state: parseState(state, place),
    stdout: reader.bytes(Number(out)),
    stderr: reader.bytes(Number(err)),
    hasMore: outMore === "1" || errMore === "1",
    outputFile: new TextDecoder().decode(reader.bytes(Number(file))),
    ...(used !== undefined && {
      usage: parseUsage(new TextDecoder().decode(reader.bytes(Number(used)))),
    }),
  };
  if (reader.isShort) throw unreadable(`${line} …, and then less than that`, place);
  return news;
}

/**
 * Job, bytes of stdout and whether there are more, the same of stderr, bytes of the output file and of
 * what it used, state.
 */
const NEWS =
  /^job (\S{1,255}) (\d{1,9}) ([01]) (\d{1,9}) ([01]) (\d{1,9})(?:\+(\d{1,5}))? (\S.{0,199})$/;

/** Bytes of the longest line that is read, and of what is said about a refusal. */
const LONGEST_LINE = 4096;
const LONGEST_DETAIL = 64 * 1024;

class AnswerReader {
  readonly #answer: Uint8Array;
  #at = 0;

  constructor(answer: Uint8Array) {
    this.#answer = answer;
  }

  /** More was asked for than there is. */
  get isShort(): boolean {
    return this.#at > this.#answer.length;
  }

  line(): string {
    const rest = this.#answer.subarray(this.#at, this.#at + LONGEST_LINE);
    const end = rest.indexOf(0x0a);
    this.#at += end < 0 ? rest.length : end + 1;
    return new TextDecoder().decode(end < 0 ? rest : rest.subarray(0, end));
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
    const until = this.#at + LONGEST_DETAIL;
    for (let line = this.line(); line !== "."; line = this.line()) {
      lines.push(line);
      if (this.#at >= this.#answer.length || this.#at > until) break;
    }
    return lines.join("\n");
  }
}

function refused(what: string, { node, detail }: { node: string; detail: string }): GridError {
  const start = `Cannot start the command on "${node}"`;
  switch (what) {
    case "cwd":
      return new GridError({
        // What a step asks for is its own; remote_root is the node's.
        code: "step-failed",
        message: `${start}: folder "${detail}" cannot be entered`,
        hint: "sync the folder to this node before, or correct working-directory",
        node,
      });
    case "tool":
      return new GridError({
        code: "missing-tool",
        message: `${start}: there is no ${detail} on its PATH`,
        hint: "install coreutils or busybox there",
        node,
      });
    default:
      return new GridError({
        code: "workspace",
        message: `${start}: ${detail}`,
        hint: "look at the space and the permissions of remote_root",
        node,
      });
  }
}
