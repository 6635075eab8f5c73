import type { Place } from "../core/errors.ts";

/** A scalar of the file that may hold `${{ … }}`. Plain text is a single literal part. */
export class Text {
  /** For a variable: the step gets the name of a file that holds the text. */
  readonly inFile: boolean;

  constructor(
    readonly parts: readonly TextPart[],
    readonly place: Place,
    { inFile = false }: { readonly inFile?: boolean } = {},
  ) {
    this.inFile = inFile;
  }

  /** A text without expressions, for values that Grid itself makes. */
  static literal(value: string, place: Place = { file: "", line: 1, column: 1 }): Text {
    return new Text([{ kind: "literal", value }], place);
  }

  /** The text itself where it holds no expression. */
  get constant(): string | undefined {
    const [first, ...more] = this.parts;
    if (first === undefined) return "";
    return more.length === 0 && first.kind === "literal" ? first.value : undefined;
  }
}

export type TextPart =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "expression"; readonly source: string; readonly place: Place };
