"""Facts a node must tell before Ray is started on it, as one line of JSON after `grid:`.

    python3 ray_preflight.py OWN_HOST PEER_HOST

OWN_HOST is how the node is reached from outside, PEER_HOST how its head is; either may be empty.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import socket
import sys


def main(own_host: str, peer_host: str) -> None:
    folders = folders_of("ray")
    if not folders:
        raise ModuleNotFoundError("No module named 'ray'")
    address = own_address(own_host) or route_to(peer_host) or route_to("192.0.2.1")
    facts = {
        "ray": version(),
        "python": platform.python_version(),
        "dashboard": has_dashboard(folders[0]),
        "client": is_there("grpc"),
        "ip": address,
        "ports": free_ports(address, 7),
    }
    print("grid:" + json.dumps(facts))


def version() -> str:
    try:
        return importlib.metadata.version("ray")
    except importlib.metadata.PackageNotFoundError:  # built in its own folder
        import ray

        return str(ray.__version__)


def has_dashboard(folder: str) -> bool:
    """It needs what only `ray[default]` brings. Ray itself imports all of it to find out, which takes seconds."""
    try:
        with open(os.path.join(folder, "dashboard", "optional_deps.py"), encoding="utf-8") as file:
            names = re.findall(r"^(?:import|from) ([\w.]+)", file.read(), re.M)
    except FileNotFoundError:  # of a Ray to come
        names = ["aiohttp_cors"]
    return all(is_there(name) for name in names)


def is_there(module: str) -> bool:
    """Without importing it."""
    top, *rest = module.split(".")
    if not rest:
        return importlib.util.find_spec(top) is not None
    places = [os.path.join(folder, *rest) for folder in folders_of(top)]
    return any(os.path.exists(place) or os.path.exists(place + ".py") for place in places)


def folders_of(package: str) -> list[str]:
    found = importlib.util.find_spec(package)
    return list(found.submodule_search_locations or []) if found else []


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
