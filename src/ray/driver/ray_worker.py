# ---- Mode "ray" ----------------------------------------------------------------------------------

# Of a worker process: its connection to the driver, by token.
taps: dict[str, Tap | None] = {}


# What took longer is worth more than the batch that it is part of, unless it is large.
HAND_IN_SECONDS = 0.2
HAND_IN_BYTES = 1 << 16


def ray_batch(job: Fields, serial: str, items: Items) -> Fields:
    """One Ray task. A problem is returned, so that it does not arrive wrapped in another error."""
    outcomes: list[tuple[int, bool, bytes]] = []
    deaf = None
    if job["id"] not in taps:
        taps[job["id"]] = None
        try:
            taps[job["id"]] = Tap(job["ear"], job["token"])
        except OSError as error:
            deaf = str(error)
        mark_forks(job["id"])
    tap = taps[job["id"]]
    now = time.monotonic
    started = begun_at = now()

    def report(index: int, ok: bool, text: bytes) -> None:
        nonlocal begun_at
        outcomes.append((index, ok, text))
        if tap:
            tap.end()
            ended_at = now()
            if ended_at - begun_at > HAND_IN_SECONDS and ok and len(text) <= HAND_IN_BYTES:
                tap.hand_in(index, text)
            begun_at = ended_at

    if tap:
        tap.open(serial, len(items))
    started = begun_at = now()
    try:
        run_items(job, items, report, tap.begin if tap else ignore)
        # Successes alone are in the order of the items, and travel for half the price.
        is_good = all(ok for _, ok, _ in outcomes)
        answer: Fields = {"values": [text for _, _, text in outcomes]} if is_good else {"outcomes": outcomes}
    except Problem as problem:
        answer = {"problem": str(problem), "hint": problem.hint}
    seconds = now() - started
    if tap:
        tap.close(serial)
    sys.stdout.flush()
    sys.stderr.flush()
    node = os.environ.get("GRID_NODE", "?")
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES") or os.environ.get("HIP_VISIBLE_DEVICES")
    return dict(answer, seconds=seconds, node=node, gpus=gpus, deaf=deaf, heard=tap is not None)


def ignore(_index: int) -> None:
    pass


