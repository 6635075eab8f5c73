# shellcheck shell=sh disable=SC2154
# Reads all claims of this node; behind claims.sh. Whatever an account has put into its folder, this ends
# soon, prints a bounded number of lines, and believes nobody about others.
#
# function: reads -> sets
#   (outside): - -> grid_claims_program
#   grid_claims_list: grid_claims_base -> grid_dir grid_most
#   grid_claims_read: grid_boot grid_claims_base grid_claims_program grid_up -> LC_ALL grid_limit

# The folders of all accounts and what lies in them. "own" stands before our own.
grid_claims_list() {
  for grid_dir in "$grid_claims_base"/grid-claims-*/; do
    if [ ! -d "$grid_dir" ] || [ -L "${grid_dir%/}" ]; then continue; fi
    grid_most=2000
    # What ended jobs of our own left goes as it is read.
    [ ! -O "$grid_dir" ] || { echo own; grid_most=10000; }
    set -- "$grid_dir"[!.]*
    # Jobs without GPUs are not worth more than a look.
    [ $# -le 2000 ] || set -- "$grid_dir"gpu.* "$grid_dir"run.*
    [ $# -le "$grid_most" ] || set -- "$grid_dir"gpu.*
    if [ $# -le "$grid_most" ]; then
      ls -ld "$grid_dir" "$@" 2>/dev/null
    else
      echo "crowded $grid_dir"
      [ ! -O "$grid_dir" ] || {
        ls -ld "$grid_dir"
        find "${grid_dir%/}" -name 'gpu.*' -exec ls -ld {} + | head -n "$grid_most"
      } 2>/dev/null
    fi
    echo end
  done
}

# grid_claims_read MODE SELF GROUP SHARE: with MODE "all" prints
#   @claim KIND STATE OWN ACCOUNT AGE LASTS RUN STEP PROJECT OWNER GROUP SHARE PLACE GPUS
#   @placed OWN ACCOUNT AGE PROJECT OWNER PLACE COUNT
#   @wait OWN ACCOUNT AGE LASTS RUN STEP PROJECT OWNER ID COUNT VRAM MODEL
# "@claims-unfit crowded FOLDER" where an account has more of them than can be read, and at last "@claims end". STATE is "held" or "trying", OWN "yes" or "no", AGE in seconds. With "busy" prints
# "held KEY" or "trying KEY" for each GPU that somebody else than the file SELF claims, unless both are
# of GROUP and one account, or both share; and at last "end", or "crowded FOLDER".
grid_claims_read() {
  set -- "$grid_claims_base"/grid-claims-*/* "$@"
  [ -e "$1" ] || [ $# -gt 5 ] || { [ "$2" != all ] || echo '@claims end'; [ "$2" = all ] || echo end; return 0; }
  while [ $# -gt 4 ]; do shift; done
  grid_claims_now
  grid_limit=
  ! command -v timeout >/dev/null 2>&1 || grid_limit='timeout 3'
  LC_ALL=C && export LC_ALL
  # shellcheck disable=SC2086
  grid_claims_list | $grid_limit awk -v mode="$1" -v self="$2" -v group="$3" -v share="$4" \
    -v up="$grid_up" -v boot="$grid_boot" "$grid_claims_program"
}

# Files are opened one by one: one that vanishes meanwhile must not end it all.
# shellcheck disable=SC2016
grid_claims_program='
  # Sets born, state and session of a process; 0 where there is none to be seen.
  function look(pid,    line, file, at, part) {
    file = "/proc/" pid "/stat"
    if ((getline line < file) <= 0) { close(file); return 0 }
    close(file)
    while ((at = index(line, ")")) > 0) line = substr(line, at + 1)
    split(line, part, " ")
    state = part[1]; session = part[4]; born = part[20]
    return 1
  }
  # /proc may be hidden, wholly or as far as others are concerned.
  function is_hidden(    line, file) {
    if (hidden == "") {
      file = "/proc/1/stat"
      hidden = (getline line < file) > 0 ? "no" : "yes"
      close(file)
    }
    return hidden == "yes"
  }
  function lives(pid, since,    command, line) {
    if (pid !~ /^[1-9][0-9]*$/ || length(pid) > 10) return 0
    if (look(pid)) return state !~ /^[ZX]/ && born == since
    if (!is_hidden()) return 0
    command = "kill -0 " pid " 2>&1"
    line = ""
    command | getline line
    close(command)
    return line == "" || line ~ /ermitted/
  }
  # A number is not given to another process while it is that of a session.
  function session_lives(id,    command, line, at, part) {
    if (id !~ /^[1-9][0-9]*$/ || look(id)) return 0
    if (!scanned) {
      scanned = 1
      command = "cat /proc/[0-9]*/stat 2>/dev/null"
      while ((command | getline line) > 0) {
        while ((at = index(line, ")")) > 0) line = substr(line, at + 1)
        if (split(line, part, " ") > 19 && part[1] !~ /^[ZX]/) sessions[part[4]] = 1
      }
      close(command)
    }
    return id in sessions
  }
  function word(text) {
    return text ~ /^[A-Za-z0-9._:@%+=,\/-]+$/ && length(text) <= 3000 ? text : "-"
  }
  function number(text) {
    return text ~ /^[0-9]+(\.[0-9]*)?$/ && length(text) <= 15 ? text : "-"
  }
  function age(since) {
    since = number(since)
    return since == "-" || since + 0 > up + 0 ? 0 : sprintf("%.2f", up - since)
  }
  function claim(file, is_own,    line, at, key, value, count, fields, part, n, i, is_alive, keys) {
    split("", has); waits = 0
    while ((getline line < file) > 0 && count++ < 300) {
      at = index(line, " ")
      key = at ? substr(line, 1, at - 1) : line
      value = at ? substr(line, at + 1) : "yes"
      if (key == "wait") { if (waits < 200) wait[++waits] = value } else if (!(key in has)) has[key] = value
    }
    close(file)
    if (has["grid-claim"] != "1") return
    n = split(has["pid"], part, " ")
    is_alive = has["boot"] == boot
    if (is_alive && has["ttl"] != "") {
      is_alive = number(has["seen"]) != "-" && up <= has["seen"] + number(has["ttl"]) && has["seen"] <= up + 1
    }
    if (is_alive && !lives(part[1], part[2])) {
      split(has["keeper"], fields, " ")
      # All processes are looked at only for what holds something, or can be taken away once it is dead.
      is_alive = lives(fields[1], fields[2]) ||
        (is_own || has["gpus"] != "") && part[3] == part[1] && session_lives(part[1])
    }
    if (!is_alive) {
      # What a runner renews by the same name may have been renewed meanwhile.
      if (is_own && (has["kind"] != "run" || age(has["seen"]) > 60 || has["boot"] != boot)) dead[++deads] = file
      return
    }
    if (mode == "busy") {
      if (file == self || has["gpus"] == "") return
      if (is_own && has["group"] == group) return
      if (share == "yes" && has["share"] == "yes") return
      n = split(word(has["gpus"]), keys, ",")
      for (i = 1; i <= n; i++) print ("held" in has ? "held" : "trying"), keys[i]
      return
    }
    own = is_own ? "yes" : "no"
    if (has["kind"] == "run") {
      split(has["placed"], part, " ")
      print "@placed", own, account, age(part[2]), word(has["project"]), word(has["owner"]), \
        word(has["place"]), number(part[1])
      for (i = 1; i <= waits; i++) {
        split(wait[i], part, " ")
        print "@wait", own, account, age(part[2]), number(part[6]), word(part[7]), word(part[8]), \
          word(has["project"]), word(has["owner"]), word(part[1]), number(part[3]), number(part[4]), word(part[5])
      }
      return
    }
    print "@claim", word(has["kind"]), ("held" in has || has["gpus"] == "" ? "held" : "trying"), own, account, \
      age(has["up"]), number(has["lasts"]), word(has["run"]), word(has["step"]), word(has["project"]), \
      word(has["owner"]), word(has["group"]), (has["share"] == "yes" ? "yes" : "no"), word(has["place"]), word(has["gpus"])
  }
  $0 == "own" { is_own = 1; next }
  # No name of a file holds a slash, so nobody makes this up.
  $1 == "crowded" && / \// { crowded = substr($0, 9); sub(/\/$/, "", crowded); next }
  $0 == "end" { is_own = 0; folder = ""; next }
  {
    path = substr($0, index($0, " /") + 1)
    if ($1 ~ /^d/ && path ~ /\/$/) {
      folder = path
      account = word($3)
      # Where others may write, nothing says whose claims these are. Our own is closed again: others read it, too.
      if (substr($1, 6, 1) == "w" || substr($1, 9, 1) == "w") {
        closer = "IFS= read -r f && chmod go-w \"$f\" 2>/dev/null"
        if (is_own) { print path | closer; close(closer) } else folder = ""
      }
      next
    }
    if (folder == "" || $1 !~ /^-/ || word($3) != account || $5 > 65536) next
    name = substr(path, length(folder) + 1)
    if (name ~ /^[A-Za-z0-9._-]+$/ && substr(path, 1, length(folder)) == folder) claim(path, is_own)
  }
  END {
    if (mode == "all" && crowded != "") print "@claims-unfit crowded " crowded
    print mode == "all" ? "@claims end" : crowded != "" ? "crowded " crowded : "end"
    # A long list would be copied whole for each name that is added.
    remover = "set --; while IFS= read -r f; do set -- \"$@\" \"$f\"; [ $# -lt 100 ] || { rm -f \"$@\"; set --; }; " \
      "done; rm -f \"$@\""
    for (i = 1; i <= deads; i++) print dead[i] | remover
    if (deads) close(remover)
  }'
