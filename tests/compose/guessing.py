"""Guesses at receipts through the gateway: they end for who makes them, whatever name that has, and for nobody else."""

import time
from typing import Final

import httpx

from tests.compose.engine import Failed
from tests.compose.ground import Site

WRONG: Final = "/intake/receipts/AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"
MOST: Final = 2000
FORGIVEN_SECONDS: Final = 70.0
# From a container, which has another address; the gateway is known there by its service's name alone.
ELSEWHERE: Final = f"""
import socket, ssl
trust = ssl._create_unverified_context()
with trust.wrap_socket(socket.create_connection(("gateway", 443), 10), server_hostname="localhost") as gate:
    gate.sendall(b"GET {WRONG} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    print(gate.recv(12).decode().split()[1])
"""


def check(site: Site) -> str:
    """Raises Failed when guesses go on without end, or when one address' guesses keep another out."""
    with httpx.Client(base_url=site.web, verify=site.trust(), timeout=30) as client:
        tried = _guess_until(client, 429, MOST)
        there = site.stack.compose("exec", "-T", "followup", "python", "-c", ELSEWHERE).strip()
        if there != "404":
            raise Failed(f"another address is answered {there} for what this one has done")
        late = time.monotonic() + FORGIVEN_SECONDS
        while _guess(client, 0) != 404:
            if time.monotonic() > late:
                raise Failed(f"refused for more than {FORGIVEN_SECONDS:.0f} s")
            time.sleep(0.5)
    return f"({tried} from one address until it was refused)"


def _guess_until(client: httpx.Client, status: int, most: int) -> int:
    for number in range(1, most + 1):
        found = _guess(client, number)
        if found == status:
            return number
        if found != 404:
            raise Failed(f"a wrong receipt is answered {found}")
    raise Failed(f"{most} wrong receipts, and no end")


def _guess(client: httpx.Client, number: int) -> int:
    said = {"x-forwarded-for": f"192.0.2.{number % 250}"}
    return client.get(WRONG, headers=said).status_code
