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
ticker=

fail() {
  stop_ticks
  printf '%s\n' "failed $1" "$2"
  exit 1
}

# What takes long says every few seconds that it is still at it: the other side gives up on silence.
start_ticks() {
  (
    # It must not outlive the shell that it speaks for, nor hold its folder.
    cd / || exit
    seconds=0
    while sleep 1 >/dev/null && kill -0 $$; do
      seconds=$((seconds + 1))
      [ $((seconds % 5)) != 0 ] || echo busy
    done
  ) </dev/null 2>/dev/null &
  ticker=$!
}

# KILL: a young subshell of dash still has our trap for TERM, and the signal would be lost in it.
stop_ticks() {
  [ -z "$ticker" ] || kill -9 "$ticker" 2>/dev/null
  [ -z "$ticker" ] || wait "$ticker" 2>/dev/null
  ticker=
}

leave() {
  stop_ticks
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
    [ $((waited % 5)) != 0 ] || echo busy
  done
  locked=yes
  printf '%s\n' "$token" >"$lock/owner" || fail write "$lock/owner"
}

still_mine() {
  [ "$(cat "$lock/owner" 2>/dev/null)" = "$token" ] || fail locked "$(cat "$lock/owner" 2>/dev/null)"
}

# GNU, busybox and toybox know -c, the BSDs -f. Without either nobody can tell what changed.
choose_stat() {
  case $(stat -c %f / 2>/dev/null) in
  4*) option=-c file_facts='%f %s %i|%y|%z|%n' folder_facts='%f|||%n' ;;
  *)
    case $(stat -f %Xp / 2>/dev/null) in
    4*) option=-f file_facts='%Xp %z %i|%Fm|%Fc|%N' folder_facts='%Xp|||%N' ;;
    *) fail stat "$(command -v stat)" ;;
    esac
    ;;
  esac
}

# What the file system says about everything in a list; run inside the target.
file_rows() {
  [ ! -s "$1" ] || xargs -0 stat "$option" "$file_facts" -- <"$1" 2>/dev/null
}

rows() {
  file_rows "$1/files"
  [ ! -s "$1/folders" ] || xargs -0 stat "$option" "$folder_facts" -- <"$1/folders" 2>/dev/null
  # What is missing has no row; prove_rows tells that from a tool that failed.
  return 0
}

# Lines of a list once it is printed: each name ends one, and a name may hold some.
lines_in_names() {
  echo $(($(tr '\0' '\n' | wc -l)))
}

# Are all rows there that can be? $1 the lists, $2 the rows; run inside the target.
prove_rows() {
  told=$(lines_of "$2")
  [ "$told" != "$(cat "$1/files" "$1/folders" | lines_in_names)" ] || return 0
  # shellcheck disable=SC2016
  there=$(cat "$1/files" "$1/folders" | xargs -0 sh -c \
    'for path do if [ -e "$path" ] || [ -L "$path" ]; then printf "%s\0" "$path"; fi; done' sh |
    lines_in_names)
  [ "$told" = "$there" ] || fail rows "$told of $there"
}

# File $2 with single lines replaced; file $1 says "number text".
patch_lines() {
  awk 'NR == FNR { at = index($0, " "); text[substr($0, 1, at - 1)] = substr($0, at + 1); next }
    FNR in text { print text[FNR]; next }
    { print }' "$1" "$2"
}

lines_of() {
  echo $(($(wc -l <"$1")))
}

write_manifest() {
  echo "grid-manifest 2"
  cat "$1/facts"
  printf '\0'
  cat "$1/files"
  printf '\0'
  cat "$1/folders"
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
    : >"$work/live"
    if [ -d "$folder" ]; then
      cd "$folder" || fail write "$folder"
      rows "$known" >"$work/live"
      prove_rows "$known" "$work/live"
    fi
    cmp -s "$work/live" "$known/stat" || verdict=changed
    # Left by a sync that could not look: it says nothing.
    [ -s "$known/stat" ] || [ ! -s "$known/facts" ] || verdict=changed
  fi
  [ -d "$state/pending" ] && verdict=interrupted
  free=$(df -Pk "$state" 2>/dev/null | tail -n 1)
  # shellcheck disable=SC2086
  set -- $free
  manifest=0 recorded=0 live=0
  [ "$digest" = none ] || [ "$digest" = "$have" ] || {
    write_manifest "$known" >"$work/manifest"
    manifest=$(size_of "$work/manifest")
  }
  if [ "$digest" != none ] && [ "$verdict" != same ]; then
    recorded=$(size_of "$known/stat") live=$(size_of "$work/live")
  fi
  pending=0 also=0 next=none
  if [ -d "$state/pending" ]; then
    [ ! -f "$state/pending/next" ] || IFS= read -r next <"$state/pending/next"
    write_manifest "$state/pending" >"$work/pending" 2>/dev/null
    pending=$(size_of "$work/pending") also=$(size_of "$state/pending/also")
  fi
  there=new
  [ ! -e "$folder" ] || there=there
  can=rewrite
  if command -v awk >/dev/null && command -v paste >/dev/null; then can="patch"; fi
  stop_ticks
  echo "state $digest $verdict ${4:-unknown} $can $there ${next:-none} $manifest $recorded $live $pending $also"
  [ "$manifest" = 0 ] || cat "$work/manifest"
  [ "$recorded" = 0 ] || cat "$known/stat"
  [ "$live" = 0 ] || cat "$work/live"
  [ "$pending" = 0 ] || cat "$work/pending"
  [ "$also" = 0 ] || cat "$state/pending/also"
}

# Exactly as many bytes of the input; one at a time where dd knows no better.
take() {
  [ "$1" = 0 ] || dd bs="$1" count=1 iflag=fullblock 2>/dev/null || dd bs=1 count="$1" 2>/dev/null
}

# Which of these paths are there, and what do they hold? $1 bytes of names.
tell_look() {
  take "$1" >"$work/look"
  : >"$work/seen"
  : >"$work/sums"
  if cd "$folder" 2>/dev/null; then
    start_ticks
    # A folder is no file of others: what cannot give way is told as a conflict.
    # shellcheck disable=SC2016
    xargs -0 sh -c 'for path do
      if [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; }; then printf "%s\0" "$path"; fi
    done' sh <"$work/look" >"$work/seen"
    # shellcheck disable=SC2016
    xargs -0 sh -c 'for path do if [ -f "$path" ] && [ ! -L "$path" ]; then printf "%s\0" "$path"; fi; done' \
      sh <"$work/seen" >"$work/regular"
    [ ! -s "$work/regular" ] || xargs -0 sha256sum -- <"$work/regular" >"$work/sums" 2>/dev/null
    stop_ticks
  fi
  echo "seen $(size_of "$work/seen") $(size_of "$work/sums")"
  cat "$work/seen" "$work/sums"
}

# What others wrote and is about to be replaced gets a second name first; nothing is ever missing.
keep() {
  [ -s "$work/in/keep" ] || return 0
  IFS= read -r stamp <"$work/in/stamp"
  # shellcheck disable=SC2016
  report=$(xargs -0 sh -c 'kept=$0
    for path do
      case $path in */*) folder=$kept/${path%/*} ;; *) folder=$kept ;; esac
      [ -d "$folder" ] || mkdir -p "$folder" || exit 1
      ln -P -- "$path" "$kept/$path" 2>/dev/null || cp -pP -- "$path" "$kept/$path" || exit 1
    done' "$state/kept/$stamp" <"$work/in/keep" 2>&1) || fail keep "$report"
}

receive() {
  mkdir "$work/in" "$work/in/tree" || fail write "$work"
  # -o: files belong to us, whoever owned them at the source.
  report=$(tar -C "$work/in" -xof - 2>&1) || fail tar "$report"
  [ -f "$work/in/complete" ] || fail cut "$report"
  # Files that changed while they were read: what arrived of them is no version at all.
  [ ! -s "$work/in/torn" ] || (cd "$work/in/tree" && xargs -0 rm -f -- <../torn)
}

sum_staged() {
  [ -s "$work/in/sent" ] && command -v sha256sum >/dev/null || return 0
  cd "$work/in/tree" && xargs -0 cat -- <"$work/in/sent" | sha256sum
}

# Renaming the folder around them changes nothing about files, so where there is no folder yet both
# can be done at once, before anything moves.
verify() {
  if [ ! -e "$folder" ] && [ ! -L "$folder" ] && [ -f "$work/in/record/files" ]; then
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

# Is anything left of what was to be removed? It must stay known, or nobody would ever try again.
check_gone() {
  [ -s "$work/in/gone" ] || return 0
  # shellcheck disable=SC2016
  left=$(xargs -0 sh -c 'for path do if [ -e "$path" ] || [ -L "$path" ]; then printf "%s\n" "$path"; fi; done' \
    sh <"$work/in/gone")
  [ -z "$left" ] || fail delete "$left"
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
  if [ $# -le 500 ]; then
    mv -f -- "$@" "$place/"
    return
  fi
  # More names than a command line may hold.
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
  if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then
    case $name in */*) mkdir -p "${folder%/*}" || fail write "$folder" ;; esac
    report=$(mv "$work/in/tree" "$folder" 2>&1) || fail move "$report"
    return
  fi
  # Rows that were read before the folder appeared say nothing about it.
  rm -f "$state/pending/stat"
  cd "$folder" || fail write "$folder"
  check_parents
  keep
  remove clear
  bad=$(conflicts "$work/in/tree" .)
  [ -z "$bad" ] || fail conflict "$bad"
  report=$(merge "$work/in/tree" . 2>&1) || fail move "$report"
  remove gone
  check_gone
}

# Only files that were there before have been replaced: the lists stay, single lines change.
take_over_lists() {
  [ -f "$state/pending/patch" ] || return 0
  cp "$known/files" "$known/folders" "$state/pending" || fail write "$state"
  patch_lines "$state/pending/patch" "$known/facts" >"$state/pending/facts" || fail write "$state"
}

write_rows() {
  if [ -f "$state/pending/patch" ]; then
    file_rows "$state/pending/moved" >"$work/rows"
    if [ "$(lines_of "$work/rows")" = "$(lines_of "$state/pending/patch")" ] &&
      [ "$(lines_of "$known/stat")" = "$(lines_of "$known/facts")" ]; then
      cut -d ' ' -f 1 "$state/pending/patch" | paste -d ' ' - "$work/rows" >"$work/changes"
      patch_lines "$work/changes" "$known/stat"
      return
    fi
  fi
  rows "$state/pending"
}

record() {
  next=$1
  cd "$folder" || fail write "$folder"
  [ -f "$state/pending/stat" ] || write_rows >"$state/pending/stat" || fail write "$state"
  prove_rows "$state/pending" "$state/pending/stat"
  if [ "$next" = "$digest" ]; then
    mv -f "$state/pending/stat" "$state/$next/stat" || fail write "$state"
    rm -rf "$state/pending"
    return
  fi
  rm -rf "${state:?}/$next"
  mv "$state/pending" "$state/$next" || fail write "$state"
  printf '%s\n' "$next" >"$work/current" || fail write "$work"
  mv -f "$work/current" "$state/current" || fail write "$state"
  rm -f "$state/$next/also" "$state/$next/next"
  [ "$digest" = none ] || rm -rf "${state:?}/$digest"
}

trap leave EXIT
trap 'exit 1' HUP INT TERM PIPE
printf '\n%s\n' "$marker"
[ ! -L "$folder" ] || fail link "$folder"
choose_stat
# shellcheck disable=SC2154
grid_own "$state" 700 || fail write "$grid_fault"
take_lock
rm -rf "$state"/work.*
start_ticks
tell_state
read -r verdict || exit 1
case $verdict in
look\ *)
  tell_look "${verdict#look }"
  read -r verdict || exit 1
  ;;
esac
[ "$verdict" = go ] || exit 0
start_ticks
receive
verify
still_mine
IFS= read -r next <"$work/in/next"
rm -rf "$state/pending"
# Until it is recorded, what this sync brings and what one before it may have left are known as pending.
printf '%s\n' "$next" >"$work/in/record/next" || fail write "$work"
mv "$work/in/record" "$state/pending" || fail write "$state"
take_over_lists
promote
record "$next"
stop_ticks
echo finished
