"""A port that swallows connections: its full backlog drops every further packet that asks for one."""
import pathlib
import signal
import socket
import sys

place = (sys.argv[1], int(sys.argv[2]))
listener = socket.socket()
listener.bind(place)
listener.listen(0)
held = []
for _ in range(4):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(place)
    held.append(client)
pathlib.Path("hole.ready").touch()
signal.pause()
