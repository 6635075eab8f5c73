# Is the folder as the last sync left it? Changes nothing. Arguments: root, name of the folder, key.
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
verdict=changed
if [ ! -L "$folder" ] && [ ! -d "$state/pending" ] && cd "$folder" 2>/dev/null; then
  {
    xargs -0 stat -c '%f %s %i|%y|%z|%n' -- <"$state/$digest/files"
    xargs -0 stat -c '%f|||%n' -- <"$state/$digest/folders"
  } 2>/dev/null | cmp -s - "$state/$digest/stat" && verdict=same
fi
echo "grid-sync $digest $verdict"
