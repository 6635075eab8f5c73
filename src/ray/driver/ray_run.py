# ---- In the driver: a batch on Ray ---------------------------------------------------------------

class RayRun:
    def __init__(self, ray: Any, spec: Fields, job: Fields, queue: Queue, results: Results) -> None:
        self.ray = ray
        self.need = (spec["cpus"], spec["gpus"])
        self.job, self.queue, self.results = job, queue, results
        self.stops_early = spec.get("on_item_failure") == "stop"
        self.losses: collections.Counter[int] = collections.Counter()
        self.running: dict[object, tuple[str, Items]] = {}
        self.heard: set[str] = set()
        self.lost: set[str] = set()
        self.serial = 0
        job["token"] = uuid.uuid4().hex
        self.ear = Ear(ray.util.get_node_ip_address(), job["token"])
        self.ear.start()
        job["ear"] = self.ear.address
        self.task = ray.remote(
            num_cpus=self.need[0],
            num_gpus=self.need[1],
            max_calls=0,  # the default of 1 with GPUs starts a new process for every batch
            max_retries=0,
            scheduling_strategy="SPREAD",
        )(ray_batch)
        self.most: int | None = spec.get("max_in_flight")
        # Somebody else's cluster may bring up what is asked for.
        self.may_grow = bool(spec.get("say_results"))
        self.begun_at = self.looked_at = time.monotonic()
        self.set_slots(*ray_slots(ray, self.need))
        self.queue.set_slots(self.slots or 1)

    def set_slots(self, slots: int, largest: Resources) -> None:
        self.slots = slots
        self.limit = min(2 * (slots or 1), self.most or 2 * (slots or 1))
        if slots == 0 and not self.may_grow:
            raise Problem(
                "Cannot run the batch: each asks for %s, but no node of the Ray cluster has that much "
                "(the largest has %s)" % (say_demand(self.need), say_demand(largest)),
                "Lower gpus-per-batch or cpus-per-batch, or see `grid cluster status`",
            )
        if slots == 0 and self.looked_at == self.begun_at:
            write_line(2, "grid: no node of the Ray cluster has %s (the largest has %s); waiting %d minutes for one "
                "that has" % (say_demand(self.need), say_demand(largest), NODE_WAIT_SECONDS // 60))

    def look_at_nodes(self, has_run: bool = False) -> None:
        """The cluster may have grown, for what waits here is a demand that its autoscaler sees.

        @param has_run - a batch has ended, so that there is a node for it: a short one ends before the next look
        """
        is_due = time.monotonic() - self.looked_at >= LOOK_SECONDS
        if not self.may_grow or not (is_due or has_run and self.slots == 0):
            return
        had, self.looked_at = self.slots, time.monotonic()
        slots, largest = ray_slots(self.ray, self.need)
        if slots > had:
            self.queue.slots = slots
            if had == 0:
                write_line(2, "grid: the Ray cluster has a node with %s now" % say_demand(self.need))
            self.set_slots(slots, largest)
        elif slots == had == 0 and self.looked_at - self.begun_at > NODE_WAIT_SECONDS:
            raise Problem(
                "Cannot run the batch: each asks for %s, and for %d minutes no node of the Ray cluster had that "
                "much (the largest has %s)" % (say_demand(self.need), NODE_WAIT_SECONDS // 60, say_demand(largest)),
                "Lower gpus-per-batch or cpus-per-batch, or look at what its autoscaler says: ray status",
            )

    def run(self) -> None:
        shared_job = self.ray.put(self.job)
        try:
            while self.queue or self.running:
                check_stop()
                self.look_at_nodes()
                if self.stops_early and self.results.too_many_failed():
                    self.queue.give_up(self.results)
                while self.queue and len(self.running) < self.limit:
                    items = self.queue.take()
                    self.serial += 1
                    batch = pack(items, self.results.keys.ordinals)
                    reference = self.task.remote(shared_job, str(self.serial), batch)
                    self.running[reference] = (str(self.serial), items)
                if not self.running:
                    break
                ready, _ = self.ray.wait(list(self.running), num_returns=1, timeout=POLL_SECONDS)
                for reference in ready:
                    serial, items = self.running.pop(reference)
                    self.collect(reference, serial, items)
                if ready:
                    self.look_at_nodes(has_run=True)
                if self.take_handed_in() or ready:
                    self.results.flush()
        except Stopped:
            self.cancel()
            raise
        finally:
            self.results.flush()
            self.drain()
            self.take_handed_in()
            self.results.flush()
            self.sweep_all()

    def take_handed_in(self) -> bool:
        """Books results that came ahead of their batches. @returns whether there were any"""
        count = 0
        while self.ear.handed_in:
            index, text = self.ear.handed_in.popleft()
            if not self.results.done.get(index):
                self.results.add(index, True, text)
                count += 1
        return count > 0

    def cancel(self) -> None:
        """Batches that have ended are kept; the others are ended, and lose what they have not handed in."""
        if not self.running:
            return
        for reference in self.ray.wait(list(self.running), num_returns=len(self.running), timeout=0)[0]:
            self.collect(reference, *self.running.pop(reference))
        for reference in self.running:
            self.ray.cancel(reference, force=True)
        if self.running:
            self.ray.wait(list(self.running), num_returns=len(self.running), timeout=STOP_SECONDS)
        self.lost.update(serial for serial, _ in self.running.values())

    def collect(self, reference: object, serial: str, items: Items) -> None:
        """Books one finished batch. Items that went down with a worker run again, one by one."""
        try:
            answer = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            self.lost.add(serial)
            return self.lose(error, items)
        if answer["heard"]:
            self.heard.add(serial)
        if answer["deaf"]:
            write_line(2, "grid: what tasks print on %s is not all shown here: its workers cannot reach the "
                "driver at %s:%d (%s)" % (answer["node"], *self.ear.address, answer["deaf"]))
        if "problem" in answer:
            raise Problem(answer["problem"], answer["hint"])
        outcomes = answer.get("outcomes")
        if outcomes is None:
            self.results.add_lines([index for index, _ in items], answer["lines"], answer["ordered"])
            size = len(answer["ordered"])
        else:
            self.results.add_all(outcomes)
            size = sum(len(text) for _, _, text in outcomes)
        self.queue.measured(len(items), answer["seconds"], size)
        if self.need[1] > 0:
            self.results.worked(answer["node"], answer["gpus"], answer["seconds"])

    def lose(self, error: Exception, items: Items) -> None:
        self.take_handed_in()
        items = [item for item in items if not self.results.done.get(item[0])]
        if not items:
            return
        first = items[0][0]
        kind = type(error).__name__
        node_lost = "Node" in kind or "Raylet" in kind
        self.losses[first] += node_lost
        if len(items) > 1:
            return self.queue.give_back(items, one_by_one=True)
        if node_lost and self.losses[first] < NODE_LOSSES:
            return self.queue.give_back(items)
        words = middle_cut(re.sub(r"\x1b\[[0-9;]*m", "", str(error)), ERROR_CHARACTERS // 2)
        if self.job.get("item_timeout"):
            words += "\nPerhaps it took longer than item-timeout (%g s)" % self.job["item_timeout"]
        self.results.fail(first, "%s: %s" % (kind, words))

    def drain(self) -> None:
        """What the workers printed last is still on its way."""
        begun = {serial for serial in self.lost if self.ear.begun[serial]}
        if self.ear.drain(self.heard, DRAIN_SECONDS) + self.ear.drain(begun, STOP_SECONDS):
            write_line(2, "grid: the last lines of some tasks have not arrived")

    def sweep_all(self) -> None:
        """On every node; a process that a task left there would keep its GPU."""
        if self.serial == 0:
            return
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        task = self.ray.remote(num_cpus=0, max_retries=0)(sweep)
        here = self.ray.get_runtime_context().get_node_id()
        sweeps, own = {}, None
        for node in self.ray.nodes():
            if node["Alive"]:
                name = node.get("Labels", {}).get("grid-host") or node["NodeManagerAddress"]
                if node["NodeID"] == here:
                    own = name
                    continue
                where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                options = task.options(scheduling_strategy=where)
                sweeps[options.remote(self.job["id"], SWEEP_SECONDS)] = name
        if own is not None:
            # Needs no worker, whose start takes long on a busy machine.
            tell_sweep(self.job["id"], own, sweep(self.job["id"], SWEEP_SECONDS))
        if not sweeps:
            return
        ready, late = self.ray.wait(list(sweeps), num_returns=len(sweeps), timeout=SWEEP_WAIT_SECONDS)
        for reference in ready:
            try:
                tell_sweep(self.job["id"], sweeps[reference], self.ray.get(reference))
            except self.ray.exceptions.RayError as error:
                late.append(reference)
        for reference in late:
            write_line(2, "grid: cannot see whether tasks left something running on %s" % sweeps[reference])


# How long processes have to end politely, and how long a node may take to say that it is clean.
SWEEP_SECONDS = 2
SWEEP_WAIT_SECONDS = 15


def run_on_ray(spec: Fields, job: Fields, queue: Queue, results: Results) -> None:
    # What tasks print comes another way; Ray's own words to the driver stay.
    os.environ.update(RAY_DEDUP_LOGS="0", RAY_COLOR_PREFIX="0")
    try:
        import ray
    except ImportError as error:
        raise Problem("Cannot run the batch: %s" % error, "Install Ray on the nodes: `grid setup`")
    # A job of the cluster's own finds its address in the environment.
    where = {"address": spec.get("address"), "_node_ip_address": spec.get("node_ip")}
    if where["address"]:
        reach_head(where["address"])
        HeadWatch(where["address"], spec["mark"]).start()
    ray.init(
        namespace=spec["namespace"],
        log_to_driver=True,
        logging_level="WARNING",
        **{name: value for name, value in where.items() if value},
    )
    listen_for_stop()  # Ray installs handlers of its own when it connects
    job["env"].update(take_secrets(spec.get("sealed")))
    RayRun(ray, spec, job, queue, results).run()


MODES["ray"] = run_on_ray


