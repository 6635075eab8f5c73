import { Command } from "./command.ts";
import type { BraceFrame, CodeFrame, Frame, Inner } from "./frame.ts";
import type { Heredoc } from "./heredoc.ts";

/** The text that is being read, and where. */
export interface Input {
  readonly text: string;
  readonly at: number;
}

/** Where a scanner is in its script. */
export class ScriptState {
  readonly stack: [Frame, ...Frame[]] = [code("script")];
  /** Here-documents whose bodies begin at the next line break. */
  pending: Heredoc[] = [];
  /** The text so far ends with something that would take the start of a value for its own. */
  tail: "" | "backslash" | "dollar" | "name" = "";
  /** Shells differ on what came before: nothing certain can be said about the rest. */
  isLost = false;
  /** The last character was a line break, or there was none yet. */
  isLineStart = true;

  /** @param open makes a scanner for a script in backticks */
  constructor(readonly open: () => Inner) {}

  get top(): Frame {
    return this.stack.at(-1) ?? this.stack[0];
  }

  push(frame: Frame): void {
    this.stack.push(frame);
  }

  pop(): void {
    if (this.stack.length > 1) this.stack.pop();
    else this.isLost = true;
  }

  /** The command whose word is being read; none in comments, here-documents and backticks. */
  get command(): Command | undefined {
    for (let at = this.stack.length - 1; at >= 0; at--) {
      const frame = this.stack[at];
      if (frame?.kind === "code") return frame.command;
      if (frame?.kind === "heredoc" || frame?.kind === "comment") return undefined;
    }
    return undefined;
  }

  /** Whether the shell evaluates what stands here as arithmetic. */
  get isArithmetic(): boolean {
    const outside = this.stack.findLastIndex(({ kind }) => kind === "code" || kind === "heredoc");
    return this.stack.slice(outside + 1).some(({ kind }) => kind === "arithmetic");
  }

  /** Whether such parentheses are around it, however far away. */
  isIn(opener: CodeFrame["opener"]): boolean {
    return this.stack.some((frame) => frame.kind === "code" && frame.opener === opener);
  }

  get heredocs(): Heredoc[] {
    return this.stack.flatMap((frame) => frame.kind === "heredoc" ? [frame.heredoc] : []);
  }

  /** What a `${` here stands in. */
  get surroundings(): BraceFrame["inside"] {
    const { top } = this;
    if (top.kind === "brace") return top.inside;
    const { kind } = top;
    return kind === "double" || kind === "heredoc" || kind === "arithmetic" ? kind : "code";
  }

  /** The bodies come in the order of their `<<`. */
  openHeredocs(): void {
    const frames = this.pending.map((heredoc): Frame => ({ kind: "heredoc", heredoc }));
    this.stack.push(...frames.reverse());
    this.pending = [];
  }
}

export function code(opener: CodeFrame["opener"], pendingBefore = 0): CodeFrame {
  return { kind: "code", opener, pendingBefore, command: new Command() };
}
