/** Options that every command takes; `--help` and the parser are both made from this list. */
export interface GlobalOption {
  readonly flags: string;
  readonly summary: string;
  readonly choices?: readonly string[];
}

export const GLOBAL_OPTIONS: readonly GlobalOption[] = [
  {
    flags: "--config <file>",
    summary: "cluster config (default: $GRID_CONFIG, config/cluster_config.yaml)",
  },
  { flags: "--json", summary: "print one JSON object to stdout" },
  {
    flags: "--log-level <level>",
    summary: "diary of Grid itself",
    choices: ["debug", "info", "warn", "error"],
  },
  { flags: "--log-format <form>", summary: "form of the diary", choices: ["pretty", "json"] },
  { flags: "--quiet", summary: "only failures and data" },
  { flags: "--color <when>", summary: "colours", choices: ["auto", "always", "never"] },
];
