# shellcheck shell=sh disable=SC2154
# Makes sure that the workspace exists, is one to trust and can be written to. Read after the prelude.
# Set by the caller: root, as configured, and is_project where it is a folder of the runner's machine. Prints "@home PATH" and "@root PATH". Else it exits with 11
# where it cannot be made, 12 not written to, 13 there is no room; and with 14 and a sentence on stderr
# where others can replace what lies in it.
#
# function: reads -> sets
#   (outside): HOME PWD grid_called grid_fault grid_new grid_random is_project root -> LC_ALL grid_called
#       grid_fresh grid_is_open grid_links grid_mode grid_rest grid_start_word grid_token grid_uid mine root
#   grid_refuse_root: - -> -

LC_ALL=C
export LC_ALL
umask 022

grid_refuse_root() {
  printf '%s\n' "$1" >&2
  exit 14
}

# shellcheck disable=SC2088
case $root in "~") root=$HOME ;; "~/"*) root=$HOME/${root#"~/"} ;; esac
[ -d "$root" ] || mkdir -p -- "$root" || exit 11
cd -- "$root" || exit 11
root=$PWD
# shellcheck disable=SC2012,SC2034
read -r grid_mode grid_links grid_uid grid_rest <<END
$(ls -ldn .)
END
# Everybody may write here, and so rename what is another's.
grid_is_open=
case $grid_mode in ????????w[!tT]*) grid_is_open=1 ;; esac

if [ -n "$is_project" ]; then
  # Chosen by who is at the keyboard here, whoever may own it.
  :
elif [ ! -O . ]; then
  # Somebody else looks after it, and can replace all in it: that must be root. The account gets a folder
  # of its own below.
  mine=grid-$(id -un 2>/dev/null || id -u)
  case $mine in *[!A-Za-z0-9._-]*) mine=grid-$(id -u) ;; esac
  if [ "$grid_uid" != 0 ]; then
    grid_refuse_root "it belongs to $(grid_owner .), who can replace what lies in it; use a folder of your own, or one that root owns, which any number of accounts can share"
  fi
  [ -z "$grid_is_open" ] ||
    grid_refuse_root "everybody can replace what lies in it; have root chmod +t it, or use a folder of your own"
  [ -w . ] || [ -d "$mine" ] || { echo "root owns it" >&2; exit 12; }
  grid_own "$root/$mine" 755 || grid_refuse_root "$grid_fault"
  root=$root/$mine
  cd -- "$root" || exit 11
elif [ -n "$grid_is_open" ]; then
  grid_refuse_root "everybody can replace what lies in it; chmod o-w it, or chmod +t where others use it too"
fi

grid_make_name .grid-write-test
# Exclusively: nothing is written through what somebody else has put there.
set -C
if ! (printf x >"$grid_new"); then
  [ -e "$grid_new" ] || exit 12
  rm -f "$grid_new"
  exit 13
fi
rm -f "$grid_new"
# Whoever has something to put there makes it.
if [ -e .grid ] || [ -L .grid ]; then
  grid_own "$root/.grid" 755 || grid_refuse_root "$grid_fault"
fi
# Nodes that read the same word here have one folder; see shared_home.ts. Never the runner's own project.
if [ -z "$is_project" ]; then
  if [ ! -s .grid/token ]; then
    grid_own "$root/.grid" 755 || grid_refuse_root "$grid_fault"
    # Whoever comes at the same moment reads the whole word of the first, or its own becomes the first.
    grid_fresh=.grid/.token.$grid_random
    (umask 022 && printf '%s\n' "$grid_random" >"$grid_fresh") 2>/dev/null
    ln "$grid_fresh" .grid/token 2>/dev/null || [ -s .grid/token ] || mv -f "$grid_fresh" .grid/token 2>/dev/null
    rm -f "$grid_fresh"
  fi
  if read -r grid_token 2>/dev/null <.grid/token; then printf '@token %s\n' "$grid_token"; fi
fi
if { read -r grid_start_word </proc/sys/kernel/random/boot_id && read -r grid_called </proc/sys/kernel/hostname; } 2>/dev/null; then
  printf '@machine %s %s\n' "$grid_start_word" "$grid_called"
fi
printf '@home %s\n@root %s\n' "$HOME" "$root"
