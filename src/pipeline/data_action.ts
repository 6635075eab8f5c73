/** What a `data` step brings. */
export interface DataAction<T> {
  readonly kind: "data";
  /** Folder or file, relative to the project folder. */
  readonly from: T;
  /** Node names, or all configured nodes. */
  readonly to: "all" | readonly T[];
  /** What it is called where commands find it. */
  readonly name: string;
  /** Patterns in gitignore syntax of what is left out. */
  readonly exclude: readonly T[];
  /** Nodes may give it to each other. */
  readonly direct: boolean;
}
