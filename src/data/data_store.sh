# shellcheck shell=sh disable=SC2154
# One data set in the store of one node: takes in what comes, proves it by its sums, and puts it in its
# place. Read behind prelude.sh and folder_lock.sh. Words and bytes come in on stdin; each command is a line.
#
# A set lies in .grid/data/<digest>: tree/ is what it holds, manifest names all of it, seal is there once
# all of it was proved and says how the files lay then. What is on its way lies in <digest>.part.
#
# function: reads -> sets
#   (outside): grid_fault locked state -> LC_ALL TZ base beating complaint digest first grid_random lock
#       marker option owner part root seal_facts second set size_facts sum tool word
#   fail: - -> -
#   leave: beating lock locked -> -
#   has: - -> -
#   seal_of: option seal_facts -> -
#   files_of: - -> -
#   prove: digest sum -> count wrong
#   close_tree: - -> -
#   discard: - -> -
#   look: part set -> state
#   mend: part set -> state
#   take_lock: base lock set -> beating waited
#   take_manifest: digest part sum -> -
#   tell_sizes: option part size_facts -> -
#   free_kb: base -> -
#   take_piece: complaint part -> complaint path
#   take_tar: complaint part -> complaint report
#   finish: lock locked part set wrong -> -
#   note_use: owner set -> facts folder from name
#   talk_to_peer: part set -> program
set -u
LC_ALL=C TZ=UTC0
export LC_ALL TZ
umask 077
IFS= read -r marker
IFS= read -r root
IFS= read -r digest
IFS= read -r owner
# shellcheck disable=SC2034 # of the prelude
IFS= read -r grid_random
echo "$marker"
base=$root/.grid/data
set=$base/$digest
part=$base/$digest.part
lock=$base/$digest.lock
beating=
know_lock

fail() {
  grid_stop_ticks
  printf '%s\n' "failed $1" "$2"
  exit 1
}

leave() {
  grid_stop_ticks
  [ -z "$beating" ] || kill -9 "$beating" 2>/dev/null
  cd / || exit 1
  if [ -n "$locked" ] && is_mine; then rm -rf "$lock"; fi
}
trap leave EXIT
trap 'exit 1' HUP INT TERM PIPE

has() {
  command -v "$1" >/dev/null 2>&1
}

# GNU, busybox and toybox know -c, the BSDs -f.
case $(stat -c %f / 2>/dev/null) in
4*) option=-c seal_facts='%s %y %z %i %n' size_facts='%s %n' ;;
*) option=-f seal_facts='%z %Fm %Fc %i %N' size_facts='%z %N' ;;
esac
sum=
if has sha256sum; then sum=sha256sum; elif has shasum; then sum='shasum -a 256'; fi

[ -d "$root/.grid" ] || mkdir -p "$root/.grid" || fail write "$root/.grid"
grid_own "$base" 700 || fail workspace "$grid_fault"
[ -n "$sum" ] || fail tool "sha256sum"
for tool in awk tar find xargs cksum stat; do
  has "$tool" || fail tool "$tool"
done

# Everything about the files that changes when they do; run inside a tree.
seal_of() {
  find . -type f -exec stat "$option" "$seal_facts" {} + 2>/dev/null | sort | cksum
}

# Names of files of the manifest $1, in its order, each ended by NUL.
files_of() {
  awk -F'\t' '$1 == "f" { printf "./%s\n", $5 }' "$1" | tr '\n' '\0'
}

# Whether what lies in $1/tree is what $1/manifest says; run under the lock. Files that are not are removed,
# and counted in wrong.
prove() {
  wrong=0
  [ "$($sum <"$1/manifest" | cut -d ' ' -f 1)" = "$digest" ] || { wrong=all && return 1; }
  cd "$1/tree" || return 1
  awk -F'\t' '$1 == "f" { print $2 "  ./" $5 }' ../manifest >../told
  # shellcheck disable=SC2086
  files_of ../manifest | xargs -0 $sum -- 2>/dev/null >../seen
  if ! cmp -s ../told ../seen; then
    # Mode and name only: what is there and has another sum, or should not be there.
    awk 'NR == FNR { right[$0] = 1; next } !($0 in right) { print substr($0, 67) }' ../told ../seen >../odd
    wrong=$(awk 'NR == FNR { seen[$0] = 1; next } !($0 in seen)' ../seen ../told | wc -l)
    wrong=$((wrong))
    tr '\n' '\0' <../odd | xargs -0 rm -f --
  fi
  rm -f ../told ../seen ../odd
  [ "$wrong" = 0 ] || { cd / && return 1; }
  # Links and empty folders have no sums: they are compared one by one.
  awk -F'\t' '$1 == "l" { print $5; print $2 }' ../manifest | while IFS= read -r path && IFS= read -r target; do
    [ -L "./$path" ] && [ "$(readlink "./$path")" = "$target" ] || exit 1
  done || { wrong='link' && cd / && return 1; }
  count=$(find . ! -name . | wc -l)
  [ $((count)) = $(($(awk 'NR > 1' ../manifest | wc -l))) ] || { wrong=count && cd / && return 1; }
}

# Nobody shall write to it by mistake, the steps that read it included.
close_tree() {
  awk -F'\t' '$1 == "f" && $4 == "x" { printf "./%s\n", $5 }' ../manifest | tr '\n' '\0' >../programs
  files_of ../manifest | xargs -0 chmod 444 -- 2>/dev/null
  [ ! -s ../programs ] || xargs -0 chmod 555 -- <../programs
  rm -f ../programs
  find . -type d -exec chmod 555 {} +
}

# What somebody made read-only is ours all the same.
discard() {
  [ -e "$1" ] || return 0
  rm -rf "$1" 2>/dev/null || { chmod -R u+rwX "$1" 2>/dev/null && rm -rf "$1"; }
}

# Sets state: whole, part or none. A whole set lies as it was proved; else it is proved again, and what is
# not right of it becomes what is on its way. Run under the lock where it is to be mended.
look() {
  state=none
  [ ! -d "$part/tree" ] || state=part
  [ -f "$set/seal" ] && [ -d "$set/tree" ] || return 0
  state=whole
  [ "$(cd "$set/tree" && seal_of)" != "$(cat "$set/seal")" ] || return 0
  state=changed
}

mend() {
  grid_start_ticks
  if prove "$set"; then
    close_tree
    seal_of >../seal
    cd / && state=whole
  else
    cd / || exit 1
    rm -f "$set/seal"
    chmod -R u+rwX "$set/tree" 2>/dev/null
    discard "$part"
    mkdir "$part" && mv "$set/tree" "$part/tree" && state=part
  fi
  grid_stop_ticks
}

# Takes the lock, or sees that somebody else finished the work meanwhile.
take_lock() {
  waited=0
  until try_lock; do
    [ -d "$base" ] || fail workspace "$base is gone"
    sleep 1
    # It may be whole now; where somebody is mending it, whoever asked will ask again.
    [ ! -f "$set/seal" ] || return 0
    waited=$((waited + 1))
    [ $((waited % 5)) != 0 ] || echo busy
  done
  (
    cd / || exit
    while sleep 20 >/dev/null && kill -0 $$ && [ -f "$lock/owner" ]; do touch -c "$lock/owner"; done
  ) </dev/null >/dev/null 2>&1 9<&- &
  beating=$!
}

take_manifest() {
  [ -d "$part" ] || mkdir "$part" || fail write "$part"
  [ -d "$part/tree" ] || mkdir "$part/tree" || fail write "$part"
  chmod -R u+rwX "$part/tree" 2>/dev/null
  grid_take "$1" >"$part/manifest" || fail write "$part/manifest"
  [ "$($sum <"$part/manifest" | cut -d ' ' -f 1)" = "$digest" ] || fail write "$part/manifest"
  cd "$part/tree" || fail write "$part"
  awk -F'\t' '$1 == "d" { printf "./%s\n", $5 }' ../manifest | tr '\n' '\0' | xargs -0 mkdir -p -- 2>/dev/null
  awk -F'\t' '$1 == "l" { print $5; print $2 }' ../manifest | while IFS= read -r path && IFS= read -r target; do
    [ -L "./$path" ] || ln -s -- "$target" "./$path"
  done
  [ -z "$(find . ! -type d ! -type f ! -type l)" ] || fail write "$part holds what no set does"
  cd / || exit 1
  tell_sizes
}

# What arrived before: sizes and names of files.
tell_sizes() {
  (cd "$part/tree" && find . -type f -exec stat "$option" "$size_facts" {} +) >"$part/sizes" 2>/dev/null
  echo "sizes $(($(wc -c <"$part/sizes"))) $(free_kb)"
  cat "$part/sizes"
}

free_kb() {
  # shellcheck disable=SC2046
  set -- $(df -Pk "$base" 2>/dev/null | tail -n 1)
  echo "${4:-unknown}"
}

# Errors are kept and told at the next question: nobody reads an answer per piece.
complaint=
take_piece() {
  IFS= read -r path
  grid_take "$1" >>"$part/tree/$path" 2>/dev/null || complaint=${complaint:-"cannot write $part/tree/$path"}
}

take_tar() {
  report=$(grid_take "$1" | tar -C "$part/tree" -xof - 2>&1) || complaint=${complaint:-${report##*
}}
}

finish() {
  [ -n "$locked" ] || fail locked "$(cat "$lock/owner" 2>/dev/null)"
  grid_start_ticks
  if ! prove "$part"; then
    cd / || exit 1
    grid_stop_ticks
    echo "wrong $wrong"
    return
  fi
  close_tree
  cd / || exit 1
  # Pins and uses of a set that was mended stay.
  [ -d "$set" ] || mkdir "$set" || fail write "$set"
  discard "$set/tree"
  # A folder that is closed to writing cannot be moved everywhere.
  chmod 755 "$part/tree"
  { mv "$part/manifest" "$set/manifest" && mv "$part/tree" "$set/tree"; } || fail write "$set"
  chmod 555 "$set/tree"
  { (cd "$set/tree" && seal_of) >"$part/seal" && mv "$part/seal" "$set/seal"; } || fail write "$set"
  rm -rf "$part"
  grid_stop_ticks
  echo whole
}

# use PROJECT: what a project is, for grid data; then four lines: its folder, the set's name, where it came
# from, its files and bytes.
note_use() {
  IFS= read -r folder
  IFS= read -r name
  IFS= read -r from
  IFS= read -r facts
  mkdir -p "$set/used" "$set/jobs" || fail write "$set"
  printf '%s\n' "$folder" >"$set/used/$1" || fail write "$set"
  printf '%s\n' "$facts" "$owner" "$name" "$from" >"$set/about" || fail write "$set"
  echo "used $set"
}

# A program in Python with its settings on stdin: between nodes.
talk_to_peer() {
  program=$(grid_take "$2")
  if ! has python3; then
    grid_take "$3" >/dev/null
    echo "unreached python3 is not there"
  elif [ "$1" = serve ]; then
    python3 -c "$program" serve "$set" 2>/dev/null
    echo "served"
  else
    grid_take "$3" | python3 -c "$program" pull "$part" 2>/dev/null
    echo "unreached it ended early"
  fi
}

look
echo "state $state"
while IFS=' ' read -r word first second; do
  case $word in
  lock)
    take_lock
    look
    [ "$state" != changed ] || [ -z "$locked" ] || mend
    echo "state $state"
    ;;
  manifest) take_manifest "$first" ;;
  sizes) tell_sizes ;;
  piece) take_piece "$first" ;;
  tar) take_tar "$first" ;;
  ask)
    [ -z "$complaint" ] || fail write "$complaint"
    echo ok
    ;;
  finish) finish ;;
  discard)
    discard "$part"
    echo ok
    ;;
  use) note_use "$first" ;;
  serve | pull) talk_to_peer "$word" "$first" "$second" ;;
  *) fail word "$word" ;;
  esac
done
