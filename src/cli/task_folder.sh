#!/bin/sh
# The folder that `deno task grid` was started in. Deno says it in INIT_CWD, but leaves that as it is
# where an outer `npm run` or `deno task` has set it for a folder of its own.
#
# function: reads -> sets
#   (outside): INIT_CWD PPID -> -
readlink "/proc/$PPID/cwd" 2>/dev/null ||
  lsof -a -p "$PPID" -d cwd -Fn 2>/dev/null | sed -n 's/^n//p' | grep . ||
  printf '%s\n' "$INIT_CWD"
