# Lists what lies below a folder, then sends what is asked for. Words come in as lines: folder, then
# starting points up to an empty line. Names, rows and sums go out as counted bytes; two lists of names
# come in the same way, the first to be summed up, the second to be sent as a tar archive.
#
# function: reads -> sets
#   (outside): TMPDIR -> LC_ALL TZ bad code count folder marker name start temporary work
#   fail: - -> -
#   choose_stat: - -> facts option
#   list: bad facts option work -> bad start
#   size_of: - -> -
#   sum_up: work -> -
#   pack: work -> -
set -u
LC_ALL=C TZ=UTC0
export LC_ALL TZ
IFS= read -r marker
IFS= read -r folder
work=

fail() {
  printf '%s\n' "failed $1" "$2"
  exit 1
}

choose_stat() {
  case $(stat -c %f / 2>/dev/null) in
  4*) option=-c facts='%f %s %Y %Z|%n' ;;
  *)
    case $(stat -f %Xp / 2>/dev/null) in
    4*) option=-f facts='%Xp %z %m %c|%N' ;;
    *) fail stat "$(command -v stat)" ;;
    esac
    ;;
  esac
}

# -L: links are asked for by name all the time (last.pt), and their content is meant.
list() {
  while IFS= read -r start; do
    [ -e "$start" ] || [ -L "$start" ] || continue
    find -L "$start" \( -name '.[gG][iI][tT]' -o -name '.[gG][rR][iI][dD]' \) -prune -o -print0 \
      >>"$work/found" 2>>"$work/words" || bad=yes
    find -L "$start" \( -name '.[gG][iI][tT]' -o -name '.[gG][rR][iI][dD]' \) -prune -o \
      -type l -print0 >>"$work/dangling" 2>/dev/null
  done <"$work/starts"
  [ ! -s "$work/found" ] || xargs -0 stat -L "$option" "$facts" -- <"$work/found" \
    >"$work/rows" 2>/dev/null
  # shellcheck disable=SC2016
  [ -z "$bad" ] || xargs -0 sh -c \
    'for path do [ ! -d "$path" ] || { [ -r "$path" ] && [ -x "$path" ]; } || printf "%s\0" "$path"; done' \
    sh <"$work/found" >"$work/closed"
  return 0
}

size_of() {
  echo $(($(wc -c <"$1")))
}

sum_up() {
  if command -v sha256sum >/dev/null; then
    xargs -0 sha256sum -- <"$work/names" >"$work/sums" 2>"$work/words"
  else
    xargs -0 shasum -a 256 -- <"$work/names" >"$work/sums" 2>"$work/words"
  fi
  return 0
}

pack() {
  case $(tar --version 2>/dev/null) in
  *GNU*) tar -chf - --null --no-unquote -T "$work/names" 2>"$work/words" ;;
  *bsdtar*) tar -chf - --format gnutar --null -T "$work/names" 2>"$work/words" ;;
  # Not every busybox can read a list. More names than a command line may hold make more archives.
  *) xargs -0 tar -chf - <"$work/names" 2>"$work/words" ;;
  esac
}

trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
printf '\n%s\n' "$marker"
cd -- "$folder" 2>/dev/null || fail folder "$folder"
choose_stat
# What start-up files name is often not there on every node.
temporary=${TMPDIR:-/tmp}
{ [ -d "$temporary" ] && [ -w "$temporary" ]; } || temporary=/tmp
work=$(mktemp -d "$temporary/grid-fetch.XXXXXX") || fail write "$temporary"
for name in starts found dangling rows closed words; do : >"$work/$name" || fail write "$work"; done
while IFS= read -r start && [ -n "$start" ]; do
  printf '%s\n' "$start" >>"$work/starts"
done
bad=
grid_start_ticks
list
grid_stop_ticks
# The first words say enough.
dd if="$work/words" of="$work/first" bs=4096 count=1 2>/dev/null
echo "found $(size_of "$work/found") $(size_of "$work/rows") $(size_of "$work/dangling") $(size_of "$work/closed") $(size_of "$work/first") $(date +%s)"
cat "$work/found" "$work/rows" "$work/dangling" "$work/closed" "$work/first"
IFS= read -r count || exit 0
grid_take "$count" >"$work/names"
if [ ! -s "$work/names" ]; then
  echo "sums 0 0"
elif command -v sha256sum >/dev/null || command -v shasum >/dev/null; then
  grid_start_ticks
  sum_up
  grid_stop_ticks
  dd if="$work/words" of="$work/first" bs=4096 count=1 2>/dev/null
  echo "sums $(size_of "$work/sums") $(size_of "$work/first")"
  cat "$work/sums" "$work/first"
else
  echo "sums none"
fi
IFS= read -r count || exit 0
grid_take "$count" >"$work/names"
[ -s "$work/names" ] || exit 0
pack
code=$?
[ $code = 0 ] || cat "$work/words" >&2
exit $code
