"""Which ports the processes of a Ray listen on, and whom they answer: one JSON list.

    ray_ports.py TOKEN PID... (with a Python that has grpc)
"""

import concurrent.futures
import json
import os
import re
import socket
import sys
import urllib.error
import urllib.request

import grpc

# A node and an object that are not there: 28 bytes each.
NOBODY = b"\n\x1c" + b"\x01" * 28 + b"\x12\x1c" + b"\x01" * 28

# What listens, by its command, which some set themselves; what to ask it that changes nothing.
AGENT = r"dashboard/agent\.py|^ray::DashboardAgent"
PARTS = [
    ("GCS", "gcs_server", "grpc", "NodeInfoGcsService/GetAllNodeInfo"),
    ("raylet", "raylet/raylet", "grpc", "NodeManagerService/GetSystemConfig"),
    ("object manager", "raylet/raylet", "grpc", "ObjectManagerService/Pull"),
    ("Ray Client", r"client\.server", "grpc", "RayletDriver/ClusterInfo"),
    ("dashboard agent, gRPC", AGENT, "grpc", "ReporterService/HealthCheck"),
    ("runtime environments", r"runtime_env/agent/main\.py|^ray::RuntimeEnvAgent", "http", "/get_runtime_envs_info"),
    ("dashboard", r"dashboard/dashboard\.py", "http", "/api/version"),
    ("dashboard agent, health", AGENT, "http", "/api/local_raylet_healthz"),
    ("workers", r"^ray::(?!\w*Agent)", "grpc", "CoreWorkerService/GetCoreWorkerStats"),
    ("metrics", "", "http", "/metrics"),
]


def listeners(pids):
    """(pid, host, port) of every TCP socket that one of them listens on."""
    inodes = {}
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in open(name).read().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                host, port = fields[1].split(":")
                inodes[fields[9]] = (address(host), int(port, 16))
    for pid in pids:
        try:
            names = os.listdir("/proc/%s/fd" % pid)
        except OSError:
            continue
        for name in names:
            try:
                target = os.readlink("/proc/%s/fd/%s" % (pid, name))
            except OSError:
                continue
            found = re.match(r"socket:\[(\d+)\]", target)
            if found and found.group(1) in inodes:
                yield (pid,) + inodes.pop(found.group(1))


def address(hexadecimal):
    """IPv4 as it is, or inside of IPv6; anything else is all interfaces or this machine."""
    if len(hexadecimal) == 32:
        if hexadecimal.strip("0") == "":
            return "0.0.0.0"
        if hexadecimal == "00000000000000000000000001000000":
            return "127.0.0.1"
        hexadecimal = hexadecimal[24:]
    return ".".join(str(int(hexadecimal[at : at + 2], 16)) for at in (6, 4, 2, 0))


def speaks_http(host, port):
    """Whether it answers in HTTP/1; gRPC answers in frames, or not at all."""
    with socket.create_connection((host, port), 20) as link:
        link.settimeout(20)
        link.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return link.recv(5) == b"HTTP/"


def ask_http(host, port, path, token):
    headers = {"Authorization": "Bearer " + token} if token else {}
    request = urllib.request.Request("http://%s:%d%s" % (host, port, path), headers=headers)
    try:
        code = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).status
    except urllib.error.HTTPError as error:
        code = error.code
    except OSError:
        return None
    except Exception:  # another protocol
        return None
    return {401: "refused", 403: "refused", 404: None}.get(code, "answers")


def ask_grpc(host, port, method, token):
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel("%s:%d" % (host, port), options) as channel:
        call = channel.unary_unary("/ray.rpc." + method, lambda text: text, lambda text: text)
        try:
            call(NOBODY if method.endswith("/Pull") else b"", timeout=20, metadata=[("authorization", "Bearer " + token)] if token else [])
            return "answers"
        except grpc.RpcError as error:
            name = error.code().name
            if name in ("UNIMPLEMENTED", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
                return None
            return "refused" if name == "UNAUTHENTICATED" else "answers"


def row_of(token, pid, host, port):
    with open("/proc/%s/cmdline" % pid) as file:
        command = file.read().replace("\0", " ")
    target = "127.0.0.1" if host == "0.0.0.0" else host
    where = {"0.0.0.0": "all", "127.0.0.1": "loopback"}.get(host, "the node's own")
    protocol = "http" if speaks_http(target, port) else "grpc"
    ask = ask_http if protocol == "http" else ask_grpc
    for part, says, its, what in PARTS:
        if its != protocol or not re.search(says, command):
            continue
        # Metrics alone are pages on all interfaces, and answer at every path.
        if protocol == "http" and (part == "metrics") != (where == "all"):
            continue
        right = ask(target, port, what, token)
        if right is not None:
            return [part, where, *(ask(target, port, what, other) for other in (None, "0" * 64)), right]
    return [command[:100], where, None, None, None]


def row_or_nothing(token, listener):
    try:
        return row_of(token, *listener)
    except OSError:
        return None  # gone meanwhile


def main(token, pids):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        rows = pool.map(lambda listener: row_or_nothing(token, listener), listeners(pids))
    print(json.dumps([row for row in rows if row]))


main(sys.argv[1], sys.argv[2:])
