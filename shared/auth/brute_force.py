"""Brute-force guard: after too many wrong secrets from one address, all its attempts get 429 for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from fastapi import Request

from shared.auth.rate_limiter import RateLimiter
from shared.runtime.errors import Problem

NETWORK_BITS = 64
"""Of an IPv6 address: what lies below is one subscriber's to choose."""


def place_of(request: Request) -> str:
    """Return the client's address as the gateway states it, of IPv6 its network; empty when unknown."""
    return "" if request.client is None else network_of(request.client.host)


def network_of(host: str) -> str:
    """Return an address as limits count it: of IPv6 the network, anything else unchanged."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> NETWORK_BITS << NETWORK_BITS))
    return str(address)


class BruteForceGuard:
    """Brute-force guard: counts unknown secrets (Problem 404) per address.

    Known secrets are not counted. Above the limit an address's known secrets are refused too; otherwise the refusal
    would reveal them.
    """

    def __init__(self, wrong_per_minute: int) -> None:
        """`wrong_per_minute` is 1 or more, for each place."""
        self._wrong = RateLimiter(wrong_per_minute)

    @contextmanager
    def watch(self, place: str) -> Iterator[None]:
        """Guard one look-up during the block. Raises Problem 429 when the address was wrong too often."""
        self._wrong.require(place)
        try:
            yield
        except Problem as problem:
            if problem.status == 404:
                # Those that were under way together are all counted, however many.
                self._wrong.charge(place)
            raise
