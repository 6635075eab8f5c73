# shellcheck shell=sh disable=SC2034,SC2154
# The lock of a folder, as syncs and data sets use it: a folder that whoever makes it holds, with a file that
# says who that is, "<word> <host> <pid>". Read behind the prelude. Set by the caller: lock, its path, owner, a word,
# and a function fail WHY WHAT. Whoever holds it has the file open; on other hosts, which cannot see that, it
# counts as held for two minutes after the file was touched, so what takes long touches it.
#
# function: reads -> sets
#   know_lock: grid_host owner -> here locked token
#   try_lock: holder lock token -> aside judged locked
#   is_dead: here lock -> holder host pid
#   is_mine: lock token -> holder

# Sets here, token and locked, once the caller has set its words.
know_lock() {
  here=$grid_host locked=
  [ "$here" != - ] || here=$(uname -n)
  token="$owner $here $$"
}

# Takes the lock, or does so from somebody who is dead. 1 where somebody has it; sets holder, who that is.
try_lock() {
  until mkdir "$lock" 2>/dev/null; do
    is_dead || return 1
    judged=$holder
    mv "$lock" "$lock.dead.$$" 2>/dev/null || continue
    # Of two who judge, one may have moved the lock that the other has just made.
    if [ "$(cat "$lock.dead.$$/owner" 2>/dev/null)" = "$judged" ]; then
      rm -rf "$lock.dead.$$"
    else
      mv "$lock.dead.$$" "$lock"
    fi
  done
  locked=yes
  printf '%s\n' "$token" >"$lock/owner" || fail write "$lock/owner"
  exec 9<"$lock/owner"
  # Of somebody who was ended while he judged one; who still does keeps his.
  for aside in "$lock".dead.*; do
    if [ ! -d "$aside" ] || kill -0 "${aside##*.}" 2>/dev/null; then continue; fi
    [ -z "$(find "$aside" -prune -mmin +2 2>/dev/null)" ] || rm -rf "$aside"
  done
}

# Whether nobody holds it any more; sets holder.
is_dead() {
  holder=$(cat "$lock/owner" 2>/dev/null)
  if [ -z "$holder" ]; then
    [ -n "$(find "$lock" -prune -mmin +1 2>/dev/null)" ]
    return
  fi
  pid=${holder##* } host=${holder% *}
  host=${host##* }
  if [ "$host" = "$here" ]; then
    ! grid_holds "$pid" 9 "$lock/owner" || return 1
    # Of an earlier version, which did not keep it open, or a later process of the same number.
    kill -0 "$pid" 2>/dev/null || return 0
  fi
  [ -n "$(find "$lock/owner" -prune -mmin +2 2>/dev/null)" ]
}

# Whether the lock is ours; sets holder, whose it is.
is_mine() {
  holder=
  [ ! -f "$lock/owner" ] || IFS= read -r holder <"$lock/owner" 2>/dev/null
  [ "$holder" = "$token" ]
}
