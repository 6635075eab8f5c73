# shellcheck shell=sh disable=SC2154
# Puts files into the folder of a run: an archive. Input: the folder, its bytes, and it. Read after the
# prelude. Answers `put`, or `failed`.
#
# function: reads -> sets
#   (outside): size -> marker place size

umask 077
IFS= read -r marker && printf '\n%s\n' "$marker" || exit 1
read -r place && read -r size || exit 1
grid_is_own "$place" || { echo failed; exit 0; }
if grid_take "$size" | (cd "$place" && tar -xf -) && chmod u+x "$place/grid"; then
  echo put
else
  echo failed
fi
