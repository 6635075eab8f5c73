# ---- In a worker: one batch of tasks -------------------------------------------------------------


class ItemTimeout(BaseException):
    """The item took too long. No `Exception`, so that few handlers of the item's own keep it."""


def run_items(job: Fields, items: Iterable[tuple[int, str]], report: Report, begin: Callable[[int], None]) -> None:
    """Runs tasks one after another: `begin(index)` before, `report(index, ok, json)` after each."""
    run = prepare(job)
    for index, text in items:
        begin(index)
        ok, said = run_item(job, run, index, text)
        go_home(job)
        report(index, ok, said)


def go_home(job: Fields) -> None:
    """An item may have gone elsewhere. By its path the way back would take longer than small items do."""
    folder, home, _ = ready[job["id"]]
    try:
        os.fchdir(home)
    except OSError:  # an item has closed what it did not open
        os.chdir(folder)


def run_item(job: Fields, run: Run, index: int, text: str) -> tuple[bool, str]:
    left = None
    while True:
        try:
            return True, as_json(run(index, text))
        except BaseException as error:  # an item may do anything; the next one still runs
            words = describe(error)
            left = job.get("item_retries", 0) if left is None else left
            if left and not isinstance(error, NotJson) and is_retried(job, error):
                left -= 1
                print("failed, and is tried again: " + words, file=sys.stderr, flush=True)
                go_home(job)
                continue
            return False, json.dumps(words)


def is_retried(job: Fields, error: BaseException) -> bool:
    names = job.get("item_retry_on") or []
    return not names or any(kind.__name__ in names for kind in type(error).__mro__)


def within(seconds: float, call: Callable[[], object]) -> object:
    """The call's value, unless it takes longer: then it is interrupted, and if that is in vain ended."""
    words = "it took longer than item-timeout (%g s)" % seconds

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise ItemTimeout(words)

    before = signal.signal(signal.SIGALRM, interrupt)
    # What holds the interpreter, or swallows the interruption, goes down with its process.
    end = threading.Timer(seconds + HARD_TIMEOUT_SECONDS, lambda: os._exit(TIMEOUT_EXIT))
    end.daemon = True
    end.start()
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        end.cancel()
        signal.signal(signal.SIGALRM, before)


HARD_TIMEOUT_SECONDS = 5
TIMEOUT_EXIT = 124
# Of this process, by job: the folder of the code, by path and open, and what `prepare` has made ready.
ready: dict[str, tuple[str, int, Run]] = {}


def prepare(job: Fields) -> Run:
    """Goes to the folder of the code and returns `run(index, text)`; once per process and job."""
    hear_of_children()
    if job["id"] in ready:
        folder, _, run = ready[job["id"]]
        os.chdir(folder)
        return run
    os.environ.update(job["env"])
    os.environ.setdefault("GRID_NODE", job["node"])
    folder = local_folder(job)
    try:
        os.chdir(folder)
    except OSError as error:
        node = os.environ["GRID_NODE"]
        raise Problem(
            "Cannot enter %s on %s: %s" % (folder, node, error.strerror),
            "Batches run on every node: sync the folder `to: all` before this step",
        )
    for path in [*os.environ.get("PYTHONPATH", "").split(os.pathsep), folder]:
        if path and path not in sys.path:
            sys.path.insert(0, path)
    run = load(job)
    ready[job["id"]] = (folder, os.open(folder, os.O_PATH | os.O_CLOEXEC), run)
    go_home(job)  # from wherever loading has gone
    return run


def load(job: Fields) -> Run:
    seconds = job.get("item_timeout")
    if not seconds:
        return load_target(job)
    run = load_target(job)
    return lambda index, text: within(seconds, lambda: run(index, text))


def load_target(job: Fields) -> Run:
    target: dict[str, str] = job["target"]
    if "command" in target:
        return lambda index, text: run_command(target["command"], index, text)
    function = load_function(target["call"])
    if not job.get("setup"):
        return caller(function)
    try:
        made = load_function(job["setup"])()
    except Problem:
        raise
    except BaseException as error:
        node = os.environ["GRID_NODE"]
        raise Problem("Cannot set up %s on %s: %s" % (job["setup"], node, describe(error)))
    return caller(function, made)


def caller(function: Callable[..., object], *more: object) -> Run:
    """Calls it with the task as Python knows it. What a float of Python cannot hold is an error, or told."""
    # Made once: for small tasks making it takes longer than using it.
    decoder = json.JSONDecoder(parse_float=read_float)
    read = decoder.raw_decode

    def run(_index: int, text: str) -> object:
        # Without a look for blanks around it, which takes longer than to read a small task.
        task, end = read(text)
        return function(task if end == len(text) else decoder.decode(text), *more)

    return run


# Characters; a shorter number is kept unless it is nearly 0.
FLOAT_LENGTH = 15
told: set[str] = set()


def read_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a float of Python cannot hold the number %s" % middle_cut(text, 200))
    if (len(text) > FLOAT_LENGTH or value == 0) and "rounded" not in told and not is_same(text, value):
        told.add("rounded")
        words = "the function gets %r for the number %s of its task" % (value, middle_cut(text, 200))
        print(words + ", and the like for others", file=sys.stderr, flush=True)
    return value


def is_same(text: str, value: float) -> bool:
    import decimal

    try:
        return decimal.Decimal(repr(value)) == decimal.Decimal(text)
    except decimal.InvalidOperation:  # an exponent beyond all measure
        return False


def hear_of_children() -> None:
    """Where SIGCHLD is ignored, the system forgets how a child ended and Python takes that for success.

    Whoever started this process may have left it so, and some switches of Ray do.
    """
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except ValueError:
        raise Problem("Cannot run the batch: Ray runs its tasks beside the main thread")


def local_folder(job: Fields) -> str:
    """The same folder below this node's own workspace, which may lie elsewhere than the head's."""
    if job["cwd"] is None:  # a package that Ray itself has brought here and entered
        return os.getcwd()
    here = os.environ.get("GRID_ROOT")
    folder: str = job["cwd"]
    relative = os.path.relpath(folder, job["root"])
    if here is None or relative.startswith(".."):
        return folder
    return os.path.normpath(os.path.join(here, relative))


def load_function(call: str) -> Callable[..., object]:
    module_name, _, name = call.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
        function: Callable[..., object] = found
        return function
    except BaseException as error:  # importing runs the user's code, which may raise anything
        raise Problem(
            "Cannot load %s on %s: %s" % (call, os.environ["GRID_NODE"], describe(error)),
            "`call` is module:function, found in the step's folder (%s)" % os.getcwd(),
        )


def run_command(command: str, index: int, text: str) -> Printed:
    """What the command prints on stdout, as JSON where it is JSON, else as text."""
    import shutil
    import subprocess

    task = json.loads(text) if text.startswith('"') else text
    # Debian's bash takes itself for a login by ssh, and reads the account's .bashrc, whose words would be a result.
    shell = ["bash", "--norc", "-eo", "pipefail", "-c"] if shutil.which("bash") else ["sh", "-e", "-c"]
    env = dict(os.environ, GRID_TASK=task, GRID_TASK_INDEX=str(index))
    child = subprocess.Popen([*shell, command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    printed = b""
    try:
        for chunk in chunks_until_exit(child):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            printed = (printed + chunk)[: RESULT_BYTES + 1]
        code = child.wait()
    except ItemTimeout:
        for pid in [child.pid, *descendants(child.pid)]:
            send_signal(pid, signal.SIGKILL)
        child.wait()
        raise
    if code != 0:
        raise RuntimeError("the command ended with %s" % describe_exit(code))
    if len(printed) > RESULT_BYTES:
        raise ValueError("the command printed more than %d bytes; write them to a file" % RESULT_BYTES)
    return Printed(printed.decode("utf-8", "replace").strip())


def chunks_until_exit(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What a command prints until it ends; something that it has left running may hold its stdout open."""
    import selectors

    assert child.stdout is not None
    printed = child.stdout.fileno()
    os.set_blocking(printed, False)
    with selectors.DefaultSelector() as selector:
        selector.register(printed, selectors.EVENT_READ)
        while True:
            is_over = child.poll() is not None
            if selector.select(0 if is_over else 0.05):
                chunk = os.read(printed, 1 << 16)
                if not chunk:
                    return
                yield chunk
            elif is_over:
                return


class Printed(str):
    """What a command printed: kept digit for digit where it is JSON."""


