"""Runs a list of tasks in batches: as Ray tasks, or in local processes where there is no Ray.

    python3 batch_driver.py SPEC.json

One file, standard library only (plus `ray` in mode "ray"), Python 3.8 or newer. Every finished item
is one line of the results file, so a run that is repeated goes on where the last one stopped.
What Grid must know is printed as one line of JSON behind a mark of random characters.

Exit codes: 0 every task has an outcome (some may have failed), 3 the batch could not be run and the
printed problem says why, 143 asked to stop by SIGTERM.
"""

import collections
import fcntl
import importlib
import json
import math
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
import traceback

PROGRESS_SECONDS = 0.2
POLL_SECONDS = 0.5
LOCK_SECONDS = 30
STOP_SECONDS = 2
# What one command may print as its result, and how much of an error is kept.
RESULT_BYTES = 1 << 20
ERROR_CHARACTERS = 8000
# A batch of one item is tried again when its node died, which was not the item's doing.
NODE_LOSSES = 3


class Problem(Exception):
    """The batch as a whole cannot be run."""

    def __init__(self, message, hint=None):
        super().__init__(message)
        self.hint = hint


class Stopped(Exception):
    """SIGTERM or SIGINT has arrived."""


# ---- In a worker: one batch of tasks -------------------------------------------------------------


def run_items(job, items, report):
    """Runs tasks one after another; `report(index, outcome)` after each."""
    run = prepare(job)
    for index, task in items:
        try:
            outcome = {"ok": True, "value": as_json(run(index, task))}
        except (Exception, SystemExit) as error:  # an item may do anything; the next one still runs
            outcome = {"ok": False, "error": describe(error)}
        report(index, outcome)


def prepare(job):
    """Goes to the folder of the code and returns `run(index, task)`."""
    hear_of_children()
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
    if "command" in job["target"]:
        return lambda index, task: run_command(job["target"]["command"], index, task)
    function = load_function(job["target"]["call"])
    return lambda index, task: function(task)


def hear_of_children():
    """Where SIGCHLD is ignored, the system forgets how a child ended and Python takes that for success.

    Whoever started this process may have left it so, and some switches of Ray do.
    """
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    except ValueError:
        raise Problem("Cannot run the batch: Ray runs its tasks beside the main thread")


def local_folder(job):
    """The same folder below this node's own workspace, which may lie elsewhere than the head's."""
    if job["cwd"] is None:  # a package that Ray itself has brought here and entered
        return os.getcwd()
    here = os.environ.get("GRID_ROOT")
    relative = os.path.relpath(job["cwd"], job["root"])
    if here is None or relative.startswith(".."):
        return job["cwd"]
    return os.path.normpath(os.path.join(here, relative))


def load_function(call):
    module_name, _, name = call.partition(":")
    try:
        found = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
        return found
    except Exception as error:  # importing runs the user's code, which may raise anything
        raise Problem(
            "Cannot load %s on %s: %s" % (call, os.environ["GRID_NODE"], describe(error)),
            "`call` is module:function, found in the step's folder (%s)" % os.getcwd(),
        )


def run_command(command, index, task):
    """What the command prints on stdout, as JSON where it is JSON, else as text."""
    text = task if isinstance(task, str) else json.dumps(task)
    shell = ["bash", "-eo", "pipefail", "-c"] if shutil.which("bash") else ["sh", "-e", "-c"]
    env = dict(os.environ, GRID_TASK=text, GRID_TASK_INDEX=str(index))
    child = subprocess.Popen([*shell, command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    printed = b""
    for line in child.stdout:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        printed = (printed + line)[: RESULT_BYTES + 1]
    code = child.wait()
    if code != 0:
        raise RuntimeError("the command ended with %s" % describe_exit(code))
    if len(printed) > RESULT_BYTES:
        raise ValueError("the command printed more than %d bytes; write them to a file" % RESULT_BYTES)
    value = printed.decode("utf-8", "replace").strip()
    try:
        return json.loads(value)
    except ValueError:
        return value


def as_json(value):
    """The value as plain JSON; numbers and arrays of numpy and torch become lists and numbers."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=lambda other: other.tolist()))
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        words = "the result is not JSON: %s: %.200r" % (error, value)
    raise ValueError(words)


def describe(error):
    """Class and words first, then where; short enough for a report."""
    head = "%s: %s" % (type(error).__name__, error)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not is_foreign(frame.filename)]
    where = "".join(traceback.format_list(own[-5:])).rstrip()
    return (head + "\n" + where if where else head)[:ERROR_CHARACTERS]


def is_foreign(file):
    """Frames that say nothing about the user's code: this driver and Python's own library."""
    library = os.path.dirname(os.__file__) + os.sep
    packages = os.sep + "site-packages" + os.sep
    in_library = file.startswith((library, "<frozen")) and packages not in file
    return in_library or os.path.basename(file) == "batch_driver.py"


def describe_exit(code):
    if code >= 0:
        return "exit code %d" % code
    try:
        return "signal %s" % signal.Signals(-code).name
    except ValueError:
        return "signal %d" % -code


# ---- In the driver: which tasks are left, and what has come back ---------------------------------


class Results:
    """The results file: what is already there, and one more line for each item that ends."""

    def __init__(self, path, total, mark):
        self.total = total
        self.mark = mark
        self.done = {}
        self.announced_at = 0.0
        path = os.path.expanduser(path)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        self.file = open(path, "a+b")
        self.lock()
        self.file.seek(0)
        content = self.file.read()
        for line in content.splitlines():
            self.read(line)
        if content and not content.endswith(b"\n"):
            self.file.write(b"\n")  # the last writer died in the middle of a line

    def lock(self):
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                return fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Problem(
                        "Cannot run the batch: an earlier driver is still working on it",
                        "See `grid ps`, end it with `grid kill`",
                    )
            check_stop()
            time.sleep(0.1)

    def read(self, line):
        try:
            entry = json.loads(line)
            self.done[entry["index"]] = entry["ok"]
        except (ValueError, KeyError, TypeError):
            pass  # a line cut short; its item runs again

    def missing(self):
        """Indices without success, so that a repeated step tries its failed items again."""
        return [index for index in range(self.total) if not self.done.get(index)]

    def add(self, index, outcome):
        self.file.write(json.dumps(dict(outcome, index=index)).encode() + b"\n")
        self.file.flush()
        self.done[index] = outcome["ok"]
        if not outcome["ok"]:
            print("task %d failed: %s" % (index, outcome["error"]), file=sys.stderr, flush=True)
        if time.monotonic() - self.announced_at > PROGRESS_SECONDS:
            self.announce()

    def say_all(self):
        """For a Grid that cannot read the file: every outcome, later ones last."""
        self.file.seek(0)
        for line in self.file:
            try:
                say(self.mark, {"result": json.loads(line)})
            except ValueError:
                pass  # cut short; its item has a later line

    def announce(self):
        self.announced_at = time.monotonic()
        failed = sum(not ok for ok in self.done.values())
        say(self.mark, {"done": len(self.done), "failed": failed, "total": self.total})


def say(mark, fields):
    """One line for Grid; in one write where it is short, so that nobody's line lands inside."""
    rest = ("%s%s\n" % (mark, json.dumps(fields))).encode()
    while rest:
        rest = rest[os.write(1, rest) :]


stop_asked = False


def ask_stop(_signal, _frame):
    global stop_asked
    stop_asked = True


def check_stop():
    if stop_asked:
        raise Stopped()


def batches_of(tasks, indices, size):
    items = [(index, tasks[index]) for index in indices]
    return collections.deque(items[at : at + size] for at in range(0, len(items), size))


def slots_of(have, need):
    """How many batches fit beside each other into `have` = (cpus, gpus)."""
    fits = [math.floor(h / n + 1e-9) for h, n in zip(have, need) if n > 0]
    return int(min(fits)) if fits else max(1, int(have[0]))


def say_demand(need):
    return "%g CPUs and %g GPUs" % need


# ---- Mode "ray" ----------------------------------------------------------------------------------


def ray_batch(job, items):
    """One Ray task. A problem is returned, so that it does not arrive wrapped in another error."""
    outcomes = []
    try:
        run_items(job, items, lambda index, outcome: outcomes.append((index, outcome)))
    except Problem as problem:
        return {"problem": str(problem), "hint": problem.hint}
    sys.stdout.flush()
    sys.stderr.flush()
    return {"outcomes": outcomes}


def run_on_ray(spec, job, queue, results):
    os.environ.update(RAY_DEDUP_LOGS="0", RAY_COLOR_PREFIX="0")
    try:
        import ray
    except ImportError as error:
        raise Problem("Cannot run the batch: %s" % error, "Install Ray on the nodes: `grid setup`")
    # A job of the cluster's own finds its address in the environment.
    where = {"address": spec.get("address"), "_node_ip_address": spec.get("node_ip")}
    ray.init(
        namespace=spec["namespace"],
        log_to_driver=True,
        logging_level="WARNING",
        **{name: value for name, value in where.items() if value},
    )
    listen_for_stop()  # Ray installs handlers of its own when it connects
    need = (spec["cpus"], spec["gpus"])
    remote = ray.remote(
        num_cpus=need[0],
        num_gpus=need[1],
        max_calls=0,  # the default of 1 with GPUs starts a new process for every batch
        max_retries=0,
        scheduling_strategy="SPREAD",
    )(ray_batch)
    limit = 2 * ray_slots(ray, need)
    shared_job = ray.put(job)
    running, losses = {}, collections.Counter()
    try:
        while queue or running:
            check_stop()
            while queue and len(running) < limit:
                items = queue.popleft()
                running[remote.remote(shared_job, items)] = items
            ready, _ = ray.wait(list(running), num_returns=1, timeout=POLL_SECONDS)
            for reference in ready:
                collect(ray, reference, running.pop(reference), (queue, results, losses))
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
        if running:
            ray.wait(list(running), num_returns=len(running), timeout=STOP_SECONDS)
    time.sleep(POLL_SECONDS)  # what the workers printed last is still on its way


def collect(ray, reference, items, books):
    """Books one finished batch. Items that went down with a worker run again, one by one."""
    queue, results, losses = books
    try:
        answer = ray.get(reference)
    except ray.exceptions.RayError as error:
        first = items[0][0]
        node_lost = "Node" in type(error).__name__ or "Raylet" in type(error).__name__
        losses[first] += node_lost
        if len(items) > 1:
            queue.extendleft([item] for item in reversed(items))
        elif node_lost and losses[first] < NODE_LOSSES:
            queue.appendleft(items)
        else:
            words = "%s: %s" % (type(error).__name__, error)
            results.add(first, {"ok": False, "error": words[:ERROR_CHARACTERS]})
        return
    if "problem" in answer:
        raise Problem(answer["problem"], answer["hint"])
    for index, outcome in answer["outcomes"]:
        results.add(index, outcome)


def ray_slots(ray, need):
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    sizes = [(node.get("CPU", 0), node.get("GPU", 0)) for node in nodes]
    slots = sum(slots_of(size, need) for size in sizes)
    if slots == 0:
        largest = max(sizes, key=lambda size: (size[1], size[0]), default=(0, 0))
        raise Problem(
            "Cannot run the batch: each asks for %s, but no node of the Ray cluster has that much "
            "(the largest has %s)" % (say_demand(need), say_demand(largest)),
            "Lower gpus-per-batch or cpus-per-batch, or see `grid cluster status`",
        )
    return slots


# ---- Mode "embedded": local processes ------------------------------------------------------------


class Worker:
    """A process of its own for one slot; it takes batches until its pipe is closed."""

    def __init__(self, job, gpus):
        inbox, self.outbox = os.pipe()
        self.inbox, outbox = os.pipe()
        env = dict(os.environ)
        if gpus is not None:
            env["CUDA_VISIBLE_DEVICES"] = gpus
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--worker", str(inbox), str(outbox)],
            env=env,
            stdin=subprocess.DEVNULL,
            pass_fds=(inbox, outbox),
            start_new_session=True,
        )
        os.close(inbox)
        os.close(outbox)
        self.items = []
        self.rest = b""
        self.send(job)

    def send(self, message):
        rest = json.dumps(message).encode() + b"\n"
        try:
            while rest:
                rest = rest[os.write(self.outbox, rest) :]
        except BrokenPipeError:
            pass  # it has died; the end of its inbox tells

    def start(self, items):
        self.items = items
        self.send(items)

    def receive(self):
        """Complete messages, or None when the process has ended."""
        chunk = os.read(self.inbox, 1 << 16)
        if not chunk:
            return None
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self):
        os.close(self.outbox)
        os.close(self.inbox)

    def kill(self, signal_number):
        try:
            os.killpg(self.process.pid, signal_number)
        except ProcessLookupError:
            pass


def worker_main(inbox, outbox):
    # Whole lines, so that workers that print at the same time do not cut into each other.
    sys.stdout.reconfigure(line_buffering=True, write_through=False)
    for number in (inbox, outbox):
        os.set_inheritable(number, False)
    with os.fdopen(inbox, "rb") as messages, os.fdopen(outbox, "wb", buffering=0) as answers:

        def answer(message):
            answers.write(json.dumps(message).encode() + b"\n")

        job = json.loads(messages.readline())
        for line in messages:
            try:
                run_items(job, json.loads(line), lambda index, outcome: answer([index, outcome]))
            except Problem as problem:
                answer({"problem": str(problem), "hint": problem.hint})
            answer("end")


class LocalPool:
    def __init__(self, job, queue, results):
        self.job = job
        self.queue = queue
        self.results = results
        self.workers = set()
        self.selector = selectors.DefaultSelector()

    def run(self, devices):
        """`devices` names the GPUs of each slot; one worker per slot."""
        for gpus in devices[: len(self.queue)]:
            self.hire(gpus)
        try:
            while self.workers:
                check_stop()
                for key, _ in self.selector.select(POLL_SECONDS):
                    self.listen(*key.data)
        finally:
            self.dismiss()

    def hire(self, gpus):
        worker = Worker(self.job, gpus)
        self.workers.add(worker)
        self.selector.register(worker.inbox, selectors.EVENT_READ, (worker, gpus))
        worker.start(self.queue.popleft())

    def leave(self, worker):
        self.selector.unregister(worker.inbox)
        self.workers.discard(worker)
        worker.close()
        return worker.process.wait()

    def listen(self, worker, gpus):
        messages = worker.receive()
        if messages is None:
            return self.bury(worker, gpus)
        for message in messages:
            if message == "end":
                self.refill(worker)
            elif isinstance(message, dict):
                raise Problem(message["problem"], message["hint"])
            else:
                index, outcome = message
                worker.items = [item for item in worker.items if item[0] != index]
                self.results.add(index, outcome)

    def refill(self, worker):
        if self.queue:
            worker.start(self.queue.popleft())
        else:
            self.leave(worker)

    def bury(self, worker, gpus):
        """The item it was at is lost; the rest of its batch goes to a new worker."""
        ending = describe_exit(self.leave(worker))
        time.sleep(0.1)  # a signal that ends the whole step reaches workers and driver in any order
        check_stop()
        if worker.items:
            (index, _), *others = worker.items
            self.results.add(index, {"ok": False, "error": "the worker process died: %s" % ending})
            if others:
                self.queue.appendleft(others)
        if self.queue:
            self.hire(gpus)

    def dismiss(self):
        for worker in self.workers:
            worker.kill(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self.workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            worker.kill(signal.SIGKILL)
            worker.process.wait()
            worker.close()
        self.selector.close()


def run_locally(spec, job, queue, results):
    listen_for_stop()
    LocalPool(job, queue, results).run(local_slots((spec["cpus"], spec["gpus"])))


def local_slots(need):
    """One entry per batch that fits beside the others: its CUDA_VISIBLE_DEVICES, or None."""
    gpus = list_gpus() if need[1] > 0 else []
    have = (count_cpus(), len(gpus))
    slots = slots_of(have, need)
    if slots == 0:
        raise Problem(
            "Cannot run the batch: each asks for %s, but this node has %s"
            % (say_demand(need), say_demand(have)),
            "Lower gpus-per-batch or cpus-per-batch, or choose another node",
        )
    if need[1] == 0:
        return [None] * slots
    if need[1] < 1:
        return [gpus[slot % len(gpus)] for slot in range(slots)]
    size = int(need[1])
    return [",".join(gpus[slot * size : (slot + 1) * size]) for slot in range(slots)]


def list_gpus():
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [gpu for gpu in visible.split(",") if gpu not in ("", "-1")]
    if not shutil.which("nvidia-smi"):
        return []
    answer = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, timeout=20)
    lines = answer.stdout.decode("utf-8", "replace").splitlines() if answer.returncode == 0 else []
    return [str(number) for number, _ in enumerate(line for line in lines if line.startswith("GPU "))]


def count_cpus():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# ---- Start ---------------------------------------------------------------------------------------


def listen_for_stop():
    hear_of_children()
    signal.signal(signal.SIGTERM, ask_stop)
    signal.signal(signal.SIGINT, ask_stop)


def drive(spec):
    results = Results(spec["results"], len(spec["tasks"]), spec["mark"])
    results.announce()
    queue = batches_of(spec["tasks"], results.missing(), spec["batch_size"])
    job = {
        "target": spec["target"],
        "cwd": spec["cwd"],
        "root": spec.get("root"),
        "node": spec["node"],
        # Values come from this process's environment, so that secrets are in no file.
        "env": {name: os.environ[name] for name in spec["forward"] if name in os.environ},
    }
    try:
        if queue:
            run = run_on_ray if spec["mode"] == "ray" else run_locally
            run(spec, job, queue, results)
    finally:
        results.announce()
    if spec.get("say_results"):
        results.say_all()


def main(path):
    listen_for_stop()
    with open(path) as file:
        spec = json.load(file)
    try:
        drive(spec)
        code = 0
    except Stopped:
        code = 143
    except Problem as problem:
        say(spec["mark"], {"problem": str(problem), "hint": problem.hint})
        code = 3
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Ray's own shutdown may take seconds; nothing here is left to close


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        worker_main(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(sys.argv[1])
