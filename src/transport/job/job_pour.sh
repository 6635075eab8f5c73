# What a runner reads becomes the input of a job; see `job_input.sh`. After the words come pieces: a line
# with number and size, then the bytes. Each is answered by its number once it lies in a file; so many may
# wait for the command, then the next is not taken. `N end` says that there are no more. "over" where the
# job takes nothing any more. A piece that comes again, because the link broke, changes nothing.
# shellcheck disable=SC2154

# grid_pour ROOT ID WAITING
grid_pour() {
  umask 077
  grid_jobs=$1/.grid/jobs grid_job=$1/.grid/jobs/$2
  if ! grid_is_own "$grid_jobs" || [ ! -p "$grid_job.bell" ]; then
    echo over
    return
  fi
  exec 5<>"$grid_job.bell"
  while read -r grid_part grid_bytes; do
    grid_pour_one "$3" || return
    echo "$grid_part"
  done
}

# grid_pour_one WAITING
grid_pour_one() {
  if [ "$grid_bytes" = end ]; then
    grid_name "$grid_job.in.new"
    echo "$grid_part" >"$grid_new" && mv -f "$grid_new" "$grid_job.in.end" || return
    echo >&5
    return
  fi
  grid_name "$grid_job.in.new"
  dd bs="$grid_bytes" count=1 iflag=fullblock >"$grid_new" 2>/dev/null ||
    dd bs=1 count="$grid_bytes" >"$grid_new" 2>/dev/null
  grid_has=$(($(wc -c <"$grid_new")))
  if [ "$grid_has" != "$grid_bytes" ]; then
    rm -f "$grid_new"
    echo "room $grid_has"
    return 1
  fi
  grid_pause=0.02
  while grid_next_is_far "$1"; do
    if [ ! -p "$grid_job.bell" ]; then
      rm -f "$grid_new"
      echo over
      return 1
    fi
    sleep "$grid_pause" 2>/dev/null || sleep 1
    [ "$grid_pause" != 0.02 ] || grid_pause=0.1
  done
  if [ "$grid_part" -gt "$grid_at" ]; then
    mv -f "$grid_new" "$grid_job.in.$grid_part"
  else
    rm -f "$grid_new"
  fi
  echo >&5
}

# grid_next_is_far WAITING: whether so many pieces lie there; sets grid_at.
grid_next_is_far() {
  grid_at=-1
  [ ! -s "$grid_job.in.at" ] || read -r grid_at <"$grid_job.in.at"
  [ "$((grid_part - grid_at))" -gt "$1" ]
}

read -r grid_marker
read -r grid_root
read -r grid_id
read -r grid_waiting
echo "$grid_marker"
grid_pour "$grid_root" "$grid_id" "$grid_waiting"
