import type { Diagnostic } from "../document/diagnostic.ts";
import type { PlacedFetch } from "./check/fetch_clash.ts";
import type { CheckedFile } from "./check/checked_file.ts";
import type {
  CacheRule,
  NodeRequest,
  RetryPolicy,
  Scope,
  Shell,
  Step,
  Timeout,
} from "./pipeline.ts";
import type { Text } from "../expression/text.ts";

/** Where the steps of a file are put: the main file, or one use of a template. */
export interface Instance {
  readonly file: CheckedFile;
  /** Before every id: `eval/`. */
  readonly prefix: string;
  /** The expression scope of its texts: `""`, or the id of the `uses` step. */
  readonly scope: string;
  /** The group that its steps are members of. */
  readonly group: string | undefined;
  readonly inherited: Inherited;
}

export interface Expansion {
  readonly steps: Step[];
  readonly scopes: Record<string, Scope>;
  /** Those of the steps that may bring files here. */
  readonly fetches: PlacedFetch[];
  /** False for a check without values; then an axis that depends on a missing one has one cell. */
  readonly inputsAreKnown: boolean;
  /** Mistakes that show only when the inputs are known. */
  readonly diagnostics: Diagnostic[];
}

/** What the keys of a `uses` step mean for the steps of its template: defaults from outside. */
export interface Inherited {
  readonly env: Readonly<Record<string, Text>>;
  readonly secrets: readonly string[];
  readonly timeout: Timeout;
  readonly retry: RetryPolicy;
  readonly node: NodeRequest<Text>;
  readonly workingDirectory: Text | undefined;
  readonly shell: Shell;
  readonly before?: readonly Text[];
  readonly detach: boolean;
  readonly seesAllGpus?: boolean;
  readonly cache: CacheRule<Text> | undefined;
  readonly inputs?: readonly Text[];
}
