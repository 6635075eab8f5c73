# Brings back what the last sync moved aside; what stands there now is moved aside in turn, so that a
# second time undoes the first. Arguments: root, name of the folder, key, name for what is moved aside.
#
# function: reads -> sets
#   (outside): - -> LC_ALL folder kept last real state
LC_ALL=C
export LC_ALL
umask 077
state=$1/.grid/sync/$3 folder=$1/$2
last=
for kept in "$state/kept"/*; do [ ! -d "$kept" ] || last=${kept##*/}; done
if [ -z "$last" ]; then
  echo "grid-undo none"
  exit 0
fi
if [ -d "$state/lock" ]; then
  echo "grid-undo locked"
  exit 0
fi
cd "$state/kept/$last" || exit 1
real=$(cd "$folder" 2>/dev/null && pwd -P) || { mkdir -p "$folder" && real=$(cd "$folder" && pwd -P); } || exit 1
# shellcheck disable=SC2016
find . ! -type d -exec sh -c 'folder=$0 aside=$1
  shift
  for path do
    name=${path#./}
    case $name in */*) below=/${name%/*} ;; *) below= ;; esac
    mkdir -p "$folder$below" && [ "$(cd "$folder$below" && pwd -P)" = "$folder$below" ] || exit 1
    if [ -e "$folder/$name" ] || [ -L "$folder/$name" ]; then
      mkdir -p "$aside$below" && mv -f -- "$folder/$name" "$aside/$name" || exit 1
    fi
    mv -f -- "$path" "$folder/$name" || exit 1
    printf "%s\n" "$name"
  done' "$real" "$state/kept/$4" {} + >"$state/undone" || { cat "$state/undone"; exit 1; }
cd / && rm -rf "${state:?}/kept/$last"
echo "grid-undo $last"
cat "$state/undone"
rm -f "$state/undone"
