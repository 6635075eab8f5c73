# One sync of one folder: takes the lock, tells what is there, reads "go" and a tar archive, checks it,
# moves it in and records what was done. Words come in as lines and NUL-separated lists on stdin.
set -u
LC_ALL=C TZ=UTC0
export LC_ALL TZ
IFS= read -r marker
IFS= read -r root
IFS= read -r name
IFS= read -r key
IFS= read -r expected
IFS= read -r have
IFS= read -r owner
IFS= read -r patience
state=$root/.grid/sync/$key
folder=$root/$name
lock=$state/lock
work=$state/work.$$
here=$(uname -n)
token="$owner $here $$"
locked=

fail() {
  printf '%s\n' "failed $1" "$2"
  exit 1
}

leave() {
  cd / || exit 1
  rm -rf "$work"
  [ -n "$locked" ] && [ "$(cat "$lock/owner" 2>/dev/null)" = "$token" ] && rm -rf "$lock"
}

# A lock is dead when its process is gone, or when nobody renewed it for two minutes.
is_dead() {
  holder=$(cat "$lock/owner" 2>/dev/null)
  if [ -z "$holder" ]; then
    [ -n "$(find "$lock" -prune -mmin +1 2>/dev/null)" ]
    return
  fi
  pid=${holder##* } host=${holder% *}
  host=${host##* }
  if [ "$host" = "$here" ] && ! kill -0 "$pid" 2>/dev/null; then return 0; fi
  [ -n "$(find "$lock/owner" -prune -mmin +2 2>/dev/null)" ]
}

take_lock() {
  waited=0
  until mkdir "$lock" 2>/dev/null; do
    if is_dead; then
      judged=$holder
      mv "$lock" "$lock.dead.$$" 2>/dev/null || continue
      if [ "$(cat "$lock.dead.$$/owner" 2>/dev/null)" = "$judged" ]; then
        rm -rf "$lock.dead.$$"
      else
        mv "$lock.dead.$$" "$lock"
      fi
      continue
    fi
    [ -d "$state" ] || fail workspace "$state is gone"
    [ "$waited" -ge "$patience" ] && fail locked "$holder"
    sleep 1
    waited=$((waited + 1))
  done
  locked=yes
  printf '%s\n' "$token" >"$lock/owner" || fail write "$lock/owner"
}

still_mine() {
  [ "$(cat "$lock/owner" 2>/dev/null)" = "$token" ] || fail locked "$(cat "$lock/owner" 2>/dev/null)"
}

# What the file system says about everything in the lists of folder $1; run inside the target.
rows() {
  xargs -0 stat -c '%f %s %i|%y|%z|%n' -- <"$1/files" 2>/dev/null
  xargs -0 stat -c '%f|||%n' -- <"$1/folders" 2>/dev/null
}

size_of() {
  [ -f "$1" ] && echo $(($(wc -c <"$1"))) || echo 0
}

tell_state() {
  digest=
  [ -f "$state/current" ] && IFS= read -r digest <"$state/current"
  [ -n "$digest" ] && [ -f "$state/$digest/stat" ] || digest=none
  known=$state/$digest verdict=same
  mkdir "$work" || fail write "$work"
  # A moment ago everything was as it had been left; only another sync changes the digest.
  if [ "$digest" != none ] && [ "$digest" != "$expected" ]; then
    (cd "$folder" 2>/dev/null && rows "$known") >"$work/live"
    cmp -s "$work/live" "$known/stat" || verdict=changed
  fi
  [ -d "$state/pending" ] && verdict=interrupted
  free=$(df -Pk "$state" 2>/dev/null | tail -n 1)
  # shellcheck disable=SC2086
  set -- $free
  manifest=0 recorded=0 live=0
  [ "$digest" = none ] || [ "$digest" = "$have" ] || manifest=$(size_of "$known/manifest")
  if [ "$digest" != none ] && [ "$verdict" != same ]; then
    recorded=$(size_of "$known/stat") live=$(size_of "$work/live")
  fi
  echo "state $digest $verdict ${4:-unknown} $manifest $recorded $live"
  [ "$manifest" = 0 ] || cat "$known/manifest"
  [ "$recorded" = 0 ] || cat "$known/stat"
  [ "$live" = 0 ] || cat "$work/live"
}

receive() {
  mkdir "$work/in" "$work/in/tree" || fail write "$work"
  # -o: files belong to us, whoever owned them at the source.
  report=$(tar -C "$work/in" -xof - 2>&1) || fail tar "$report"
  [ -f "$work/in/complete" ] || fail cut "$report"
  # Files that changed while they were read: what arrived of them is no version at all.
  (cd "$work/in/tree" && xargs -0 rm -f -- <../torn 2>/dev/null)
}

sum_staged() {
  [ -s "$work/in/sent" ] && command -v sha256sum >/dev/null || return 0
  cd "$work/in/tree" && xargs -0 cat -- <"$work/in/sent" | sha256sum
}

# Renaming the folder around them changes nothing about files, so where there is no folder yet both
# can be done at once, before anything moves.
verify() {
  if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then
    (cd "$work/in/tree" && rows "$work/in/record" >"$work/in/record/stat") &
    sum=$(sum_staged)
    wait $!
  else
    sum=$(sum_staged)
  fi
  [ -z "$sum" ] || [ "${sum%% *}" = "$(cat "$work/in/sum")" ] || fail verify "$sum"
}

# Paths that are about to be removed must not lie behind a link.
check_parents() {
  [ -s "$work/in/parents" ] || return 0
  # shellcheck disable=SC2016
  bad=$(xargs -0 sh -c 'for path do [ -L "$path" ] && printf "%s\n" "$path"; done; true' sh \
    <"$work/in/parents")
  [ -z "$bad" ] || fail link "$bad"
}

remove() {
  [ -s "$work/in/$1" ] && xargs -0 rm -f -- <"$work/in/$1" 2>/dev/null
  [ -s "$work/in/$1-folders" ] && xargs -0 rmdir -- <"$work/in/$1-folders" 2>/dev/null
  return 0
}

is_folder() {
  [ -d "$1" ] && [ ! -L "$1" ]
}

# Names everything in the target that cannot be replaced by what is staged.
conflicts() (
  staged=$1 target=$2
  for entry in "$staged"/* "$staged"/.[!.]* "$staged"/..?*; do
    place=$target/${entry##*/}
    if is_folder "$entry"; then
      if is_folder "$place"; then
        conflicts "$entry" "$place"
      elif [ -e "$place" ] || [ -L "$place" ]; then printf '%s\n' "$place"; fi
    elif is_folder "$place" && { [ -e "$entry" ] || [ -L "$entry" ]; }; then printf '%s\n' "$place"; fi
  done
)

move_in() {
  place=$1
  shift
  [ -e "$1" ] || [ -L "$1" ] || return 0
  # shellcheck disable=SC2016
  printf '%s\0' "$@" | xargs -0 sh -c 'exec mv -f -- "$@" "$0"' "$place/"
}

# Moves everything staged in; a folder that is already there is entered, never replaced.
merge() (
  staged=$1 target=$2
  for entry in "$staged"/* "$staged"/.[!.]* "$staged"/..?*; do
    place=$target/${entry##*/}
    if is_folder "$entry" && is_folder "$place"; then
      merge "$entry" "$place" || exit 1
      rmdir "$entry" || exit 1
    fi
  done
  move_in "$target" "$staged"/* && move_in "$target" "$staged"/.[!.]* && move_in "$target" "$staged"/..?*
)

promote() {
  if [ -e "$folder" ] || [ -L "$folder" ]; then rm -f "$state/pending/stat"; fi
  if [ -f "$state/pending/stat" ]; then
    case $name in */*) mkdir -p "${folder%/*}" || fail write "$folder" ;; esac
    report=$(mv "$work/in/tree" "$folder" 2>&1) || fail move "$report"
    return
  fi
  cd "$folder" || fail write "$folder"
  check_parents
  remove clear
  bad=$(conflicts "$work/in/tree" .)
  [ -z "$bad" ] || fail conflict "$bad"
  report=$(merge "$work/in/tree" . 2>&1) || fail move "$report"
  remove gone
}

record() {
  next=$1
  cd "$folder" || fail write "$folder"
  [ -f "$state/pending/stat" ] || rows "$state/pending" >"$state/pending/stat"
  if [ "$next" = "$digest" ]; then
    mv -f "$state/pending/stat" "$state/$next/stat" || fail write "$state"
    rm -rf "$state/pending"
    return
  fi
  rm -rf "${state:?}/$next"
  mv "$state/pending" "$state/$next" || fail write "$state"
  printf '%s\n' "$next" >"$work/current" || fail write "$work"
  mv -f "$work/current" "$state/current" || fail write "$state"
  [ "$digest" = none ] || rm -rf "${state:?}/$digest"
}

trap leave EXIT
trap 'exit 1' HUP INT TERM PIPE
printf '\n%s\n' "$marker"
[ ! -L "$folder" ] || fail link "$folder"
mkdir -p "$state" || fail write "$state"
take_lock
rm -rf "$state"/work.*
tell_state
read -r verdict || exit 1
[ "$verdict" = go ] || exit 0
receive
verify
still_mine
IFS= read -r next <"$work/in/next"
rm -rf "$state/pending"
mv "$work/in/record" "$state/pending" || fail write "$state"
promote
record "$next"
echo finished
