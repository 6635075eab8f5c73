# shellcheck shell=sh disable=SC2012,SC2153,SC2154,SC2254
# What Ray has logged on one node; run by POSIX sh after `ray_node.sh`.
#
# function: reads -> sets
#   (outside): ROOT -> KEEP_BYTES KEEP_CLUSTERS KEEP_FILE_BYTES KEPT
#   log_folder: - -> -
#   temp_of: - -> -
#   log_files: - -> kind
#   keep_logs: FOLDER KEEP_BYTES KEEP_CLUSTERS KEEP_FILE_BYTES KEPT grid_fault -> folder left target
#   kept_clusters: KEPT -> -
#   ray_logs: FOLDER KEPT RECORD -> folder lines newest shown
#   matches: - -> pattern word
#   log_end: lines -> -

# Logs of clusters that have ended: so many, each so large, of each file its end.
KEPT=$ROOT/.grid/ray-logs
KEEP_CLUSTERS=5
KEEP_BYTES=8388608
KEEP_FILE_BYTES=262144

# Where Ray of this record writes its logs.
log_folder() { echo "$(temp_of)/session_latest/logs"; }

temp_of() { if [ -n "$(field deep)" ]; then field deep; else field temp; fi; }

# Names of the files of a folder that are not empty, newest first; those of single workers last: these may
# be thousands.
log_files() { # folder
  for kind in service worker; do
    (cd "$1" 2>/dev/null && ls -t) | while IFS= read -r name; do
      if [ ! -f "$1/$name" ] || [ ! -s "$1/$name" ]; then continue; fi
      case $name in worker-* | python-core-*) of=worker ;; *) of=service ;; esac
      [ "$of" != "$kind" ] || printf '%s\n' "$name"
    done
  done
}

# Before the folder for temporary files goes. A cluster that has ended is a folder, named by time.
keep_logs() {
  folder=$(log_folder)
  grid_own "$KEPT" 700 || { echo "$grid_fault" >&2; return 0; }
  target=$KEPT/$(date -u +%Y%m%dT%H%M%SZ)-$(field cluster)
  (umask 077 && mkdir -p "$target") || return 0
  [ ! -s "$FOLDER/start.log" ] || cp "$FOLDER/start.log" "$target/start.log"
  left=$KEEP_BYTES
  log_files "$folder" | while IFS= read -r name; do
    [ "$left" -gt 0 ] || break
    (umask 077 && tail -c "$KEEP_FILE_BYTES" "$folder/$name" >"$target/$name" 2>/dev/null) || break
    left=$((left - $(wc -c <"$target/$name")))
  done
  kept_clusters | tail -n "+$((KEEP_CLUSTERS + 1))" | while IFS= read -r name; do rm -rf "${KEPT:?}/$name"; done
}

kept_clusters() { (cd "$KEPT" 2>/dev/null && ls -r); }

# ray_logs LINES PATTERN...: the ends of Ray's logs, of the running cluster or else of the one that ended last.
# "from<tab>running|kept<tab>folder", then per file "file<tab>bytes<tab>name" and its lines behind a tab.
ray_logs() {
  lines=$1
  shift
  if [ -f "$RECORD" ]; then
    folder=$(log_folder)
    printf 'from\trunning\t%s\n' "$folder"
    ! matches start.log "$@" || log_end "$FOLDER/start.log"
  else
    newest=$(kept_clusters | head -n 1)
    [ -n "$newest" ] || return 0
    folder=$KEPT/$newest
    printf 'from\tkept\t%s\n' "$folder"
  fi
  shown=0
  log_files "$folder" | while IFS= read -r name; do
    matches "$name" "$@" || continue
    shown=$((shown + 1))
    # A list is short, texts are not.
    if [ "$shown" -gt $((lines > 0 ? 50 : 5000)) ]; then
      echo more
      break
    fi
    log_end "$folder/$name"
  done
}

matches() { # name, patterns
  word=$1
  shift
  for pattern; do
    case $word in $pattern) return 0 ;; esac
  done
  return 1
}

log_end() { # file
  [ -s "$1" ] || return 0
  printf 'file\t%s\t%s\n' "$(wc -c <"$1" | tr -d ' ')" "${1##*/}"
  [ "$lines" = 0 ] || tail -n "$lines" "$1" | tail -c 65536 | sed "s/^/$(printf '\t')/" && echo
}
