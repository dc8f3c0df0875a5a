"""Finds ports on the loopback interface; promises nothing once it has answered."""

import random
import socket
from collections.abc import Collection

LOOPBACK = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections.
FREE_RANGE = range(20_000, 32_000)
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether nothing listens on `port` of the loopback interface and a server could."""
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
    """`wanted` when it is free, else any free port that is not among `taken`.

    Raises OSError when none was found.
    """
    if wanted and wanted not in taken and is_free(wanted):
        return wanted
    for port in random.sample(FREE_RANGE, ATTEMPTS):
        if port not in taken and is_free(port):
            return port
    raise OSError("no free port on the loopback interface")


def pick_apart(count: int) -> list[int]:
    """So many free ports, no two alike: nothing listens yet on those that were picked before.

    Raises OSError when one was not found.
    """
    found: list[int] = []
    for _ in range(count):
        found.append(pick(None, found))
    return found
