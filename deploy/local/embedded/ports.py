"""Finds free ports on the loopback interface; another program may bind them afterwards."""

import random
import socket
from collections.abc import Collection

LOOPBACK = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections.
FREE_RANGE = range(20_000, 32_000)
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Return whether `port` of the loopback interface is unused and can be bound."""
    with socket.socket() as caller:
        caller.settimeout(0.5)
        if caller.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def pick(wanted: int | None, taken: Collection[int] = ()) -> int:
    """Return `wanted` if it is free, else any free port not in `taken`.

    Raises OSError when none was found.
    """
    if wanted and wanted not in taken and is_free(wanted):
        return wanted
    for port in random.sample(FREE_RANGE, ATTEMPTS):
        if port not in taken and is_free(port):
            return port
    raise OSError("no free port on the loopback interface")


def pick_apart(count: int) -> list[int]:
    """Return the requested number of different free ports.

    Raises OSError when one was not found.
    """
    found: list[int] = []
    for _ in range(count):
        found.append(pick(None, found))
    return found
