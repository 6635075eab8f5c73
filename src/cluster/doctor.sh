# shellcheck shell=sh disable=SC2088,SC2154
# Tells what a node has and lacks for Grid, as lines "@doctor <key> <value>"; doctor_findings.ts judges.
# Read behind the prelude and claims.sh and claims_fit.sh. Set by the caller: root, absolute; given, shell text that
# sets what the cluster config gives the node's steps. Changes nothing.
#
# function: reads -> sets
#   (outside): HOME SHELL given grid_claims_base root -> LC_ALL alone file limited line over python tool
#   tell: - -> key

LC_ALL=C
export LC_ALL
tell() {
  key=$1
  shift
  printf '@doctor %s %s\n' "$key" "$*"
}
limited=
if command -v timeout >/dev/null 2>&1; then limited="timeout 5"; fi

echo '@doctor begin 1'
tell now "$(date +%s)"
tell account "$(id -un 2>/dev/null || id -u)"
tell home "$HOME"
tell shell "${SHELL:-unknown}"

# Lines that replace or end the shell of every command.
for file in .bashrc .bash_profile .profile .zshenv .zshrc .cshrc .tcshrc .login .config/fish/config.fish; do
  [ -r "$HOME/$file" ] || continue
  line=$(grep -nE '^[[:space:]]*(exec|exit|logout)([[:space:]]|$)' "$HOME/$file" 2>/dev/null | head -n 1)
  [ -z "$line" ] || tell startup-exec "~/$file line $line"
done

for tool in tar env head tail stat awk sed grep find xargs mkfifo setsid sha256sum ps timeout; do
  command -v "$tool" >/dev/null 2>&1 || tell missing "$tool"
done

python=$(command -v python3)
if [ -n "$python" ]; then
  tell python "$python $("$python" -c 'import platform; print(platform.python_version())' 2>&1 | tail -n 1)"
  "$python" -c 'import ensurepip, venv' 2>/dev/null || tell no-venv yes
fi
for file in uv "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv"; do
  if command -v "$file" >/dev/null 2>&1; then tell uv "$(command -v "$file")" && break; fi
done
for file in conda mamba "$HOME/miniconda3/bin/conda" "$HOME/miniforge3/bin/conda" \
  "$HOME/mambaforge/bin/conda" "$HOME/anaconda3/bin/conda" /opt/conda/bin/conda /opt/miniconda3/bin/conda; do
  if command -v "$file" >/dev/null 2>&1; then tell conda "$(command -v "$file")" && break; fi
done
for file in /etc/profile.d/lmod.sh /etc/profile.d/modules.sh /usr/share/lmod/lmod/init/sh /usr/share/modules/init/sh; do
  if [ -r "$file" ]; then tell modules "$file" && break; fi
done

for tool in micromamba pixi poetry mise direnv spack; do
  for file in "$tool" "$HOME/.local/bin/$tool" "$HOME/.$tool/bin/$tool" "$HOME/bin/$tool"; do
    if command -v "$file" >/dev/null 2>&1; then tell tool "$tool $(command -v "$file")" && break; fi
  done
done

# Engines of containers, by what the node gives its steps: "<name> ok <version>", or why this account cannot use
# it. No look takes long or starts anything; the client of docker waits for its daemon.
(
eval "$given" >/dev/null 2>&1 </dev/null
LC_ALL=C
for engine in docker podman nerdctl apptainer singularity; do
  command -v "$engine" >/dev/null 2>&1 || continue
  case $engine in
    docker | nerdctl) set -- version --format '{{.Server.Version}}' ;;
    podman) set -- info --format '{{.Version.Version}}' ;;
    *) set -- --version ;;
  esac
  # shellcheck disable=SC2086
  if said=$($limited "$engine" "$@" 2>&1 </dev/null); then
    tell engine "$engine ok $(printf '%s\n' "$said" | tail -n 1)"
  elif [ $? -eq 124 ]; then
    tell engine "$engine no it does not answer within 5 s"
  else
    tell engine "$engine no $(printf '%s\n' "$said" | grep -v '^[[:space:]]*$' | tail -n 1)"
  fi
done
)

# shellcheck disable=SC2012
tell workspace "$(ls -ld "$root" 2>/dev/null | { read -r mode _ owner group _ && echo "$mode $owner $group"; })"
# shellcheck disable=SC2086
tell disk "$($limited df -P -k "$root" 2>/dev/null </dev/null | tail -n 1)"
# shellcheck disable=SC2086
tell inodes "$($limited df -P -i "$root" 2>/dev/null </dev/null | tail -n 1)"
if command -v quota >/dev/null 2>&1; then
  # Prints only what is over its limit.
  # shellcheck disable=SC2086
  over=$($limited quota -q 2>/dev/null </dev/null | tr '\n' ' ')
  [ -z "$over" ] || tell quota "$over"
fi

grid_claims_unfit '@doctor claims-bad'
# A folder that each account has for itself, as pam_namespace and systemd make them, shows nobody else's claims.
if [ -r /proc/self/mountinfo ]; then
  alone=$(awk -v base="$grid_claims_base" -v me="$(id -un 2>/dev/null)" '
    $5 == base { part = $4; sub(/.*\//, "", part); found = me != "" && index(part, me) || $4 ~ /systemd-private-/ ? $4 : "" }
    END { print found }' /proc/self/mountinfo)
  [ -z "$alone" ] || tell claims-private "$grid_claims_base $alone"
fi
# Others' processes must be seen to know whose claims live.
[ -r /proc/1/stat ] || tell hidden-processes yes

if [ -x "$root/grid_env/bin/python3" ]; then
  tell environment "$("$root/grid_env/bin/python3" - 2>&1 <<'END' | tail -n 1
import platform
from importlib import metadata
try:
    ray = metadata.version("ray")
except metadata.PackageNotFoundError:
    ray = "-"
print(platform.python_version(), ray)
END
  )"
elif [ -L "$root/grid_env" ]; then
  tell environment broken
fi

# systemd ends what an account left behind when its last login ends, where it is told to.
for file in /etc/systemd/logind.conf /etc/systemd/logind.conf.d/*.conf; do
  if grep -qsE '^[[:space:]]*KillUserProcesses[[:space:]]*=[[:space:]]*(yes|true|1|on)' "$file"; then
    # shellcheck disable=SC2086
    tell kills-left "$($limited loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null || echo unknown)"
    break
  fi
done
echo '@doctor end'
