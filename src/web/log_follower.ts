/** A log from some byte on, as lines of HTML. */
import { formatSize } from "../core/size.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";
import { TerminalText } from "./terminal_text.ts";

/** Of a log's end that is shown first, and at most at one look. */
export const CHUNK_BYTES = 256 * 1024;
/** A browser that is farther behind than this sees the end, and that something is left out. */
const MOST_BEHIND = 4 * CHUNK_BYTES;
/** Of one part: hundreds of thousands of empty lines are few bytes, and stop a browser. */
export const MOST_LINES = 20_000;
const NEWLINE = 0x0a;

export interface LogPart {
  /** Whole lines. */
  readonly lines: Markup;
  /** What has no end yet. */
  readonly open: Markup;
  /** What is left out before. */
  readonly note: string | undefined;
  /** Where the first line that was not whole begins. */
  readonly at: number;
}

export class LogFollower {
  readonly #path: string;
  readonly #text = new TerminalText();
  #at: number;
  #shownOpen = 0;

  /** @param from byte; undefined: near the end */
  constructor(path: string, from?: number) {
    this.#path = path;
    this.#at = from ?? -1;
  }

  /** What has come since; undefined where that is nothing, or there is no log. */
  async next(): Promise<LogPart | undefined> {
    using file = await openIfThere(this.#path);
    if (file === undefined) return undefined;
    const { size } = await file.stat();
    const isFirst = this.#at < 0;
    // One that was cut short is read anew.
    if (this.#at > size) this.#at = 0;
    const skipTo = size - CHUNK_BYTES;
    const isSkipped = isFirst ? skipTo > 0 : size - this.#at > MOST_BEHIND;
    const from = isSkipped ? skipTo : Math.max(0, this.#at);
    const bytes = await readAt(file, from, CHUNK_BYTES);
    const left = isSkipped ? from - Math.max(0, this.#at) : 0;
    // What stands before the first newline may be half a line.
    const begin = isSkipped ? bytes.indexOf(NEWLINE) + 1 : 0;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    // A line that is longer than all that is read at once has to end somewhere.
    const whole = end > begin ? end : bytes.length === CHUNK_BYTES ? wholeText(bytes) : begin;
    const { lines, cut } = lastOf(decode(bytes.subarray(begin, whole)));
    const open = decode(bytes.subarray(whole));
    this.#at = from + whole;
    if (whole === begin && bytes.length - whole === this.#shownOpen && !isFirst) return undefined;
    this.#shownOpen = bytes.length - whole;
    return {
      lines: this.#text.lines(lines),
      open: open === "" ? NOTHING : this.#text.openLine(open),
      note: leftOut(left, cut),
      at: this.#at,
    };
  }
}

/** The last lines of a text, without their ends. */
function lastOf(text: string): { readonly lines: readonly string[]; readonly cut: number } {
  if (text === "") return { lines: [], cut: 0 };
  const all = text.replace(/\n$/, "").split("\n");
  const cut = Math.max(0, all.length - MOST_LINES);
  return { lines: all.slice(cut), cut };
}

/** In words, what is not shown before the lines that are. */
function leftOut(bytes: number, lines: number): string | undefined {
  const words = [
    ...(bytes > 0 ? [formatSize(bytes)] : []),
    ...(lines > 0 ? [`${lines} lines`] : []),
  ];
  return words.length === 0 ? undefined : `… ${words.join(" and ")} left out`;
}

/** Bytes up to a UTF-8 character that is not whole yet; all of them where that is none. */
function wholeText(bytes: Uint8Array): number {
  const before = bytes.subarray(-3).findLastIndex((byte) => byte >= 0xc0);
  if (before < 0) return bytes.length;
  const at = bytes.length - Math.min(3, bytes.length) + before;
  const first = bytes[at] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return at + length > bytes.length ? at : bytes.length;
}

/** As a page has it before any news. */
export function renderLog(part: LogPart | undefined): Markup {
  const cut = part?.note === undefined ? NOTHING : markup`<div class="cut">${part.note}</div>`;
  const open = markup`<div id="open-line">${part?.open}</div>`;
  return markup`<div id="log" class="log" role="log" aria-live="off" tabindex="0" aria-label="Log">${cut}${part?.lines}${open}</div>`;
}

const decoder = new TextDecoder();

function decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

async function readAt(file: Deno.FsFile, from: number, most: number): Promise<Uint8Array> {
  await file.seek(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(most);
  let length = 0;
  while (length < most) {
    const count = await file.read(buffer.subarray(length));
    if (count === null) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

async function openIfThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
