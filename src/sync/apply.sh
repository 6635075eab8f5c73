# One sync of one folder: takes the lock, tells what is there, answers questions, reads "go" and a tar
# archive in frames, checks it, moves it in and records what was done. Read behind prelude.sh and
# folder_lock.sh. Words come in as lines and NUL-separated lists on stdin.
#
# function: reads -> sets
#   (outside): grid_fault key name option root -> LC_ALL TZ expected folder have keep_days key left lock
#       marker more name next or owner patience pruned receiving root state streamed verdict work
#   fail: - -> -
#   leave: lock locked receiving state work -> -
#   take_lock: holder patience state -> waited
#   still_mine: holder -> -
#   choose_stat: - -> file_facts folder_facts option partial_facts size_facts
#   file_rows: file_facts option -> -
#   rows: folder_facts option -> -
#   lines_in_names: - -> -
#   prove_rows: - -> there told
#   patch_lines: - -> -
#   lines_of: - -> -
#   write_manifest: - -> -
#   has: - -> -
#   choose_sum: - -> sum
#   size_of: - -> -
#   newest_pending: state -> number one pending
#   add_pending: number state -> one pending
#   find_pending: digest state -> finished
#   tell_state: expected folder have pending state sum work -> also begun can digest free known live manifest
#       next recorded there verdict
#   tell_look: folder sum work -> -
#   keep: state work -> report stamp
#   unkeep: stamp state work -> -
#   prune_kept: keep_days stamp state -> one pruned
#   tell_partial: option partial_facts state sum work -> -
#   use_partial: state work -> -
#   tell_blocks: folder work -> -
#   frames: kind size work -> kind size
#   receive: work -> code kind receiving report size streamed summing
#   drop_torn: work -> -
#   is_sealed: streamed work -> streamed
#   verify: folder streamed work -> -
#   told_sizes: option size_facts work -> -
#   make: folder sum work -> -
#   check_parents: work -> bad
#   check_gone: work -> left
#   remove: work -> -
#   is_folder: - -> -
#   staged: work -> -
#   conflicts: folder work -> -
#   merge: folder work -> -
#   promote: folder name pending work -> bad report
#   take_over_lists: known pending state -> -
#   patch_rows: known pending work -> -
#   record: digest folder pending state work -> next
# shellcheck disable=SC2034,SC2154
set -u
LC_ALL=C TZ=UTC0
export LC_ALL TZ

fail() {
  grid_stop_ticks
  printf '%s\n' "failed $1" "$2"
  exit 1
}

leave() {
  grid_stop_ticks
  cd / || exit 1
  # The link broke while files came in: the next sync begins with what arrived.
  if [ -n "$receiving" ] && [ -d "$work/in/tree" ]; then mv "$work/in/tree" "$state/partial" 2>/dev/null; fi
  # One after the other: the lock goes last.
  if [ -n "$locked" ] && is_mine; then rm -rf "$work" "$lock"; else rm -rf "$work"; fi
}

take_lock() {
  waited=0
  until try_lock; do
    [ -d "$state" ] || fail workspace "$state is gone"
    [ "$waited" -ge "$patience" ] && fail locked "$holder"
    sleep 1
    waited=$((waited + 1))
    [ $((waited % 5)) != 0 ] || echo busy
  done
}

still_mine() {
  is_mine || fail locked "$holder"
}

# GNU, busybox and toybox know -c, the BSDs -f. Without either nobody can tell what changed.
choose_stat() {
  case $(stat -c %f / 2>/dev/null) in
  4*)
    option=-c file_facts='%f %s %i|%y|%z|%n' folder_facts='%f|||%n'
    size_facts=%s partial_facts='%f %s %Y'
    ;;
  *)
    case $(stat -f %Xp / 2>/dev/null) in
    4*)
      option=-f file_facts='%Xp %z %i|%Fm|%Fc|%N' folder_facts='%Xp|||%N'
      size_facts=%z partial_facts='%Xp %z %m'
      ;;
    *) option= ;;
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

has() {
  command -v "$1" >/dev/null
}

# How a file's SHA-256 is told here, if at all.
choose_sum() {
  sum=
  if has sha256sum; then sum=sha256sum; elif has shasum; then sum='shasum -a 256'; fi
}

size_of() {
  [ -f "$1" ] && echo $(($(wc -c <"$1"))) || echo 0
}

# What a sync brings, and what those before it may have left, stays known from before anything moves until
# it is recorded: it is the newest numbered record in pending. Sets pending, empty where there is none.
newest_pending() {
  pending='' number=0
  [ ! -f "$state/pending/files" ] || pending=$state/pending
  for one in "$state"/pending/*; do
    case ${one##*/} in *[!0-9]*) continue ;; esac
    [ "${one##*/}" -gt "$number" ] || continue
    pending=$one number=${one##*/}
  done
}

# Record $1 holds all that the ones before it do, which go when it is there: nothing is ever unknown.
add_pending() {
  newest_pending
  [ -d "$state/pending" ] || mkdir "$state/pending" || fail write "$state"
  pending=$state/pending/$((number + 1))
  mv "$1" "$pending" || fail write "$state"
  for one in "$state"/pending/*; do
    [ "$one" = "$pending" ] || rm -rf "$one"
  done
}

# A record that was finished, and died before it was named the current one, is pending still.
find_pending() {
  for finished in "$state"/*/next; do
    finished=${finished%/next}
    # Records have the names of their digests.
    case ${finished##*/} in *[!0-9a-f]*) continue ;; esac
    [ -f "$finished/next" ] || continue
    if [ "${finished##*/}" = "$digest" ]; then
      rm -rf "$state/pending"
      rm -f "$finished/also" "$finished/next"
    else
      add_pending "$finished"
    fi
  done
  newest_pending
}

tell_state() {
  digest=
  [ -f "$state/current" ] && IFS= read -r digest <"$state/current"
  find_pending
  [ -n "$digest" ] && [ -f "$state/$digest/stat" ] || digest=none
  known=$state/$digest verdict=same
  mkdir "$work" "$work/in" "$work/in/tree" || fail write "$work"
  # A moment ago everything was as it had been left; only another sync changes the digest.
  if [ "$digest" != none ] && [ "$digest" != "$expected" ]; then
    : >"$work/live"
    if [ -d "$folder" ]; then
      grid_start_ticks
      cd "$folder" || fail write "$folder"
      rows "$known" >"$work/live"
      prove_rows "$known" "$work/live"
    fi
    cmp -s "$work/live" "$known/stat" || verdict=changed
    # Left by a sync that could not look: it says nothing.
    [ -s "$known/stat" ] || [ ! -s "$known/facts" ] || verdict=changed
  fi
  [ -d "$state/pending" ] && verdict=interrupted
  free=$(df -Pk "$state" 2>/dev/null)
  # Of the last line.
  # shellcheck disable=SC2086
  set -- ${free##*
}
  manifest=0 recorded=0 live=0
  [ "$digest" = none ] || [ "$digest" = "$have" ] || {
    write_manifest "$known" >"$work/manifest"
    manifest=$(size_of "$work/manifest")
  }
  if [ "$digest" != none ] && [ "$verdict" != same ]; then
    recorded=$(size_of "$known/stat") live=$(size_of "$work/live")
  fi
  begun=0 also=0 next=none
  if [ -n "$pending" ]; then
    [ ! -f "$pending/next" ] || IFS= read -r next <"$pending/next"
    write_manifest "$pending" >"$work/pending" 2>/dev/null
    begun=$(size_of "$work/pending") also=$(size_of "$pending/also")
  fi
  there=new
  [ ! -e "$folder" ] || there=there
  can=+
  ! has awk || ! has paste || can=patch+
  [ -z "$sum" ] || can=${can}sum+
  ! has gzip || can=${can}gzip+
  ! has zstd || can=${can}zstd+
  ! has python3 || can=${can}blocks+
  ! { has cksum && has tee && has mkfifo; } || can=${can}seal+
  [ ! -d "$state/partial" ] || can=${can}partial+
  can=$can${work##*/}+
  grid_stop_ticks
  echo "state $digest $verdict ${4:-unknown} $can $there ${next:-none} $manifest $recorded $live $begun $also"
  [ "$manifest" = 0 ] || cat "$work/manifest"
  [ "$recorded" = 0 ] || cat "$known/stat"
  [ "$live" = 0 ] || cat "$work/live"
  [ "$begun" = 0 ] || cat "$work/pending"
  [ "$also" = 0 ] || cat "$pending/also"
}

# Which of these paths are there, and what do they hold? $1 bytes of names.
tell_look() {
  grid_take "$1" >"$work/look"
  : >"$work/seen"
  : >"$work/sums"
  : >"$work/targets"
  if cd "$folder" 2>/dev/null; then
    grid_start_ticks
    # A folder is no file of others, and is told with a slash: what cannot give way is told as a conflict.
    # shellcheck disable=SC2016
    xargs -0 sh -c 'for path do
      if [ ! -L "$path" ] && [ -d "$path" ]; then
        printf "%s/\0" "$path"
      elif [ -L "$path" ] || [ -e "$path" ]; then
        printf "%s\0" "$path"
      fi
    done' sh <"$work/look" >"$work/seen"
    # shellcheck disable=SC2016
    xargs -0 sh -c 'for path do if [ -f "$path" ] && [ ! -L "$path" ]; then printf "%s\0" "$path"; fi; done' \
      sh <"$work/seen" >"$work/regular"
    # shellcheck disable=SC2086
    [ ! -s "$work/regular" ] || [ -z "$sum" ] ||
      xargs -0 $sum -- <"$work/regular" >"$work/sums" 2>/dev/null
    # shellcheck disable=SC2016
    ! has readlink || xargs -0 sh -c 'for path do
      [ -L "$path" ] || continue
      target=$(readlink -- "$path" && echo .) && printf "%s\0%s\0" "$path" "${target%??}"
    done' sh <"$work/seen" >"$work/targets" 2>/dev/null
    grid_stop_ticks
  fi
  echo "seen $(size_of "$work/seen") $(size_of "$work/sums") $(size_of "$work/targets")"
  cat "$work/seen" "$work/sums" "$work/targets"
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

# Nothing was put in the place of what is still there: it needs no second name.
unkeep() {
  [ -s "$work/in/keep" ] || return 0
  # shellcheck disable=SC2016
  xargs -0 sh -c 'for path do
      if [ -e "$path" ] || [ -L "$path" ]; then rm -f -- "$0/$path"; fi
    done' "$state/kept/$stamp" <"$work/in/keep"
  find "$state/kept/$stamp" -depth -type d -exec rmdir -- {} + 2>/dev/null
}

# What was moved aside long ago goes when more comes. Sets pruned, the number of such times.
prune_kept() {
  pruned=0
  for one in "$state/kept"/*; do
    if [ ! -d "$one" ] || [ -L "$one" ] || [ "$one" = "$state/kept/$stamp" ]; then continue; fi
    [ -n "$(find "$one" -prune -mtime "+$keep_days" 2>/dev/null)" ] || continue
    ! rm -rf "$one" 2>/dev/null || pruned=$((pruned + 1))
  done
}

# What arrived before the link broke: names, what the file system says of them, sums of files. What is
# neither file nor folder is of no use.
tell_partial() {
  grid_start_ticks
  cd "$state/partial" || fail write "$state"
  find . ! -type f ! -type d -exec rm -f -- {} + 2>/dev/null
  find . ! -name . -print0 >"$work/look"
  find . -type f -print0 >"$work/regular"
  : >"$work/live"
  : >"$work/sums"
  [ ! -s "$work/look" ] || xargs -0 stat "$option" "$partial_facts" -- <"$work/look" >"$work/live"
  # shellcheck disable=SC2086
  [ ! -s "$work/regular" ] || [ -z "$sum" ] || xargs -0 $sum -- <"$work/regular" >"$work/sums" 2>/dev/null
  grid_stop_ticks
  echo "partial $(size_of "$work/look") $(size_of "$work/live") $(size_of "$work/sums")"
  cat "$work/look" "$work/live" "$work/sums"
}

# It becomes what is staged, without what is of no use. $1 bytes of names of files, $2 of folders.
use_partial() {
  grid_take "$1" >"$work/look"
  grid_take "$2" >"$work/sums"
  cd "$state/partial" || fail write "$state"
  [ ! -s "$work/look" ] || xargs -0 rm -f -- <"$work/look"
  [ ! -s "$work/sums" ] || xargs -0 rmdir -- <"$work/sums" 2>/dev/null
  cd / || exit 1
  rmdir "$work/in/tree" || fail write "$work"
  mv "$state/partial" "$work/in/tree" || fail write "$work"
}

# What do these files hold, block by block? $1 bytes of names. For each its size, the size of a block and
# their number, then of each block a weak sum, which can be rolled along, and the half of a strong one.
tell_blocks() {
  grid_take "$1" >"$work/look"
  : >"$work/sums"
  grid_start_ticks
  cd "$folder" && python3 -c '
import hashlib, os, stat, struct, sys, zlib
for name in sys.stdin.buffer.read().split(b"\0")[:-1]:
    size, block, sums = 0, 4096, []
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb", 0) as file:
            about = os.fstat(file.fileno())
            if stat.S_ISREG(about.st_mode):
                size = about.st_size
                while block * block < size // 2:
                    block *= 2
                for _ in range(size // block):
                    data = file.read(block)
                    sums.append(struct.pack(">I", zlib.adler32(data)) + hashlib.sha256(data).digest()[:16])
    except OSError:
        size, sums = 0, []
    sys.stdout.buffer.write(struct.pack(">QII", size, block, len(sums)) + b"".join(sums))
' <"$work/look" >"$work/sums" 2>/dev/null
  grid_stop_ticks
  echo "blocks $(size_of "$work/sums")"
  cat "$work/sums"
}

# The archive comes in frames: a kind and the bytes of the frame. "ping" is answered when everything before it
# was taken. "rest" is all that comes to the end of the input, which only the sum can tell from a link that
# broke.
frames() {
  while :; do
    case $kind in
    plain) grid_take "$size" || return ;;
    gzip) grid_take "$size" | gzip -dc || return ;;
    zstd) grid_take "$size" | zstd -dcq || return ;;
    ping) echo pong >&3 ;;
    rest)
      : >"$work/rest"
      exec cat
      ;;
    end) return ;;
    *) break ;;
    esac
    IFS=' ' read -r kind size || break
  done
  : >"$work/cut"
}

receive() {
  receiving=yes
  kind='' size='' streamed=
  IFS=' ' read -r kind size || :
  # -o: files belong to us, whoever owned them at the source.
  if [ "$kind" = rest ]; then
    # A small one: two programs less than where it is summed on its way.
    : >"$work/rest"
    if ! report=$(cat 2>&1 >"$work/archive"); then
      receiving=
      fail tar "$report"
    fi
    streamed=$(cksum <"$work/archive")
    report=$(tar -C "$work/in" -xof "$work/archive" 2>&1)
    code=$?
  elif has cksum && has tee && mkfifo "$work/stream" 2>/dev/null; then
    cksum <"$work/stream" >"$work/streamed" &
    summing=$!
    report=$(frames | tee "$work/stream" | tar -C "$work/in" -xof - 2>&1)
    code=$?
    wait "$summing"
  else
    report=$(frames | tar -C "$work/in" -xof - 2>&1)
    code=$?
  fi
  [ ! -f "$work/cut" ] || fail cut "$report"
  # One that is cut between two members is no fault to some.
  if [ "$code" != 0 ] || [ ! -f "$work/in/seal" ]; then
    # A tar that gave up early leaves some of it unread.
    [ ! -f "$work/rest" ] || is_sealed || [ $(($(dd bs=1 count=1 2>/dev/null | wc -c))) != 0 ] ||
      fail cut "$report"
    receiving=
    fail tar "$report"
  fi
  receiving=
}

# Files that changed while they were read: what arrived of them is no version at all.
drop_torn() {
  [ ! -s "$work/in/torn" ] || (cd "$work/in/tree" && xargs -0 rm -f -- <../torn)
}

# Four bytes near its end make the sum of every whole archive this number.
is_sealed() {
  [ ! -f "$work/streamed" ] || read -r streamed <"$work/streamed" || :
  [ "${streamed%% *}" = 1735551332 ]
}

# What was to arrive has arrived, and lies on the disk in full length.
verify() {
  { [ -z "$streamed" ] && [ ! -f "$work/streamed" ]; } || is_sealed || fail verify "${streamed%% *}"
  make
  cd "$work/in/tree" || fail write "$work"
  # Renaming the folder around them changes nothing about files, so where there is no folder yet this can
  # be done before anything moves.
  if [ ! -e "$folder" ] && [ ! -L "$folder" ] && [ -f "$work/in/record/files" ]; then
    rows "$work/in/record" >"$work/in/record/stat"
  fi
  [ ! -s "$work/in/sent" ] || told_sizes | cmp -s - "$work/in/sizes" || fail verify "sizes"
}

# The bytes of all files that were sent, one number a line. Where just these are recorded, the rows tell.
told_sizes() {
  if [ -f "$work/in/record/stat" ] && cmp -s "$work/in/sent" "$work/in/record/files" &&
    [ "$(lines_in_names <"$work/in/sent")" = "$(lines_of "$work/in/sizes")" ]; then
    head -n "$(lines_of "$work/in/sizes")" "$work/in/record/stat" | cut -d ' ' -f 2
  else
    xargs -0 stat "$option" "$size_facts" -- <"$work/in/sent" 2>/dev/null
  fi
}

# Files that are made of what lies here already: three words each, number, base, target. Without a base
# ("."), what arrived before the link broke is gone on with. Each must come out as the source has it.
make() {
  [ -s "$work/in/edits" ] || return 0
  cd "$folder" 2>/dev/null || cd "$work" || fail write "$work"
  # shellcheck disable=SC2016,SC2086
  xargs -0 -n 3 sh -c '
    in=$2 number=$3 base=$4 out=$2/tree/$5
    [ "$base" = . ] || { [ -f "$base" ] && [ ! -L "$base" ]; } || exit 255
    case $5 in */*) mkdir -p "${out%/*}" || exit 255 ;; esac
    exec 4<"$in/edit/$number.data" || exit 255
    {
      read -r stamp mode
      while read -r word bytes skip count; do
        case $word in
        all) cat -- "$base" ;;
        copy) dd if="$base" bs="$bytes" skip="$skip" count="$count" 2>/dev/null ;;
        data) dd bs="$bytes" count=1 <&4 2>/dev/null ;;
        rest) cat <&4 ;;
        esac || exit 255
      done >>"$out"
    } <"$in/edit/$number.ops" || exit 255
    case $mode in x) chmod a+x "$out" ;; *) chmod a-x "$out" ;; esac
    touch -t "$stamp" "$out" && $1 <"$out"' sh "$sum" "$work/in" <"$work/in/edits" >"$work/made" 2>/dev/null
  cut -d ' ' -f 1 "$work/made" | cmp -s - "$work/in/made" || fail base "what lay there has changed"
}

# Paths that are about to be removed must not lie behind a link.
check_parents() {
  [ -s "$work/in/parents" ] || return 0
  # shellcheck disable=SC2016
  bad=$(xargs -0 sh -c 'for path do [ -L "$path" ] && printf "%s\n" "$path"; done; true' sh \
    <"$work/in/parents")
  [ -z "$bad" ] || fail link "$bad"
}

# Is anything left of what was to be removed? It must stay known, or nobody would ever try again. A folder
# is no file that was.
check_gone() {
  [ -s "$work/in/gone" ] || return 0
  # shellcheck disable=SC2016
  left=$(xargs -0 sh -c 'for path do
      [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; } || continue
      printf "%s\n" "$path"
    done' sh <"$work/in/gone")
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

# All folders that are staged, those above first; told once, so that a deep tree costs no more than a flat one.
staged() (
  cd "$work/in/tree" && find . -type d -print0 >"$work/staged"
)

# Names everything in the target that cannot be replaced by what is staged.
conflicts() {
  cd "$work/in/tree" || fail write "$work"
  # shellcheck disable=SC2016
  xargs -0 sh -c '
    for above do
      place=$0/$above
      # Under what is not there yet nothing is in the way.
      if [ ! -d "$place" ] || [ -L "$place" ]; then
        if [ -e "$place" ] || [ -L "$place" ]; then printf "%s\n" "${above#./}"; fi
        continue
      fi
      for entry in "$above"/* "$above"/.[!.]* "$above"/..?*; do
        place=$0/$entry
        [ -d "$place" ] && [ ! -L "$place" ] || continue
        [ -d "$entry" ] && [ ! -L "$entry" ] && continue
        if [ -e "$entry" ] || [ -L "$entry" ]; then printf "%s\n" "${entry#./}"; fi
      done
    done' "$folder" <"$work/staged"
}

# Moves everything staged in; a folder that is already there is entered, never replaced.
merge() {
  cd "$work/in/tree" || return
  # shellcheck disable=SC2016
  xargs -0 sh -c '
    leaves() {
      place=$1
      shift
      [ -e "$1" ] || [ -L "$1" ] || return 0
      moving=
      for entry do
        if [ -d "$entry" ] && [ ! -L "$entry" ]; then continue; fi
        moving=yes
        break
      done
      [ -n "$moving" ] || return 0
      if [ $# -gt 100 ]; then
        # More names than a command line may hold go in parts.
        for entry do
          if [ -d "$entry" ] && [ ! -L "$entry" ]; then continue; fi
          printf "%s\0" "$entry"
        done | xargs -0 sh -c "exec mv -f -- \"\$@\" \"\$0\"" "$place/"
        return
      fi
      for entry do
        shift
        if [ ! -d "$entry" ] || [ -L "$entry" ]; then set -- "$@" "$entry"; fi
      done
      mv -f -- "$@" "$place/"
    }
    for above do
      # Gone with the folder around it.
      [ -d "$above" ] || continue
      place=$0/$above
      if [ -d "$place" ] && [ ! -L "$place" ]; then
        leaves "$place" "$above"/* && leaves "$place" "$above"/.[!.]* && leaves "$place" "$above"/..?* || exit 255
      else
        mv -- "$above" "$place" || exit 255
      fi
    done' "$folder" <"$work/staged"
}

promote() {
  if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then
    case $name in */*) mkdir -p "${folder%/*}" || fail write "$folder" ;; esac
    report=$(mv "$work/in/tree" "$folder" 2>&1) || fail move "$report"
    return
  fi
  # Rows that were read before the folder appeared say nothing about it.
  [ ! -e "$pending/stat" ] || rm -f "$pending/stat"
  cd "$folder" || fail write "$folder"
  check_parents
  keep
  remove clear
  staged || fail write "$work"
  bad=$(conflicts)
  if [ -n "$bad" ]; then
    cd "$folder" && unkeep
    fail conflict "$bad"
  fi
  report=$(merge 2>&1) || fail move "$report"
  remove gone
  check_gone
}

# Only files that were there before have been replaced: the lists stay, single lines change.
take_over_lists() {
  [ -f "$pending/patch" ] || return 0
  cp "$known/files" "$known/folders" "$pending" || fail write "$state"
  patch_lines "$pending/patch" "$known/facts" >"$pending/facts" || fail write "$state"
}

# The rows too, where there was one for each line of facts, and is one for each file that moved. No name
# holds a new line then.
patch_rows() {
  file_rows "$pending/moved" >"$work/rows"
  awk 'FILENAME == ARGV[1] { number[++count] = substr($0, 1, index($0, " ") - 1); next }
    FILENAME == ARGV[2] { rows[number[++told]] = $0; next }
    FILENAME == ARGV[3] { facts++; next }
    { lines++; print (lines in rows ? rows[lines] : $0) }
    END { exit (told != count || facts != lines) }' \
    "$pending/patch" "$work/rows" "$known/facts" "$known/stat" >"$pending/stat"
}

record() {
  next=$1
  cd "$folder" || fail write "$folder"
  if [ ! -f "$pending/patch" ] || ! patch_rows; then
    if [ -f "$pending/patch" ] || [ ! -f "$pending/stat" ]; then
      rows "$pending" >"$pending/stat" || fail write "$state"
    fi
    prove_rows "$pending" "$pending/stat"
  fi
  if [ "$next" = "$digest" ]; then
    mv -f "$pending/stat" "$state/$next/stat" || fail write "$state"
    rm -rf "$state/pending"
    return
  fi
  [ ! -e "$state/$next" ] || rm -rf "${state:?}/$next"
  mv "$pending" "$state/$next" || fail write "$state"
  printf '%s\n' "$next" >"$work/current" || fail write "$work"
  mv -f "$work/current" "$state/current" || fail write "$state"
  # One after the other.
  rm -rf "$state/pending" "$state/$next/also" "$state/$next/next" "${state:?}/$digest"
}

# What needs no words is done before they come.
choose_stat
choose_sum
{
  IFS= read -r marker && IFS= read -r root && IFS= read -r name && IFS= read -r key &&
    IFS= read -r expected && IFS= read -r have && IFS= read -r owner && IFS= read -r patience &&
    IFS= read -r keep_days
} || exit 0
state=$root/.grid/sync/$key
folder=$root/$name
lock=$state/lock
work=$state/work.$$
receiving=
know_lock
trap leave EXIT
trap 'exit 1' HUP INT TERM PIPE
printf '\n%s\n' "$marker"
[ -n "$option" ] || fail stat "$(command -v stat)"
[ ! -L "$folder" ] || fail link "$folder"
exec 3>&1
grid_own "$state" 700 || fail write "$grid_fault"
take_lock
for left in "$state"/work.*; do
  [ ! -d "$left" ] || rm -rf "$left"
done
tell_state
while read -r verdict more or; do
  case $verdict in
  look) tell_look "$more" ;;
  partial) tell_partial ;;
  use) use_partial "$more" "$or" ;;
  blocks) tell_blocks "$more" ;;
  *) break ;;
  esac
done
case $verdict in go | staged) ;; *) exit 0 ;; esac
grid_start_ticks "$lock/owner"
[ ! -e "$state/partial" ] || rm -rf "$state/partial"
case $verdict in
go) receive ;;
# Who asked is on this machine, and has put there what an archive would have brought.
*) streamed= ;;
esac
drop_torn
verify
still_mine
IFS= read -r next <"$work/in/next"
printf '%s\n' "$next" >"$work/in/record/next" || fail write "$work"
add_pending "$work/in/record"
take_over_lists
promote
record "$next"
pruned=0
[ ! -s "$work/in/keep" ] || prune_kept
grid_stop_ticks
echo "finished $pruned"
