# ---- Before the driver ---------------------------------------------------------------------------
#
#     python3 -c SOURCE [ray [NAME...]] DRIVER SPEC
#
# Starts while the driver and its tasks are still on their way to this node: what takes long to load is
# loaded meanwhile. With `ray` that is Ray, and NAME are the variables for it that the step has set itself.
# Without, local workers are forked as soon as their part of the driver is there.

import marshal
import os
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

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
    for name in ("collections", "enum", "fcntl", "hashlib", "importlib", "json", "math", "re", "selectors", "threading"):
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


def compiled(text: str, driver: str) -> CodeType:
    """Compiling takes longer than all else that is left: what this Python has made of the text is kept, by its digest."""
    import hashlib

    # Beside the folders of all steps, whose drivers are alike.
    folder = os.path.join(os.path.dirname(os.path.dirname(driver)), "compiled")
    made_by = "%s-%x-%d" % (sys.implementation.cache_tag, sys.hexversion, sys.flags.optimize)
    path = os.path.join(folder, "%s-%s" % (made_by, hashlib.sha256(text.encode()).hexdigest()[:32]))
    try:
        with open(path, "rb") as file:
            facts = [os.lstat(folder), os.fstat(file.fileno())]
            kept = file.read()
        # Nothing is loaded that anybody else could have written, and nothing that is cut short.
        is_own = all(fact.st_uid == os.geteuid() and not fact.st_mode & 0o022 for fact in facts)
        if is_own and stat.S_ISDIR(facts[0].st_mode) and hashlib.sha256(kept[32:]).digest() == kept[:32]:
            code: CodeType = marshal.loads(kept[32:])
            return code
    except OSError:
        pass  # it is the first time
    code = compile(text, os.path.basename(driver), "exec", dont_inherit=True)
    content = marshal.dumps(code)
    part = "%s.%d" % (path, os.getpid())
    try:
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.rename(part, path)
    except OSError:
        pass  # no room, and no need
    return code


def boot(place: list[str], driver: str, spec: str) -> list[str]:
    """@returns the driver's text: what workers need, and the rest"""
    if sys.path and sys.path[0] == "":  # the folder of the step's code, whose modules are not the driver's
        sys.path[0] = os.path.dirname(driver)
    if place:
        load_ray(place[1:])
    else:
        load_library()
    wait_for(spec)
    sys.argv = [driver, spec]
    with open(driver, encoding="utf-8") as file:
        worker, line, rest = file.read().partition("REST_OF_DRIVER = True\n")
    # Of the same file, in the same lines.
    return [worker, "\n" * worker.count("\n") + "from __future__ import annotations\n" + rest]


__file__ = sys.argv[-2]
is_local = len(sys.argv) == 3
texts = boot(sys.argv[1:-2], *sys.argv[-2:])
exec(compiled(texts[0], __file__))
if is_local:
    globals()["prefork"](*sys.argv)
exec(compiled(texts[1], __file__))
