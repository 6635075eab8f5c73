# ---- Mode "embedded": local processes ------------------------------------------------------------


class Worker:
    """A process of its own for one slot; it takes batches until its pipe is closed."""

    def __init__(self, job, gpus):
        inbox, self.outbox = os.pipe()
        self.inbox, outbox = os.pipe()
        env = dict(os.environ, **{MARK_NAME: job["id"]})
        if gpus is not None:
            # Some tools read one of the two first; a third one would number within them.
            env.update(CUDA_VISIBLE_DEVICES=gpus, HIP_VISIBLE_DEVICES=gpus)
            env.pop("ROCR_VISIBLE_DEVICES", None)
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--worker", str(inbox), str(outbox)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(inbox, outbox),
            start_new_session=True,
        )
        os.close(inbox)
        os.close(outbox)
        widen(self.inbox)
        self.streams = [
            (self.process.stdout, Splitter(job["token"], 1)),
            (self.process.stderr, Splitter(job["token"], 2)),
        ]
        for stream, _ in self.streams:
            os.set_blocking(stream.fileno(), False)
        self.items = collections.deque()
        self.rest = []
        self.size = 0
        self.started_at = 0.0
        self.send(job)

    def send(self, message):
        rest = json.dumps(message).encode() + b"\n"
        try:
            while rest:
                rest = rest[os.write(self.outbox, rest) :]
        except BrokenPipeError:
            pass  # it has died; the end of its inbox tells

    def start(self, items):
        self.items = collections.deque(items)
        self.count = len(items)
        self.size = 0
        self.started_at = time.monotonic()
        self.send(items)

    def receive(self):
        """Complete messages, or None when the process has ended."""
        chunk = os.read(self.inbox, 1 << 18)
        if not chunk:
            return None
        self.size += len(chunk)
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*self.rest, lines[0]])
            self.rest = []
        self.rest.append(rest)
        return lines

    def hear(self, at):
        """Hands on what has been printed. @returns whether there may be more"""
        stream, splitter = self.streams[at]
        try:
            chunk = os.read(stream.fileno(), 1 << 18)
        except BlockingIOError:
            return False
        if chunk:
            splitter.feed(chunk)
        return bool(chunk)

    def close(self):
        os.close(self.outbox)
        os.close(self.inbox)
        for at, (stream, splitter) in enumerate(self.streams):
            while self.hear(at):
                pass
            splitter.close()
            stream.close()

    def kill(self, signal_number):
        try:
            os.killpg(self.process.pid, signal_number)
        except ProcessLookupError:
            pass


def widen(pipe):
    """Results may be large; Linux's number for the size of a pipe has a name from Python 3.10 on."""
    try:
        fcntl.fcntl(pipe, 1031, 1 << 20)
    except OSError:
        pass  # more than this account may have


def worker_main(inbox, outbox):
    # Whole lines, so that workers that print at the same time do not cut into each other.
    sys.stdout.reconfigure(line_buffering=True, write_through=False)
    for number in (inbox, outbox):
        os.set_inheritable(number, False)
    with os.fdopen(inbox, "rb") as messages, os.fdopen(outbox, "wb", buffering=0) as answers:
        job = json.loads(messages.readline())

        def answer(message):
            rest = memoryview(message + b"\n")
            while rest:
                rest = rest[answers.write(rest) :]

        def report(index, ok, text):
            answer((b"=%d " if ok else b"!%d ") % index + text)

        def begin(index):
            mark("item:%d" % index)

        def mark(word):
            sys.stdout.flush()
            sys.stderr.flush()
            text = mark_of(job["token"], word)
            os.write(1, text)
            os.write(2, text)

        for line in messages:
            try:
                run_items(job, json.loads(line), report, begin)
            except Problem as problem:
                answer(b"#" + json.dumps([str(problem), problem.hint]).encode())
            mark("end:0")
            answer(b"end")


class LocalPool:
    def __init__(self, spec, job, queue, results):
        self.job = job
        self.queue = queue
        self.results = results
        self.stops_early = spec.get("on_item_failure") == "stop"
        self.most = spec.get("max_in_flight")
        self.workers = set()
        self.selector = selectors.DefaultSelector()

    def run(self, devices):
        """`devices` names the GPUs of each slot; one worker per slot."""
        devices = devices[: self.most or None]
        self.queue.set_slots(len(devices))
        try:
            for gpus in devices:
                if self.queue:
                    self.hire(gpus)
            while self.workers:
                check_stop()
                for key, _ in self.selector.select(POLL_SECONDS):
                    if key.data[0] in self.workers:
                        self.listen(*key.data)
                self.results.flush()
        finally:
            self.results.flush()
            self.dismiss()
            tell_sweep(self.job["id"], self.job["node"], sweep(self.job["id"], STOP_SECONDS))

    def hire(self, gpus):
        worker = Worker(self.job, gpus)
        self.workers.add(worker)
        self.selector.register(worker.inbox, selectors.EVENT_READ, (worker, gpus, None))
        for at, (stream, _) in enumerate(worker.streams):
            self.selector.register(stream, selectors.EVENT_READ, (worker, gpus, at))
        worker.start(self.queue.take())

    def leave(self, worker):
        self.unwatch(worker)
        self.workers.discard(worker)
        os.close(worker.outbox)
        worker.outbox = os.open(os.devnull, os.O_WRONLY)
        code = worker.process.wait()
        worker.close()
        return code

    def unwatch(self, worker):
        for source in [worker.inbox, *(stream for stream, _ in worker.streams)]:
            try:
                self.selector.unregister(source)
            except KeyError:
                pass  # ended before

    def listen(self, worker, gpus, at):
        if at is not None:
            if not worker.hear(at):
                self.selector.unregister(worker.streams[at][0])
            return
        messages = worker.receive()
        if messages is None:
            return self.bury(worker, gpus)
        for message in messages:
            if message == b"end":
                seconds = time.monotonic() - worker.started_at
                self.queue.measured(worker.count, seconds, worker.size)
                self.results.worked(self.job["node"], gpus, seconds)
                self.refill(worker)
            elif message.startswith(b"#"):
                raise Problem(*json.loads(message[1:]))
            else:
                number, _, text = message.partition(b" ")
                index = int(number[1:])
                if worker.items and worker.items[0][0] == index:
                    worker.items.popleft()
                self.results.add(index, message.startswith(b"="), text)

    def refill(self, worker):
        if self.stops_early and self.results.too_many_failed():
            self.queue.give_up(self.results)
        if self.queue:
            worker.start(self.queue.take())
        else:
            self.leave(worker)

    def bury(self, worker, gpus):
        """The item it was at is lost; the rest of its batch goes to a new worker."""
        code = self.leave(worker)
        ending = describe_exit(code)
        time.sleep(0.1)  # a signal that ends the whole step reaches workers and driver in any order
        check_stop()
        if worker.items:
            (index, _), *others = worker.items
            words = "the worker process died: %s" % ending
            if code == TIMEOUT_EXIT and self.job.get("item_timeout"):
                words = "it took longer than item-timeout (%g s)" % self.job["item_timeout"]
            self.results.fail(index, words)
            if others:
                self.queue.give_back(others)
        if self.queue:
            self.hire(gpus)

    def dismiss(self):
        for worker in self.workers:
            worker.kill(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self.workers:
            try:
                # It may have much to say before it ends, and must not wait for a reader.
                while worker.process.poll() is None and time.monotonic() < deadline:
                    for at in (0, 1):
                        worker.hear(at)
                    time.sleep(0.01)
            finally:
                worker.kill(signal.SIGKILL)
                worker.process.wait()
                self.take_handed_in(worker)
                self.unwatch(worker)
                worker.close()
        self.results.flush()
        self.selector.close()

    def take_handed_in(self, worker):
        """What lies in its pipe has been done; all who could write to that pipe are gone."""
        os.set_blocking(worker.inbox, False)
        try:
            while True:
                messages = worker.receive()
                if messages is None:
                    return
                for message in messages:
                    if message.startswith(b"="):
                        number, _, text = message.partition(b" ")
                        self.results.add(int(number[1:]), True, text)
        except BlockingIOError:
            pass  # a child of the worker holds the pipe


def run_locally(spec, job, queue, results):
    listen_for_stop()
    job["token"] = uuid.uuid4().hex
    LocalPool(spec, job, queue, results).run(local_slots((spec["cpus"], spec["gpus"])))


def local_slots(need):
    """One entry per batch that fits beside the others: the GPUs it sees, or None."""
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
    """Those that the step has claimed, else all that the tools of their makers name."""
    for name in ("HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"):
        visible = os.environ.get(name)
        if visible is not None:
            return [gpu for gpu in visible.split(",") if gpu not in ("", "-1")]
    # With one lost card among good ones the tool names the good ones, and fails.
    for tool, start in ((["nvidia-smi", "-L"], "GPU "), (["amd-smi", "list"], "GPU: ")):
        if shutil.which(tool[0]):
            try:
                answer = subprocess.run(
                    tool, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20
                )
            except subprocess.TimeoutExpired:
                continue
            lines = answer.stdout.decode("utf-8", "replace").splitlines()
            found = [line[len(start) :].split(":")[0].strip() for line in lines if line.startswith(start)]
            if found:
                return [number for number in found if number.isdigit()]
    return []


def count_cpus():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


