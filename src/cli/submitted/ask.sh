# shellcheck shell=sh disable=SC2154
# Hands a conversation over to the Grid that was brought here. Input: the folder of a run, then what that
# Grid is asked. Read after the prelude. Answers `there`, or `gone` where the folder has no Grid.
#
# function: reads -> sets
#   (outside): - -> marker place

IFS= read -r marker && printf '\n%s\n' "$marker" || exit 1
read -r place || exit 1
if [ ! -x "$place/grid" ] || ! grid_is_own "$place"; then
  echo gone
  exit 0
fi
echo there
# What a person wants there is not what a runner inherits from this conversation.
unset grid_host
exec "$place/grid" __submitted
