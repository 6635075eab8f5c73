/** What each function of a shell program reads of what others have set, and what it sets itself. */
import { forEachChild, parse, type ParsedScript, type SyntaxNode } from "unbash";

/** A variable of the shell; `$1`, `$?` and the like are not. */
const NAME = /^[A-Za-z_]\w*$/;
/** The row of what stands outside of functions. */
export const OUTSIDE = "(outside)";

export interface Row {
  readonly name: string;
  /** What it may take as somebody else has left it: some way leads there before it sets it. */
  readonly reads: ReadonlySet<string>;
  /** What others find changed; not what a subshell sets for itself. */
  readonly sets: ReadonlySet<string>;
}

/** @throws {Error} what is no shell */
export function rowsOf(text: string): readonly Row[] {
  const rows: Row[] = [];
  const outside = new Reader(OUTSIDE, rows);
  outside.script(parse(text));
  return [...outside.row.reads, ...outside.row.sets].length > 0 ? [outside.row, ...rows] : rows;
}

class Reader {
  readonly row;
  readonly #rows: Row[];
  /** What has a value from here in any case. */
  #own = new Set<string>();
  /** In a subshell nothing that is set is seen by others. */
  #depth = 0;

  constructor(name: string, rows: Row[]) {
    this.row = { name, reads: new Set<string>(), sets: new Set<string>() };
    this.#rows = rows;
  }

  script(script: ParsedScript): void {
    const [fault] = script.errors ?? [];
    if (fault) throw new Error(`${this.row.name}: ${fault.message} at ${fault.pos}`);
    this.#children(script);
  }

  #visit = (node: SyntaxNode): void => {
    switch (node.type) {
      case "Function": {
        const inner = new Reader(node.name.text, this.#rows);
        this.#rows.push(inner.row);
        return inner.#visit(node.body);
      }
      case "SimpleExpansion":
        return this.#read(node.text.slice(1));
      case "ParameterExpansion":
        this.#read(node.parameter);
        this.#children(node);
        if (node.operation?.type === "Default" && node.operation.operator.endsWith("=")) {
          this.#set(node.parameter);
        }
        return;
      case "ArithmeticWord":
        if (NAME.test(node.value)) this.#read(node.value);
        return this.#children(node);
      case "CommandExpansion":
        return node.script && this.#apart(() => this.script(node.script as ParsedScript));
      case "Subshell":
        return this.#apart(() => this.#visit(node.body));
      case "Statement":
        return node.background
          ? this.#apart(() => this.#visit(node.command))
          : this.#children(node);
      case "Pipeline":
        if (node.commands.length === 1) return this.#children(node);
        return node.commands.forEach((command) => this.#apart(() => this.#visit(command)));
      case "AndOr": {
        const [first, ...rest] = node.commands;
        if (first) this.#visit(first);
        return this.#perhaps(() => rest.forEach(this.#visit));
      }
      case "If": {
        const more = this.#clause(node.clause);
        return this.#oneOf([
          () => [...more, node.then].forEach(this.#visit),
          ...node.elif.map((branch) => () => this.#visit(branch)),
          ...node.else ? [() => this.#visit(node.else as SyntaxNode)] : [],
        ], node.else !== undefined);
      }
      case "Case":
        this.#visit(node.word);
        return this.#oneOf(
          node.items.map((item) => () => this.#visit(item)),
          node.items.some(({ pattern }) => pattern.some(({ text }) => text === "*")),
        );
      case "While": {
        const more = this.#clause(node.clause);
        return this.#perhaps(() => [...more, node.body].forEach(this.#visit));
      }
      case "For":
        node.wordlist?.forEach(this.#visit);
        return this.#perhaps(() => {
          this.#set(node.name.text);
          this.#visit(node.body);
        });
      case "Redirected":
        // What a redirection reads is read first.
        node.redirects.forEach(this.#visit);
        return this.#visit(node.command);
      case "Command":
        return this.#command(node);
      default:
        return this.#children(node);
    }
  };

  #command(node: Extract<SyntaxNode, { type: "Command" }>): void {
    const command = node.name?.text ?? "";
    const words = node.suffix.filter((word) => word.type === "Word");
    // A value that is set for one command is gone after it.
    const isForGood = node.name === undefined;
    for (const part of node.prefix) {
      this.#children(part);
      if (part.type === "Assignment" && isForGood) this.#set(part.name);
    }
    if (node.name) this.#visit(node.name);
    for (const part of node.suffix) {
      this.#visit(part);
      if (part.type === "Assignment") this.#set(part.name);
    }
    if (command === "read") {
      for (const { text } of words) if (NAME.test(text)) this.#set(text);
    }
    const [action] = words;
    if (command === "trap" && action?.parts?.[0]?.type === "SingleQuoted") {
      this.#perhaps(() => this.script(parse(action.value)));
    }
  }

  /** Of `first && more`: what is behind the first comes before the body in any case, but not without it. */
  #clause(clause: Extract<SyntaxNode, { type: "CompoundList" }>): readonly SyntaxNode[] {
    const command = clause.commands.length === 1 ? clause.commands[0]?.command : undefined;
    if (command?.type !== "AndOr" || command.operators.includes("||")) {
      this.#visit(clause);
      return [];
    }
    const [first, ...more] = command.commands;
    if (first) this.#visit(first);
    return more;
  }

  #children(node: SyntaxNode): void {
    forEachChild(node, this.#visit);
  }

  #read(name: string): void {
    if (NAME.test(name) && !this.#own.has(name)) this.row.reads.add(name);
  }

  #set(name: string): void {
    this.#own.add(name);
    if (this.#depth === 0) this.row.sets.add(name);
  }

  #apart(run: () => void): void {
    this.#depth++;
    this.#perhaps(run);
    this.#depth--;
  }

  /** What it sets may also be as it was. */
  #perhaps(run: () => void): void {
    const before = this.#own;
    this.#own = new Set(before);
    run();
    this.#own = before;
  }

  #oneOf(branches: readonly (() => void)[], isComplete: boolean): void {
    const before = this.#own;
    const after = branches.map((branch) => {
      this.#own = new Set(before);
      branch();
      return this.#own;
    });
    const [first = before, ...others] = isComplete ? after : [...after, before];
    this.#own = new Set([...first].filter((name) => others.every((other) => other.has(name))));
  }
}
