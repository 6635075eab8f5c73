/** Where a step runs or ran, as a person's shell. */
import type { OpenNode } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import type { StepState } from "../engine/reduce.ts";
import { pathPrefix } from "../steps/placement.ts";
import type { Store } from "../store/store.ts";
import { runWith } from "./fetch_sources.ts";

export interface StepShell {
  readonly node: string;
  readonly words: string | undefined;
  script(node: OpenNode): string;
}

/** @throws {GridError} `usage` where there is no such run or step, or it has not been on a node */
export function stepShell(
  store: Store,
  { run, step: id }: { readonly run: string; readonly step: string },
): StepShell {
  const { state, step } = runWith(store, { run, step: id });
  const attempt = step.attempts.findLast(({ node }) => node !== undefined);
  const node = attempt?.node;
  if (attempt === undefined || node === undefined) throw nowhere(step, state.run);
  const { folder, job } = attempt;
  const variables = {
    GRID_RUN_ID: state.run,
    GRID_STEP: step.id,
    GRID_ATTEMPT: String(attempt.attempt),
    GRID_NODE: node,
  };
  return {
    node,
    words: `${step.id} of run ${state.run}, attempt ${attempt.attempt}, on ${node}`,
    script: (open) => scriptFor(open, { folder: folder ?? open.root, job, variables }),
  };
}

interface ScriptOptions {
  readonly folder: string;
  readonly job: string | undefined;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Variables come from a process of the job, as long as there is one: its secrets pass through no file and
 * no command line. `GRID_JOB` is left out: what carries it belongs to the job, and is ended with it.
 */
function scriptFor(node: OpenNode, { folder, job = "", variables }: ScriptOptions): string {
  const path = pathPrefix(node).join(":");
  return [
    `cd -- ${quote(folder)} || exit`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`),
    `export PATH=${quote(path)}:"$PATH"`,
    `grid_job=${quote(job)}`,
    TAKE_VARIABLES,
  ].join("\n");
}

/** Of what started with the job's mark; a shell that was there before has it from nobody. */
const TAKE_VARIABLES = `grid_environ=
if [ -n "$grid_job" ] && [ -d /proc/self ]; then
  for grid_environ in $(LC_ALL=C grep -lszF "GRID_JOB=$grid_job" /proc/[0-9]*/environ) ''; do
    case $grid_environ in /proc/self/* | "/proc/$$/environ") continue ;; esac
    [ -z "$grid_environ" ] || tr '\\0' '\\n' <"$grid_environ" 2>/dev/null | grep -qxF "GRID_JOB=$grid_job" || continue
    break
  done
fi
shell=\${SHELL:-/bin/sh}
if [ -z "$grid_environ" ]; then
  echo "its job has ended: here is its folder; its own variables are known only while it runs" >&2
  unset grid_job grid_environ
  exec "$shell" -i
fi
export shell grid_environ
if command -v perl >/dev/null 2>&1; then
  exec perl -e '
    open(my $file, "<", $ENV{grid_environ}) or die "Cannot read the variables of its job: $!\\n";
    local $/; my ($shell, %own) = ($ENV{shell}, %ENV);
    for (split /\\0/, <$file>) {
      my ($name, $value) = split /=/, $_, 2;
      next if !defined $value || $name =~ /^(TERM|PWD|OLDPWD|SHLVL|_|COLUMNS|LINES|GRID_JOB|GRID_SCRIPT|GRID_RECORD(ED)?|GRID_CHANNEL|SSH_.*)$/;
      $ENV{$name} = $value;
    }
    delete @ENV{"shell", "grid_environ", "grid_job"};
    exec $shell, "-i" or die "Cannot start $shell: $!\\n";'
fi
exec python3 -c '
import os
own = open(os.environ["grid_environ"], "rb").read()
shell, env = os.environ["shell"], dict(os.environb)
skipped = b"TERM PWD OLDPWD SHLVL _ COLUMNS LINES GRID_JOB GRID_SCRIPT GRID_RECORD GRID_RECORDED GRID_CHANNEL".split()
for pair in own.split(b"\\0"):
    name, sign, value = pair.partition(b"=")
    if sign and name not in skipped and not name.startswith(b"SSH_"):
        env[name] = value
for name in (b"shell", b"grid_environ", b"grid_job"):
    env.pop(name, None)
os.execve(shell, [shell, "-i"], env)'`;

function nowhere(step: StepState, run: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot open a shell for "${step.id}" of run ${run}: it has not been on a node`,
    hint: `grid show ${run}`,
  });
}
