"""Facts a node must tell before Ray is started on it, as one line of JSON after `grid:`.

    python3 ray_preflight.py OWN_HOST PEER_HOST

OWN_HOST is how the node is reached from outside, PEER_HOST how its head is; either may be empty.
"""

import json
import platform
import socket
import sys


def main(own_host: str, peer_host: str) -> None:
    import ray

    facts = {
        "ray": ray.__version__,
        "python": platform.python_version(),
        "dashboard": has("get_dashboard_dependency_error"),
        "client": has("get_ray_client_dependency_error"),
        "ip": own_address(own_host) or route_to(peer_host) or route_to("192.0.2.1"),
    }
    facts["ports"] = free_ports(facts["ip"], 7)
    print("grid:" + json.dumps(facts))


def has(check: str) -> bool:
    """The dashboard and Ray Client need what only `ray[default]` brings."""
    from ray._private import utils

    return hasattr(utils, check) and getattr(utils, check)() is None


def own_address(host: str) -> str | None:
    """The host's address where it belongs to this very machine: the one others use, too."""
    try:
        address = socket.gethostbyname(host) if host else None
        if address in (None, "127.0.0.1"):
            return None
        with socket.socket() as probe:
            probe.bind((address, 0))
        return address
    except OSError:
        return None


def route_to(host: str) -> str | None:
    """The address this machine speaks from when it speaks to the host; sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((socket.gethostbyname(host), 9))
            address = probe.getsockname()[0]
        return None if address == "0.0.0.0" else address
    except OSError:
        return None


def free_ports(address: str | None, count: int) -> list[int]:
    """Ports that nobody listens on; several nodes may share one machine."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((address or "127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
