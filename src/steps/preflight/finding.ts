import { type ErrorCode, exitCodeOf } from "../../core/errors.ts";
import type { Step } from "../../pipeline/pipeline.ts";

/** One thing that `grid plan --check` looked at. */
export interface Finding {
  /** `node gpu1`, `step train`, `secret HF_TOKEN`. */
  readonly about: string;
  /** False for an obstacle: a run would fail because of it. */
  readonly ok: boolean;
  /** No obstacle for certain, but worth a look. */
  readonly warning?: true;
  readonly words: string;
  /** Of an obstacle: what the run would exit with. */
  readonly exitCode?: number;
}

/** The cells of a matrix speak as one. */
export function aboutStep({ id, matrix, group }: Pick<Step, "id" | "matrix" | "group">): string {
  return `step ${matrix === undefined ? id : group ?? id}`;
}

export function well(about: string, words: string): Finding {
  return { about, ok: true, words };
}

export function caution(about: string, words: string): Finding {
  return { about, ok: true, warning: true, words };
}

export function obstacle(about: string, words: string, code: ErrorCode): Finding {
  return { about, ok: false, words, exitCode: exitCodeOf(code) };
}

/** What stops a run before its first step goes first, then nodes, then what fails a step. */
const SEVERITY = [2, 3, 1];

/** What a run would exit with, as far as was looked; 0 where nothing stands in its way. */
export function preflightExitCode(findings: readonly Finding[]): number {
  const codes = findings.flatMap(({ ok, exitCode = 1 }) => ok ? [] : [exitCode]);
  return SEVERITY.find((code) => codes.includes(code)) ?? codes[0] ?? 0;
}

/** Cells of a matrix, and steps on one node, often have the same to say. */
export function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const seen = new Map(findings.map((finding) => [`${finding.about}\n${finding.words}`, finding]));
  return [...seen.values()];
}
