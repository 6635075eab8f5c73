import type { ASTNode } from "./cel_library.ts";
import { spanOf, unrolled } from "./access_path.ts";
import type {
  Argument,
  Call,
  Comparison,
  ItemReference,
  Named,
  Reference,
  Zero,
} from "./expression_parts.ts";

/** Macros whose first argument names a variable for the ones after it. */
export const BINDING_MACROS: ReadonlySet<string> = new Set([
  "map",
  "filter",
  "all",
  "exists",
  "exists_one",
  "bind",
]);

/** A variable of a macro, and the list whose items it stands for where that is a plain name. */
interface Bound {
  readonly name: string;
  readonly list: Reference | undefined;
}

/** Collects the names, calls and comparisons of a parsed expression. */
export class Walker {
  readonly references: Reference[] = [];
  readonly items: ItemReference[] = [];
  readonly calls: Call[] = [];
  readonly comparisons: Comparison[] = [];
  /** Constant zeros that something is divided by. */
  readonly zeros: Zero[] = [];
  readonly #source: string;
  readonly #bound: Bound[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  visit(node: ASTNode, optional = false): void {
    switch (node.op) {
      case "value":
        return;
      case "id":
      case ".":
      case "[]":
        return this.#access(node, optional);
      case "call": {
        const [name, args] = node.args;
        const { start } = node;
        const span = { start, end: start + name.length };
        this.calls.push({ name, ...span, receiver: undefined, args: args.map(argument) });
        for (const arg of args) this.visit(arg, name === "has");
        return;
      }
      case "rcall":
        return this.#method(...node.args);
      case "list":
        for (const item of node.args) this.visit(item);
        return;
      case "map":
        for (const [key, value] of node.args) {
          this.visit(key);
          this.visit(value);
        }
        return;
      case "!_":
      case "-_":
        return this.visit(node.args, optional);
      case ".?":
        return this.visit(node.args[0], true);
      case "==":
      case "!=":
      case "in":
        this.#compare(node.op, ...node.args);
        for (const operand of node.args) this.visit(operand, optional);
        return;
      case "/":
      case "%":
        this.#divide(node.op, node.args[1]);
        for (const operand of node.args) this.visit(operand);
        return;
      default:
        for (const operand of node.args) this.visit(operand, optional);
    }
  }

  #divide(operator: Zero["operator"], divisor: ASTNode): void {
    const isZero = divisor.op === "value" && (divisor.args === 0n || divisor.args === 0);
    if (isZero) this.zeros.push({ operator, ...spanOf(divisor) });
  }

  #method(name: string, receiver: ASTNode, args: readonly ASTNode[]): void {
    const start = this.#source.indexOf(name, receiver.end);
    const span = { start, end: start + name.length };
    this.calls.push({ name, ...span, receiver: spanOf(receiver), args: args.map(argument) });
    if (!(receiver.op === "id" && receiver.args === "cel")) this.visit(receiver);
    const [first, ...rest] = args;
    const isBinding = BINDING_MACROS.has(name) && first?.op === "id";
    if (!isBinding) {
      for (const arg of args) this.visit(arg);
      return;
    }
    this.#bound.push({ name: first.args, list: this.#listOf(receiver) });
    for (const arg of rest) this.visit(arg);
    this.#bound.pop();
  }

  /** The list that a macro goes through; a filter leaves items of the same kind. */
  #listOf(node: ASTNode): Reference | undefined {
    if (node.op === "rcall") {
      return node.args[0] === "filter" ? this.#listOf(node.args[1]) : undefined;
    }
    return this.#nameAt(node);
  }

  #compare(operator: Comparison["operator"], left: ASTNode, right: ASTNode): void {
    const sides = operator === "in"
      ? [[left, right]] as const
      : [[left, right], [right, left]] as const;
    for (const [side, other] of sides) {
      const constants = operator === "in" && other.op === "list" ? other.args : [other];
      const texts = constants.flatMap(constantText);
      const reference = this.#nameAt(side);
      if (reference !== undefined && texts.length > 0) {
        this.comparisons.push({ operator, reference, texts });
      }
    }
  }

  #access(node: ASTNode, optional: boolean): void {
    const { root, path, indexes, isWhole } = unrolled(node);
    for (const index of indexes) this.visit(index);
    if (root.op !== "id") return this.visit(root);
    const name = { name: root.args, ...spanOf(root) };
    const bound = this.#bound.findLast((variable) => variable.name === root.args);
    if (bound === undefined) this.references.push({ root: name, path, optional });
    else if (bound.list !== undefined && isWhole) {
      this.items.push({ root: name, path, optional, list: bound.list });
    }
  }

  /** A node that is a name with a constant path and nothing else. */
  #nameAt(node: ASTNode): Reference | ItemReference | undefined {
    const { root, path, isWhole } = unrolled(node);
    if (root.op !== "id" || !isWhole) return undefined;
    const reference = { root: { name: root.args, ...spanOf(root) }, path, optional: false };
    const bound = this.#bound.findLast((variable) => variable.name === root.args);
    if (bound === undefined) return reference;
    return bound.list && { ...reference, list: bound.list };
  }
}

function argument(node: ASTNode): Argument {
  return { ...spanOf(node), text: constantText(node)[0]?.name };
}

function constantText(node: ASTNode): Named[] {
  const isText = node.op === "value" && typeof node.args === "string";
  return isText ? [{ name: node.args as string, ...spanOf(node) }] : [];
}
