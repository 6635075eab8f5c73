/** What `loadPipeline` is told. */

/** Where the values of inputs come from; earlier ones win. */
export interface GivenInputs {
  /** From flags: `-i name=value`. */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** A YAML map of values. */
  readonly inputsFile?: string | undefined;
  /** The environment of the runner: `GRID_INPUT_<NAME>`. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a pipeline may say of a configured node. */
export interface KnownNode {
  readonly name: string;
  readonly labels: readonly string[];
  /** Those that its owner lets Grid use; undefined: all that there are. */
  readonly gpus?: number | undefined;
  readonly environment?: KnownEnvironment | undefined;
  /** Why no step can run on it; undefined: nothing is known against it. */
  readonly unreached?: string | undefined;
}

export interface KnownEnvironment {
  readonly vars: Readonly<Record<string, string>>;
}

export interface LoadOptions extends GivenInputs {
  /** The pipeline file, as the user wrote it. */
  readonly file: string;
  /** The project folder. */
  readonly project: string;
  /** False for `grid validate`, which has no values for required inputs. */
  readonly requireInputs?: boolean | undefined;
  /** Configured nodes; names and labels in the file are checked against them. */
  readonly nodes?: readonly KnownNode[] | undefined;
  /** What commands find on this machine itself, the node `local`. */
  readonly local?: KnownEnvironment | undefined;
}
