# ---- In the driver: local processes --------------------------------------------------------------

# Workers that are in the middle of their batches wait for nobody: what comes meanwhile is taken at once.
GATHER_SECONDS = 0.004


class LocalPool:
    def __init__(self, spec: Fields, job: Fields, queue: Queue, results: Results) -> None:
        self.job = job
        self.queue = queue
        self.results = results
        self.stops_early = spec.get("on_item_failure") == "stop"
        self.most: int | None = spec.get("max_in_flight")
        self.workers: set[Worker] = set()
        self.selector = selectors.DefaultSelector()

    def run(self, devices: list[str | None]) -> None:
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
                if all(len(worker.items) > 1 for worker in self.workers):
                    time.sleep(GATHER_SECONDS)
        finally:
            self.results.flush()
            self.dismiss()
            end_unused()
            tell_sweep(self.job["id"], self.job["node"], sweep(self.job["id"], STOP_SECONDS))

    def hire(self, gpus: str | None) -> None:
        worker = Worker(self.job, gpus)
        self.workers.add(worker)
        self.selector.register(worker.inbox, selectors.EVENT_READ, (worker, gpus, None))
        for at, (stream, _) in enumerate(worker.streams):
            self.selector.register(stream, selectors.EVENT_READ, (worker, gpus, at))
        worker.start(self.queue.take())

    def leave(self, worker: Worker) -> int:
        self.unwatch(worker)
        self.workers.discard(worker)
        os.close(worker.outbox)
        worker.outbox = os.open(os.devnull, os.O_WRONLY)
        code = worker.process.wait()
        worker.close()
        return code

    def unwatch(self, worker: Worker) -> None:
        sources: list[Any] = [worker.inbox, *(stream for stream, _ in worker.streams)]
        for source in sources:
            try:
                self.selector.unregister(source)
            except KeyError:
                pass  # ended before

    def listen(self, worker: Worker, gpus: str | None, at: int | None) -> None:
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

    def refill(self, worker: Worker) -> None:
        if self.stops_early and self.results.too_many_failed():
            self.queue.give_up(self.results)
        if self.queue:
            worker.start(self.queue.take())
        else:
            self.leave(worker)

    def bury(self, worker: Worker, gpus: str | None) -> None:
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

    def dismiss(self) -> None:
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

    def take_handed_in(self, worker: Worker) -> None:
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


def run_locally(spec: Fields, job: Fields, queue: Queue, results: Results) -> None:
    listen_for_stop()
    job["token"] = os.urandom(16).hex()
    LocalPool(spec, job, queue, results).run(local_slots((spec["cpus"], spec["gpus"])))


MODES["embedded"] = run_locally


