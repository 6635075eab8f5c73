# Finds files below a folder and sends those that are asked for. Words come in as lines: folder, then
# starting points up to an empty line; the files found go out, each ended by NUL; then names come in
# as a NUL-separated list up to the end of input, and a tar archive goes out.
set -u
LC_ALL=C
export LC_ALL
IFS= read -r marker
IFS= read -r folder
work=
fail() {
  printf '%s\n' "failed $1" "$2"
  exit 1
}
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
printf '\n%s\n' "$marker"
cd -- "$folder" 2>/dev/null || fail folder "$folder"
work=$(mktemp -d "${TMPDIR:-/tmp}/grid-fetch.XXXXXX") || fail write "${TMPDIR:-/tmp}"
while IFS= read -r start && [ -n "$start" ]; do
  # -L: links are asked for by name all the time (last.pt), and their content is meant.
  [ -e "$start" ] && find -L "$start" \( -name '.[gG][iI][tT]' -o -name '.[gG][rR][iI][dD]' \) -prune -o -type f -print0 2>/dev/null
done >"$work/found"
echo "found $(($(wc -c <"$work/found")))"
cat "$work/found"
cat >"$work/names"
[ -s "$work/names" ] || exit 0
case $(tar --version 2>/dev/null) in
*GNU* | *bsdtar*) tar -chf - --null -T "$work/names" 2>"$work/report" ;;
*)
  tr '\0' '\n' <"$work/names" >"$work/lines"
  tar -chf - -T "$work/lines" 2>"$work/report"
  ;;
esac
code=$?
[ $code = 0 ] || cat "$work/report" >&2
exit $code
