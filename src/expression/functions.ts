/** The functions of the expression language, and the run that they ask about. */

/** What functions ask about the run; set around each evaluation. */
export interface FunctionScope {
  readonly status: {
    readonly success: boolean;
    readonly failure: boolean;
    readonly cancelled: boolean;
  };
  readonly env: Readonly<Record<string, string>>;
  hashFiles(patterns: readonly string[]): string;
}

/** Functions by name with the numbers of arguments they take. */
export const FUNCTIONS: Readonly<Record<string, readonly number[]>> = {
  success: [0],
  failure: [0],
  always: [0],
  cancelled: [0],
  toJSON: [1],
  fromJSON: [1],
  hashFiles: [1, 2, 3, 4],
  env: [1, 2],
  // Built into CEL.
  size: [1],
  string: [1],
  int: [1],
  double: [1],
  bool: [1],
  type: [1],
  dyn: [1],
  has: [1],
  bytes: [1],
  timestamp: [1],
  duration: [1],
  uint: [1],
};

/** What CEL can do with a value: `inputs.tag.contains("x")`; the frequent ones first. */
export const METHODS: readonly string[] = [
  "contains",
  "startsWith",
  "endsWith",
  "matches",
  "size",
  "map",
  "filter",
  "exists",
  "all",
  "join",
  "split",
  "trim",
  "lowerAscii",
  "upperAscii",
  "exists_one",
  "indexOf",
  "lastIndexOf",
  "substring",
  "json",
  "hex",
  "string",
  "base64",
  "at",
  "getDate",
  "getDayOfMonth",
  "getDayOfWeek",
  "getDayOfYear",
  "getFullYear",
  "getHours",
  "getMilliseconds",
  "getMinutes",
  "getMonth",
  "getSeconds",
  "hasValue",
  "value",
  "none",
  "of",
  "or",
  "orValue",
  "bind",
];

/** `.matches()` as it is evaluated; CEL's own would run a pattern in an engine that backtracks. */
export const LINEAR_MATCHES = "matchesInLinearTime";

/** CEL calls handlers without the caller's context, and evaluation never waits, so one slot does. */
let current: FunctionScope | undefined;

/** Runs `work` with the functions answering for `scope`. */
export function withScope<T>(scope: FunctionScope, work: () => T): T {
  const before = current;
  current = scope;
  try {
    return work();
  } finally {
    current = before;
  }
}

/** @throws where nobody set it */
export function currentScope(): FunctionScope {
  if (current === undefined) throw new Error("a function of the run was called outside of it");
  return current;
}
