# ---- Before the driver ---------------------------------------------------------------------------
#
#     python3 -c SOURCE [ray [NAME...]] DRIVER SPEC
#
# Starts while the driver and its tasks are still on their way to this node: what takes long to load is
# loaded meanwhile. With `ray` that is Ray, and NAME are the variables for it that the step has set itself.

import os
import sys
import time

# Grid ends this process long before, unless the batch is to go on without it.
MOST_SECONDS = 3600
KEPT = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_USAGE_STATS_ENABLED", "RAY_DEDUP_LOGS", "RAY_COLOR_PREFIX")


def load_ray(own: list[str]) -> None:
    """Somebody's start-up files on this node may hold the token or the hooks of another Ray."""
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        if name not in KEPT and name not in own:
            del os.environ[name]
    try:
        __import__("ray")
    except Exception:
        pass  # the driver tries again, and tells


def load_library() -> None:
    for name in ("collections", "fcntl", "hashlib", "importlib", "json", "re", "selectors", "subprocess", "threading"):
        __import__(name)


def wait_for(path: str) -> None:
    """It comes after all that belongs to it."""
    deadline = time.monotonic() + MOST_SECONDS
    nap = 0.002
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            sys.exit("grid: the tasks of the batch did not arrive at %s" % path)
        time.sleep(nap)
        nap = min(1.2 * nap, 0.05)


def boot(place: list[str], driver: str, spec: str) -> str:
    """@returns the driver's text"""
    if sys.path and sys.path[0] == "":  # the folder of the step's code, whose modules are not the driver's
        sys.path[0] = os.path.dirname(driver)
    if place:
        load_ray(place[1:])
    else:
        load_library()
    wait_for(spec)
    sys.argv = [driver, spec]
    with open(driver, encoding="utf-8") as file:
        return file.read()


__file__ = sys.argv[-2]
exec(compile(boot(sys.argv[1:-2], *sys.argv[-2:]), __file__, "exec", dont_inherit=True))
