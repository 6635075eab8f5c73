# Is the folder as the last sync left it? Changes nothing. Arguments: root, name of the folder, key.
#
# function: reads -> sets
#   (outside): - -> LC_ALL TZ digest folder state verdict
#   is_same: digest state -> -
LC_ALL=C TZ=UTC0
export LC_ALL TZ
state=$1/.grid/sync/$3
folder=$1/$2
digest=
[ -f "$state/current" ] && IFS= read -r digest <"$state/current"
if [ -z "$digest" ] || [ ! -f "$state/$digest/stat" ]; then
  echo "grid-sync none"
  exit 0
fi
# $1 option, $2 what to say of a file, $3 of a folder: as apply.sh has recorded it.
is_same() {
  {
    [ ! -s "$state/$digest/files" ] || xargs -0 stat "$1" "$2" -- <"$state/$digest/files"
    [ ! -s "$state/$digest/folders" ] || xargs -0 stat "$1" "$3" -- <"$state/$digest/folders"
  } 2>/dev/null | cmp -s - "$state/$digest/stat"
}
verdict=changed
# A record without rows proves nothing: a stat that says nothing would agree with it.
if [ -s "$state/$digest/stat" ] || [ ! -s "$state/$digest/facts" ]; then
  if [ ! -L "$folder" ] && [ ! -d "$state/pending" ] && cd "$folder" 2>/dev/null; then
    if is_same -c '%f %s %i|%y|%z|%n' '%f|||%n'; then
      verdict=same
    elif ! stat -c %f / >/dev/null 2>&1 && is_same -f '%Xp %z %i|%Fm|%Fc|%N' '%Xp|||%N'; then
      verdict=same
    fi
  fi
fi
echo "grid-sync $digest $verdict"
