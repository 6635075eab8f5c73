from __future__ import annotations

import os
import socket
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Fields = dict[str, Any]

# Ray itself would go on trying for a minute before it says so.
CONNECT_SECONDS = 3
ANSWER_SECONDS = 20


def reach_head(address: str) -> None:
    """Ends the program where nobody listens; asked before Ray is even imported."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        sys.exit("the head does not answer at %s (%s)" % (address, error.strerror or error))


def expect_answer(address: str) -> threading.Timer:
    """Ends the program unless the timer is cancelled: whoever accepts connections may be stopped or stuck."""
    timer = threading.Timer(ANSWER_SECONDS, give_up, [address])
    timer.daemon = True
    timer.start()
    return timer


def give_up(address: str) -> None:
    sys.stderr.write("the head at %s accepts connections, but its GCS gives no answer\n" % address)
    sys.stderr.flush()
    os._exit(1)
