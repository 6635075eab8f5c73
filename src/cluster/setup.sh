# shellcheck shell=sh disable=SC2088,SC2154
# Behind prelude.sh and setup_versions.sh. Makes the Python environment <root>/grid_env of a node, or leaves
# a good one as it is. Prints lines "@setup <word> <value>"; what pip prints goes to stderr. Set by the
# caller: root, ray_version ("-": no Ray, "": the newest), venv (an environment to link), wheels (a folder to
# install from), requirements (the text of a requirements file), wish (all of these in one word), again (not
# empty: make it anew), check_only (not empty: another node has made it in the folder that both share; see
# whether it runs here), lock_patience (seconds after which a lock that nobody renews is nobody's).
#
# function: reads -> sets
#   (outside): HOME again check_only grid_fault grid_host grid_new lock_patience ray_version requirements root
#       target venv wheels wish -> answer beat beater before candidate environment environments lock made
#       new_enough old python silent uv venv wheels word
#   stage: - -> -
#   put_link: grid_new target -> -
#   release: beater environment grid_host lock -> word
#   install: environment uv -> -

stage() { echo "@setup stage $1"; }

environments=$root/.grid/environments

# Never half: whoever looks finds the one before or this one.
put_link() { # $1: environment
  grid_make_name "$target"
  ln -s "$1" "$grid_new" || return 1
  "$1/bin/python3" -c 'import os, sys; os.replace(*sys.argv[1:])' "$grid_new" "$target" && return 0
  rm -f "$grid_new"
  return 1
}

if [ -n "$check_only" ]; then
  stage shared
  versions "$target" && echo '@setup unchanged yes'
  exit
fi

stage link
if [ -n "$venv" ]; then
  case $venv in "~/"*) venv=$HOME/${venv#"~/"} ;; esac
  [ -x "$venv/bin/python3" ] || { echo "there is no $venv/bin/python3" >&2; exit 1; }
  stage check
  answer=$(versions "$venv") || exit 1
  stage link
  if [ -e "$target" ] && [ ! -L "$target" ]; then
    echo "$target is a folder of yours; move it away first" >&2
    exit 1
  fi
  [ "$(readlink "$target")" != "$venv" ] || echo '@setup unchanged yes'
  put_link "$venv" && echo "$answer"
  exit
fi

if [ -z "$again" ] && as_asked; then
  echo '@setup unchanged yes'
  exit 0
fi

# One at a time in a workspace, which nodes may share. Who holds the lock writes a new word into it every
# few seconds; one whose word stays the same belongs to nobody any more.
stage lock
grid_own "$root/.grid" 755 || { echo "$grid_fault" >&2; exit 1; }
lock=$root/.grid/setup.lock
beat=
silent=0
until mkdir "$lock" 2>/dev/null; do
  [ -d "$lock" ] || { echo "cannot make $lock" >&2; exit 1; }
  word=
  read -r word 2>/dev/null <"$lock/beat"
  if [ "$word" = "$beat" ]; then silent=$((silent + 1)); else silent=0 beat=$word; fi
  if [ "$silent" -ge "$lock_patience" ]; then
    grid_make_name "$lock"
    # Of two who see that, one moves it.
    mv "$lock" "$grid_new" 2>/dev/null && rm -rf "$grid_new"
    silent=0
  fi
  sleep 1
done
environment=
release() {
  kill "$beater" 2>/dev/null
  [ -z "$environment" ] || rm -rf "$environment"
  # Whoever stood still for long has lost it.
  word=
  read -r word 2>/dev/null <"$lock/beat"
  case $word in '' | "$grid_host.$$".*) rm -rf "$lock" ;; esac
}
(
  count=0
  while kill -0 $$ 2>/dev/null; do
    count=$((count + 1))
    echo "$grid_host.$$.$count" >"$lock/beat" || exit
    sleep 5
  done
) >/dev/null 2>&1 </dev/null &
beater=$!
trap release EXIT
trap 'exit 143' TERM INT HUP

# Somebody else may have made it meanwhile.
if [ -z "$again" ] && as_asked; then
  echo '@setup unchanged yes'
  exit 0
fi

stage python
uv=
for candidate in uv "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv" /usr/local/bin/uv; do
  if command -v "$candidate" >/dev/null 2>&1; then uv=$candidate && break; fi
done
new_enough='import sys; sys.exit(sys.version_info < (3, 9) and "Python 3.9 or newer is needed, this is " + sys.version.split()[0])'
python=python3
if ! command -v python3 >/dev/null 2>&1; then
  [ -n "$uv" ] || { echo "there is no python3" >&2; exit 1; }
  # uv finds or fetches one.
  python='>=3.9'
elif ! python3 -c "$new_enough" 2>/dev/null; then
  [ -n "$uv" ] || { python3 -c "$new_enough" || exit 1; }
  python='>=3.9'
fi

stage venv
if [ -e "$target" ] && [ ! -L "$target" ]; then
  echo "$target is a folder of yours; move it away first" >&2
  exit 1
fi
grid_own "$environments" 755 || { echo "$grid_fault" >&2; exit 1; }
# A new folder each time: an environment cannot be moved, and jobs may be using the one before.
grid_make_name "$environments/$(date +%Y%m%d-%H%M%S)"
environment=$grid_new
if [ -n "$uv" ] && "$uv" venv -q --no-config --python "$python" "$environment" >&2; then
  echo '@setup tool uv'
else
  uv=
  rm -rf "$environment"
  python3 -m venv "$environment" >&2 || exit 1
  echo '@setup tool venv'
fi

stage install
set --
[ "$ray_version" = - ] || set -- "ray[default]${ray_version:+==$ray_version}"
if [ -n "$requirements" ]; then
  printf '%s\n' "$requirements" >"$environment/requirements.txt" || exit 1
  set -- "$@" -r "$environment/requirements.txt"
fi
install() {
  if [ -n "$uv" ]; then
    "$uv" pip install -q --no-config --python "$environment/bin/python3" "$@" >&2
  else
    "$environment/bin/python3" -m pip --disable-pip-version-check --no-input install -q "$@" >&2
  fi
}
if [ $# -gt 0 ]; then
  if [ -n "$wheels" ]; then
    case $wheels in "~/"*) wheels=$HOME/${wheels#"~/"} ;; esac
    [ -d "$wheels" ] || { echo "there is no folder $wheels" >&2; exit 1; }
    set -- --no-index --find-links "$wheels" "$@"
  fi
  install "$@" || exit 1
fi
# What a step calls pip shall be this environment's, not the system's.
if [ -n "$uv" ] && [ -z "$wheels" ]; then install pip || exit 1; fi

stage check
answer=$(versions "$environment") || exit 1
printf '%s' "$wish" >"$environment/.grid_wish" || exit 1
stage link
before=$(readlink "$target" 2>/dev/null)
put_link "$environment" || exit 1
made=$environment environment=
# The one before stays for the jobs that still use it.
for old in "$environments"/*; do
  [ "$old" = "$made" ] || [ "$old" = "$before" ] || rm -rf "$old"
done
echo "$answer"
