# ---- In the driver: outcomes as Grid wants them --------------------------------------------------


class Ordered:
    """What the results file says in the order of the tasks, kept while it is little: reading it back takes longer
    than to run small tasks. Where it is not whole, Grid gets the same from the results file."""

    def __init__(self, path: str, total: int) -> None:
        self.path = path + ORDERED
        self.total = total
        # By first index: how many, and their lines.
        self.pieces: dict[int, tuple[int, bytes]] = {}
        self.size = 0
        self.is_written = False
        self.remove()  # that of an earlier driver

    def remove(self) -> None:
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass

    def add(self, index: int, count: int, lines: bytes) -> None:
        self.take_back()
        self.size += len(lines) + PIECE_BYTES
        if self.size <= ORDERED_BYTES:
            self.pieces[index] = (count, lines)
        else:
            self.forget()

    def forget(self) -> None:
        """It is too much for memory."""
        self.take_back()
        self.size = ORDERED_BYTES
        self.pieces.clear()

    def take_back(self) -> None:
        """A task that had failed may have a result after all."""
        if self.is_written:
            self.is_written = False
            self.remove()

    def write(self) -> None:
        """To be called once all tasks have an outcome."""
        pieces, self.pieces = sorted(self.pieces.items()), {}
        firsts = [index for index, _ in pieces] + [self.total]
        ends = [index + count for index, (count, _) in pieces]
        if firsts != [0, *ends]:
            return
        try:
            with open(self.path + ".part", "wb") as file:
                file.writelines(lines for _, (_, lines) in pieces)
            os.rename(self.path + ".part", self.path)
            self.is_written = True
        except OSError:  # no room, and no need
            try:
                os.unlink(self.path + ".part")
            except OSError:
                pass


# Of memory; an own piece costs so much beyond its lines.
ORDERED_BYTES = 16 << 20
PIECE_BYTES = 200


