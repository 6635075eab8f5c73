import type { Document, YAMLError } from "./yaml.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { TextFault } from "./encoding.ts";
import type { Lines } from "../lines.ts";
import { drop, overlaps, type Repair, RepairedText } from "./repair.ts";
import { FaultyText, type ParseFault, type Trap } from "./parse_fault.ts";
import { conflictTraps } from "./text_trap.ts";
import { isNestedTooDeep, isTooDeep, nestingDiagnostic } from "./nesting.ts";
import { relocate } from "./relocate.ts";
import { plantTree, type Tree } from "../tree.ts";
import { parseDocument } from "./yaml.ts";
import { parseFaultOf, tagDiagnostic, trapDiagnostic, treeDiagnostic } from "./yaml_problem.ts";
import { braceTrap, trapOf } from "./yaml_trap.ts";

export interface Parsed {
  readonly tree: Tree;
  /** Whether the text could be read to its end, mended where it had to be. */
  readonly isReadable: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly repairs: readonly Repair[];
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
  const work = new RepairWork(lines);
  for (const fault of faults) work.takeFault(fault);
  if (faults.some(({ isLast }) => isLast)) {
    return { tree: plantTree(null), isReadable: false, diagnostics: work.with([]), repairs: [] };
  }
  if (isNestedTooDeep(lines.text)) {
    const diagnostics = work.with([nestingDiagnostic(lines)]);
    return { tree: plantTree(null), isReadable: false, diagnostics, repairs: [] };
  }
  const rounds = Math.min(MAX_ROUNDS, MAX_CHARACTERS / Math.max(1, lines.text.length));
  for (let round = 0;; round++) {
    const repaired = new RepairedText(lines.text, work.repairs);
    const document = parsed(repaired.text);
    if (document === undefined) {
      const diagnostics = work.with([nestingDiagnostic(lines)]);
      return { tree: plantTree(null), isReadable: false, diagnostics, repairs: work.repairs };
    }
    const { errors, warnings } = document;
    if (errors.length > 0 && round < rounds && work.goesOn(errors, repaired)) continue;
    const tree = plantTree(document.contents);
    const isReadable = errors.length === 0;
    if (work.repairs.length > 0) relocate(tree, (offset) => repaired.original(offset));
    const found = isReadable ? meaningOf({ tree, warnings, repaired }, lines) : [];
    return { tree, isReadable, diagnostics: work.with(found), repairs: work.repairs };
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
  { tree, warnings, repaired }: {
    readonly tree: Tree;
    readonly warnings: readonly YAMLError[];
    readonly repaired: RepairedText;
  },
  lines: Lines,
): Diagnostic[] {
  const tags = warnings.map(({ pos: [start, end] }) =>
    tagDiagnostic([repaired.original(start), repaired.original(end)], lines)
  );
  const problems = tree.problems.map((problem) => {
    if (problem.rule !== "unknown-tag") return treeDiagnostic(problem, lines);
    const at = lines.text.lastIndexOf("!", problem.range[0] - 1);
    return tagDiagnostic([at, at + 1], lines);
  });
  return [...tags, ...problems];
}

/** The changes so far, and the mistakes they were made for. */
class RepairWork {
  readonly repairs: Repair[] = [];
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
    if (rule === "control-character") this.repairs.push({ start: at, end: at + 1, text: " " });
  }

  /** Whether the text could be changed so that another try makes sense. */
  goesOn(errors: readonly YAMLError[], repaired: RepairedText): boolean {
    if (this.#hasConflicts === undefined && this.#removeConflicts()) return true;
    const lines = this.#lines;
    const text = new FaultyText(lines, repaired);
    const faults = errors.map((error) => parseFaultOf(error, { lines, repaired }));
    const [first] = faults;
    for (const fault of faults) {
      if (first && fault.spot.place.line > first.spot.place.line + 1) break;
      const trap = braceTrap(fault, text);
      if (trap !== undefined && !this.#isKnown(trap, fault)) return this.#take(trap, fault);
    }
    // These words of the parser follow from others that say more.
    const telling = faults.filter(({ code }) => code !== "NON_STRING_KEY");
    return this.#takeSeveral(telling.length > 0 ? telling : faults, text);
  }

  /** Behind a slip within one value the parser is on its feet again: the next one is worth a look too. */
  #takeSeveral(faults: readonly ParseFault[], text: FaultyText): boolean {
    let changed = false;
    for (const fault of faults) {
      const trap = trapOf(fault, text);
      const isKnown = this.#isKnown(trap, fault);
      if (changed && (isKnown || !trap.isLocal)) return true;
      if (!(isKnown ? this.#guess(fault) : this.#take(trap, fault))) return changed;
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
  #isKnown(trap: Trap, fault: ParseFault): boolean {
    const line = (trap.spot ?? fault.spot).place.line;
    const stumbled = fault.spot.place.line;
    return this.#reported.has(line) || this.#reported.has(stumbled) ||
      this.#guesses.has(line - 1) || this.#guesses.has(stumbled - 1);
  }

  #take(trap: Trap, fault: Pick<ParseFault, "spot">): boolean {
    this.#found.push(trapDiagnostic(trap, fault));
    this.#reported.add((trap.spot ?? fault.spot).place.line);
    if (trap.isLast) return false;
    const repairs = trap.repairs ?? [];
    if (repairs.length === 0 || repairs.some((repair) => overlaps(repair, this.repairs))) {
      return this.#guess(fault);
    }
    this.repairs.push(...repairs);
    return true;
  }

  /** Nobody knows what the line was meant to say: it becomes a key, then nothing. */
  #guess({ spot }: Pick<ParseFault, "spot">): boolean {
    const { line } = spot.place;
    const tries = this.#guesses.get(line) ?? 0;
    this.#guesses.set(line, tries + 1);
    const start = this.#lines.start(line);
    const end = start + spot.sourceLine.length;
    const head = /^\s*(?:- +)*/.exec(spot.sourceLine)?.[0].length ?? 0;
    const repair = tries === 0
      ? { start: start + head, end, text: `x-${line}: x`, isLoss: true }
      : { ...drop(start, end), isLoss: true };
    const others = this.repairs.filter((other) => other.end < start || other.start > end);
    this.repairs.splice(0, this.repairs.length, ...others, repair);
    return tries < 2 && start < end;
  }
}
