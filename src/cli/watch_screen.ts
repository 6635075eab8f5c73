/** A picture that is drawn over itself, without a blank moment between; in a pipe, one below the other. */
import type { CliContext } from "./context.ts";

export interface WatchScreen extends Disposable {
  readonly isLive: boolean;
  draw(text: string): void;
}

/** The terminal shows all of it at once. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
/** A page of its own, so that what stood on the screen before comes back. */
const OPEN = "\x1b[?1049h\x1b[?25l";
const CLOSE = "\x1b[?25h\x1b[?1049l";

/**
 * What does not fit below is told, not scrolled. When it closes, the last picture stays on the ordinary
 * screen.
 */
export function openWatchScreen(context: CliContext): WatchScreen {
  const isLive = context.stdoutIsTerminal && context.env["TERM"] !== "dumb";
  let last = "";
  if (isLive) context.stdout(OPEN);
  return {
    isLive,
    draw(text) {
      last = text;
      if (!isLive) return context.stdout(text);
      const lines = fitting(text.trimEnd().split("\n"), context.rows());
      const body = lines.map((line) => `${line}${CLEAR_LINE}`).join("\r\n");
      context.stdout(`${BEGIN}${HOME}${body}${CLEAR_BELOW}${END}`);
    },
    [Symbol.dispose]() {
      if (isLive) context.stdout(`${CLOSE}${last}`);
    },
  };
}

function fitting(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const shown = Math.max(0, rows - 1);
  return [...lines.slice(0, shown), `… ${lines.length - shown} more lines; --node shows one node`];
}

export interface Preview extends Disposable {
  /** Whether anybody sees it. */
  readonly isLive: boolean;
  /** Whether so many lines can be drawn, and be taken back. */
  hasRoom(lines: number): boolean;
  /** Replaces what was drawn before. */
  draw(text: string): void;
}

/** What is known so far, on a terminal that can take it back; the end takes it away. */
export function openPreview(context: CliContext): Preview {
  const isLive = context.stdoutIsTerminal && context.env["TERM"] !== "dumb";
  let drawn = 0;
  const back = () => drawn === 0 ? "" : `\x1b[${drawn}A\r${CLEAR_BELOW}`;
  // What has scrolled away cannot be taken back.
  const hasRoom = (lines: number) => isLive && lines < context.rows();
  return {
    isLive,
    hasRoom,
    draw(text) {
      const lines = text.split("\n").length - 1;
      if (!hasRoom(lines)) return;
      context.stdout(`${BEGIN}${back()}${text}${END}`);
      drawn = lines;
    },
    [Symbol.dispose]() {
      if (drawn > 0) context.stdout(back());
      drawn = 0;
    },
  };
}
