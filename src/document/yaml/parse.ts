import type { Document, YAMLError } from "./yaml.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { TextFault } from "./encoding.ts";
import type { Lines } from "../lines.ts";
import { drop, type Mend, MendedText, overlaps } from "./repair.ts";
import { FaultyText, type Slip, type Trap } from "./parse_fault.ts";
import { conflictTraps } from "./text_trap.ts";
import { isNestedTooDeep, isTooDeep, nestingDiagnostic } from "./nesting.ts";
import { relocate } from "./relocate.ts";
import { plantTree, type Tree } from "../tree.ts";
import { parseDocument } from "./yaml.ts";
import { slipOf, tagDiagnostic, trapDiagnostic, treeDiagnostic } from "./yaml_problem.ts";
import { braceTrap, trapOf } from "./yaml_trap.ts";

export interface Parsed {
  readonly tree: Tree;
  /** Whether the text could be read to its end, mended where it had to be. */
  readonly isReadable: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly mends: readonly Mend[];
}

const PARSE_OPTIONS = {
  merge: true,
  stringKeys: true,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "error",
} as const;

/** A file with more mistakes is read no further, a long one sooner. */
const MAX_ROUNDS = 50;
const MAX_CHARACTERS = 2_000_000;

/** Reads a text; behind a mistake it mends the text and reads on, to find the other mistakes too. */
export function parseText(lines: Lines, faults: readonly TextFault[]): Parsed {
  const repair = new Repair(lines);
  for (const fault of faults) repair.takeFault(fault);
  if (faults.some(({ isLast }) => isLast)) {
    return { tree: plantTree(null), isReadable: false, diagnostics: repair.with([]), mends: [] };
  }
  if (isNestedTooDeep(lines.text)) {
    const diagnostics = repair.with([nestingDiagnostic(lines)]);
    return { tree: plantTree(null), isReadable: false, diagnostics, mends: [] };
  }
  const rounds = Math.min(MAX_ROUNDS, MAX_CHARACTERS / Math.max(1, lines.text.length));
  for (let round = 0;; round++) {
    const mended = new MendedText(lines.text, repair.mends);
    const document = parsed(mended.text);
    if (document === undefined) {
      const diagnostics = repair.with([nestingDiagnostic(lines)]);
      return { tree: plantTree(null), isReadable: false, diagnostics, mends: repair.mends };
    }
    const { errors, warnings } = document;
    if (errors.length > 0 && round < rounds && repair.goesOn(errors, mended)) continue;
    const tree = plantTree(document.contents);
    const isReadable = errors.length === 0;
    if (repair.mends.length > 0) relocate(tree, (offset) => mended.original(offset));
    const found = isReadable ? meaningOf({ tree, warnings, mended }, lines) : [];
    return { tree, isReadable, diagnostics: repair.with(found), mends: repair.mends };
  }
}

/** Undefined where the parser, which calls itself for each level, ran out of levels. */
function parsed(text: string): Document.Parsed | undefined {
  try {
    const document = parseDocument(text, PARSE_OPTIONS);
    return document.errors.some(isTooDeep) ? undefined : document;
  } catch (error) {
    if (isTooDeep(error)) return undefined;
    throw error;
  }
}

/** Mistakes in YAML that the parser can read. */
function meaningOf(
  { tree, warnings, mended }: {
    readonly tree: Tree;
    readonly warnings: readonly YAMLError[];
    readonly mended: MendedText;
  },
  lines: Lines,
): Diagnostic[] {
  const tags = warnings.map(({ pos: [start, end] }) =>
    tagDiagnostic([mended.original(start), mended.original(end)], lines)
  );
  const problems = tree.problems.map((problem) => {
    if (problem.rule !== "unknown-tag") return treeDiagnostic(problem, lines);
    const at = lines.text.lastIndexOf("!", problem.range[0] - 1);
    return tagDiagnostic([at, at + 1], lines);
  });
  return [...tags, ...problems];
}

/** The changes so far, and the mistakes they were made for. */
class Repair {
  readonly mends: Mend[] = [];
  readonly #lines: Lines;
  readonly #found: Diagnostic[] = [];
  /** Lines with a report, and how often they were changed on suspicion. */
  readonly #guesses = new Map<number, number>();
  readonly #reported = new Set<number>();
  #hasConflicts: boolean | undefined;

  constructor(lines: Lines) {
    this.#lines = lines;
  }

  /** What the text may not hold is read as a blank, or as the sign for what cannot be read. */
  takeFault({ rule, at, message, hint }: TextFault): void {
    const spot = this.#lines.spot(at, at + 1);
    this.#found.push(trapDiagnostic({ rule, message, hint }, { spot }));
    this.#reported.add(spot.place.line);
    if (rule === "control-character") this.mends.push({ start: at, end: at + 1, text: " " });
  }

  /** Whether the text could be changed so that another try makes sense. */
  goesOn(errors: readonly YAMLError[], mended: MendedText): boolean {
    if (this.#hasConflicts === undefined && this.#removeConflicts()) return true;
    const lines = this.#lines;
    const text = new FaultyText(lines, mended);
    const slips = errors.map((error) => slipOf(error, { lines, mended }));
    const [first] = slips;
    for (const slip of slips) {
      if (first && slip.spot.place.line > first.spot.place.line + 1) break;
      const trap = braceTrap(slip, text);
      if (trap !== undefined && !this.#isKnown(trap, slip)) return this.#take(trap, slip);
    }
    // These words of the parser follow from others that say more.
    const telling = slips.filter(({ code }) => code !== "NON_STRING_KEY");
    return this.#takeSeveral(telling.length > 0 ? telling : slips, text);
  }

  /** Behind a slip within one value the parser is on its feet again: the next one is worth a look too. */
  #takeSeveral(slips: readonly Slip[], text: FaultyText): boolean {
    let changed = false;
    for (const slip of slips) {
      const trap = trapOf(slip, text);
      const isKnown = this.#isKnown(trap, slip);
      if (changed && (isKnown || !trap.isLocal)) return true;
      if (!(isKnown ? this.#guess(slip) : this.#take(trap, slip))) return changed;
      changed = true;
      if (isKnown || !trap.isLocal) return true;
    }
    return changed;
  }

  /** With other mistakes, in file order; on a line with a report already nothing else is judged. */
  with(others: readonly Diagnostic[]): Diagnostic[] {
    const more = others.filter(({ place }) => !this.#reported.has(place.line));
    return [...this.#found, ...more].sort((a, b) =>
      a.place.line - b.place.line || a.place.column - b.place.column
    );
  }

  #removeConflicts(): boolean {
    const traps = conflictTraps(this.#lines);
    this.#hasConflicts = traps.length > 0;
    for (const trap of traps) if (trap.spot) this.#take(trap, { spot: trap.spot });
    return this.#hasConflicts;
  }

  /** One slip makes the parser stumble several times; what it says first is the one to read. */
  #isKnown(trap: Trap, slip: Slip): boolean {
    const line = (trap.spot ?? slip.spot).place.line;
    const stumbled = slip.spot.place.line;
    return this.#reported.has(line) || this.#reported.has(stumbled) ||
      this.#guesses.has(line - 1) || this.#guesses.has(stumbled - 1);
  }

  #take(trap: Trap, slip: Pick<Slip, "spot">): boolean {
    this.#found.push(trapDiagnostic(trap, slip));
    this.#reported.add((trap.spot ?? slip.spot).place.line);
    if (trap.isLast) return false;
    const mends = trap.mends ?? [];
    if (mends.length === 0 || mends.some((mend) => overlaps(mend, this.mends))) {
      return this.#guess(slip);
    }
    this.mends.push(...mends);
    return true;
  }

  /** Nobody knows what the line was meant to say: it becomes a key, then nothing. */
  #guess({ spot }: Pick<Slip, "spot">): boolean {
    const { line } = spot.place;
    const tries = this.#guesses.get(line) ?? 0;
    this.#guesses.set(line, tries + 1);
    const start = this.#lines.start(line);
    const end = start + spot.sourceLine.length;
    const head = /^\s*(?:- +)*/.exec(spot.sourceLine)?.[0].length ?? 0;
    const mend = tries === 0
      ? { start: start + head, end, text: `x-${line}: x`, isLoss: true }
      : { ...drop(start, end), isLoss: true };
    const others = this.mends.filter((other) => other.end < start || other.start > end);
    this.mends.splice(0, this.mends.length, ...others, mend);
    return tries < 2 && start < end;
  }
}
