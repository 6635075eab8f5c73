/** The programs that mask on a node what a command prints, and the patterns that they look for. */
import { secretForms, type SecretParts, SHORTEST_SECRET } from "../../core/secret_forms.ts";
import { jobProgram } from "./job_script.ts";

/** Two equal programs; what they expect and answer is said at the head of `mask.pl`. */
export interface MaskPrograms {
  /** For `perl -e`; starts faster. */
  readonly perl: string;
  /** For `python3 -I -S -c`. */
  readonly python: string;
}

let programs: MaskPrograms | undefined;

/** Read once per process. */
export function maskPrograms(): MaskPrograms {
  programs ??= { perl: jobProgram("mask.pl"), python: jobProgram("mask.py") };
  return programs;
}

/**
 * Every spelling of the secrets in hex, one a line, longest first, and a dot as the last line; empty where no
 * secret is long enough to be masked. As secret as the secrets themselves.
 */
export function maskPatterns(secrets: Iterable<string | SecretParts>): string {
  const encoder = new TextEncoder();
  const forms = new Set([...secrets].flatMap((secret) => [...secretForms(secret)]));
  const lines = [...forms].map((form) => encoder.encode(form))
    .filter((bytes) => bytes.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length)
    .map((bytes) => `${bytes.toHex()}\n`);
  return lines.length === 0 ? "" : `${lines.join("")}.\n`;
}
