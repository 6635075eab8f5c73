/** What `grid --help` prints. Written without the parser, whose loading would take longer than all this. */
import { COMMANDS } from "./commands.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";

const OUTSIDE_THE_LIST = [
  { flags: "-C <folder>", summary: "as if started in that folder; only in first place" },
  { flags: "--version", summary: "print the version, commit, Deno and install folder" },
  { flags: "-h, --help", summary: "print this, or with a command its own help" },
];

const CLOSING =
  `Exit codes: 0 ok, 1 a step failed, 2 bad file or usage, 3 no node reachable, 4 timed out,
5 conflict, 6 this machine refuses (disk full, no right), 70 a bug of Grid, 130 interrupted.

Examples:
  grid run pipelines/train.yaml -i epochs=5
  grid run "nvidia-smi" --node gpu1
  grid health
`;

export function renderOverview(): string {
  const options = [...GLOBAL_OPTIONS, ...OUTSIDE_THE_LIST].map(({ flags, summary, ...more }) => ({
    name: flags,
    summary: "choices" in more && more.choices
      ? `${summary} (${more.choices.join(", ")})`
      : summary,
  }));
  const groups = [...new Set(COMMANDS.map(({ group }) => group))];
  const sections = groups.map((group) => ({
    title: group,
    rows: COMMANDS.filter((command) => command.group === group),
  }));
  return [
    "Usage: grid <command> [options]\n",
    "Run declarative pipelines on GPU machines reached over SSH\n",
    ...[...sections, { title: "Options", rows: options }].map(section),
    CLOSING,
  ].join("\n");
}

interface Row {
  readonly name: string;
  readonly summary: string;
}

function section({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }) {
  const lines = rows.map(({ name, summary }) => `  ${name.padEnd(22)} ${summary}\n`);
  return `${title}:\n${lines.join("")}`;
}
