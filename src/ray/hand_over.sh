# shellcheck shell=sh
# Hands the outcomes of a batch over, once it is told that they are there: `sh -c TEXT grid RESULTS TOTAL PROGRAM`.
#
# Where the driver has laid them ready there is nothing to do but to pass them on; starting Python takes longer
# than many a batch. All else is PROGRAM's, `driver/outcomes.py`.
#
# function: reads -> sets
#   (outside): - -> grid_told

{ read -r grid_told && [ "$grid_told" = go ]; } || exit 0
if [ -f "$1" ] && [ -f "$1.ordered.done" ] && [ "$(echo "${1%/*}"/*.jsonl)" = "$1" ]; then
  cat "$1.ordered.done" || exit
  # The work is done for good: the next run of it starts from nothing.
  if read -r grid_told && [ "$grid_told" = "done" ]; then mv -f "$1" "$1.done" || exit; fi
  rm -f "$1.ordered.done"
else
  exec python3 -Ec "$3" "$1" "$2"
fi
