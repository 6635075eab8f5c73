# shellcheck shell=sh disable=SC2088,SC2154
# Makes the Python environment <root>/grid_env of a node, or leaves a good one as it is. Prints lines
# "@setup <word> <value>"; what pip prints goes to stderr. Set by the caller: root, ray_version ("-": no
# Ray, "": the newest), venv (an environment to link), wheels (a folder to install from),
# requirements (the text of a requirements file), again (not empty: make it anew).

stage() { echo "@setup stage $1"; }
versions() { # $1: environment; prints what is in it, fails where something is missing
  "$1/bin/python3" - "$ray_version" <<'END'
import platform, sys
wanted = sys.argv[1]
version = "-"
if wanted != "-":
    import ray
    version = ray.__version__
    if wanted and version != wanted:
        sys.exit(f"it holds Ray {version}, not {wanted}")
print(f"@setup done {platform.python_version()} {version}")
END
}

environments=$root/.grid/environments
target=$root/grid_env
# Names what was asked for, so that a second setup finds the same and does nothing.
# Through printf as through cat below, so that both lose their last newlines.
wish=$(printf '%s' "$ray_version|$venv|$wheels|$requirements")

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
  ln -sfn "$venv" "$target" && echo "$answer"
  exit
fi

if [ -z "$again" ] && [ -f "$target/.grid_wish" ] && [ "$(cat "$target/.grid_wish")" = "$wish" ] &&
  versions "$target" 2>/dev/null; then
  echo '@setup unchanged yes'
  exit 0
fi

stage python
command -v python3 >/dev/null 2>&1 || { echo "there is no python3" >&2; exit 1; }
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9) and "Python 3.9 or newer is needed, this is " + sys.version.split()[0])' || exit 1

stage venv
if [ -e "$target" ] && [ ! -L "$target" ]; then
  echo "$target is a folder of yours; move it away first" >&2
  exit 1
fi
grid_own "$environments" 755 || { echo "$grid_fault" >&2; exit 1; }
# A new folder each time: an environment cannot be moved, and jobs may be using the one before.
grid_name "$environments/$(date +%Y%m%d-%H%M%S)"
environment=$grid_new
trap 'rm -rf "$environment"' EXIT
trap 'exit 143' TERM INT HUP
python3 -m venv "$environment" >&2 || exit 1

stage install
set --
[ "$ray_version" = - ] || set -- "ray[default]${ray_version:+==$ray_version}"
if [ -n "$requirements" ]; then
  printf '%s\n' "$requirements" >"$environment/requirements.txt" || exit 1
  set -- "$@" -r "$environment/requirements.txt"
fi
if [ $# -gt 0 ]; then
  if [ -n "$wheels" ]; then
    case $wheels in "~/"*) wheels=$HOME/${wheels#"~/"} ;; esac
    [ -d "$wheels" ] || { echo "there is no folder $wheels" >&2; exit 1; }
    set -- --no-index --find-links "$wheels" "$@"
  fi
  "$environment/bin/python3" -m pip --disable-pip-version-check --no-input install -q "$@" >&2 ||
    exit 1
fi

stage check
answer=$(versions "$environment") || exit 1
printf '%s' "$wish" >"$environment/.grid_wish" || exit 1
stage link
before=$(readlink "$target" 2>/dev/null)
ln -sfn "$environment" "$target" || exit 1
trap - EXIT
# The one before stays for the jobs that still use it.
for old in "$environments"/*; do
  [ "$old" = "$environment" ] || [ "$old" = "$before" ] || rm -rf "$old"
done
echo "$answer"
