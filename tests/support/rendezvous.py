"""What a launcher does, in few lines: the ranks meet at the gang's port and add up rank + 1.

With an argument, rank VICTIM then dies in that way, while the others compute until they are ended.
"""
import os
import signal
import socket
import sys
import time

rank = int(os.environ["GRID_NODE_RANK"])
count = int(os.environ["GRID_NODE_COUNT"])
main = (os.environ["GRID_MAIN_ADDRESS"], int(os.environ["GRID_MAIN_PORT"]))


def meet():
    if rank == 0:
        door = socket.create_server(main)
        guests = [door.accept()[0] for _ in range(count - 1)]
        total = 1 + sum(int(guest.makefile().readline()) for guest in guests)
        for guest in guests:
            guest.sendall(b"%d\n" % total)
        return total
    for _ in range(200):
        try:
            line = socket.create_connection(main, 10)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    line.sendall(b"%d\n" % (rank + 1))
    return int(line.makefile().readline())


print("sum %d of rank %d" % (meet(), rank), flush=True)
if len(sys.argv) > 1:
    way, victim = sys.argv[1], int(os.environ.get("VICTIM", "1"))
    if rank != victim:
        # Children that Grid must find: one that ignores the signal, one in a session of its own.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
        while True:
            time.sleep(0.05)
    time.sleep(0.2)
    print("last words of the victim", file=sys.stderr, flush=True)
    if way == "exit":
        sys.exit(3)
    if way == "exception":
        raise RuntimeError("out of luck")
    if way == "sigkill":
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "sigterm":
        os.kill(os.getpid(), signal.SIGTERM)
    if way == "lingers":
        open(os.environ["GRID_FAIL"], "w").write("loss is NaN\n")
        time.sleep(1000)
