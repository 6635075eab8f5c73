# shellcheck shell=sh disable=SC2154
# What is in an environment, and whether it is the one that was asked for. Set by the caller: root,
# ray_version and wish.
#
# function: reads -> sets
#   (outside): root -> target
#   versions: ray_version -> -
#   as_asked: target wish -> -

target=$root/grid_env

# Prints what is in an environment, fails where something is missing. The last two words tell environments
# apart: how many packages there are, and a digest of their names and versions. With "look" Ray is not
# started, which takes longer than all else.
versions() { # $1: environment, $2: perhaps "look"
  "$1/bin/python3" - "$ray_version" "${2-}" <<'END'
import hashlib, platform, sys
from importlib import metadata
wanted = sys.argv[1]
version = "-"
if wanted != "-":
    if sys.argv[2] == "look":
        version = metadata.version("ray")
    else:
        import ray
        version = ray.__version__
    if wanted and version != wanted:
        sys.exit(f"it holds Ray {version}, not {wanted}")
packages = sorted({f"{each.metadata['Name']}=={each.version}".lower() for each in metadata.distributions()})
digest = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:12]
print(f"@setup done {platform.python_version()} {version} {len(packages)} {digest}")
END
}

as_asked() { # $1: perhaps "look"
  [ -f "$target/.grid_wish" ] && [ "$(cat "$target/.grid_wish")" = "$wish" ] &&
    versions "$target" "${1-}" 2>/dev/null
}
