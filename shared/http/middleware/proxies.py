"""Trusted proxies: whose X-Forwarded-For and X-Forwarded-Proto are believed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDED_FOR: Final = b"x-forwarded-for"
FORWARDED_PROTO: Final = b"x-forwarded-proto"
GATEWAY_KEY: Final = b"x-liaison-gateway-key"
CLAIMS: Final = frozenset(
    (
        FORWARDED_FOR,
        FORWARDED_PROTO,
        GATEWAY_KEY,
        b"forwarded",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-real-ip",
    )
)
"""Headers that state where a request comes from. A gateway replaces them."""

SCHEMES: Final = frozenset(("http", "https"))
MAPPED: Final = IPv6Network("::ffff:0:0/96")


def parse_address(text: str) -> Address | None:
    """Return an IP address; None for anything else. Zones are dropped, IPv4-mapped IPv6 becomes IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address


def parse_hop(text: str) -> Address | None:
    """One element of X-Forwarded-For, with or without a port: `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1`."""
    text = text.strip(" \t")
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        return parse_address(host) if closed and _is_port(port) else None
    host, colon, port = text.partition(":")
    if colon and ":" not in port:
        return parse_address(host) if _is_port(colon + port) else None
    return parse_address(text)


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit())


def parse_network(text: str) -> Network:
    """An address or a CIDR network. Raises ValueError for anything else, host bits included."""
    network = ip_network(text.strip())
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
        mapped = IPv4Address(int(network.network_address) & 0xFFFFFFFF)
        return IPv4Network((mapped, network.prefixlen - MAPPED.prefixlen))
    return network


@dataclass(frozen=True, slots=True)
class ClientOrigin:
    """Origin of a request: `host` is the caller's address, `scheme` the outermost one."""

    host: str
    scheme: str


class TrustedProxies:
    """The proxies whose headers are believed. Without networks there are none.

    With a `key` a statement counts only beside `X-Liaison-Gateway-Key`: on the loopback interface an address alone
    does not tell the gateway from any other process of the machine.
    """

    def __init__(self, networks: Iterable[Network] = (), key: str = "") -> None:
        self._networks = tuple(networks)
        self._key = key.encode()

    def __bool__(self) -> bool:
        return bool(self._networks)

    def contains(self, address: Address | None) -> bool:
        """Whether `address` is a trusted proxy's."""
        return address is not None and any(address in network for network in self._networks)

    def has_key(self, given: Sequence[bytes]) -> bool:
        """Whether the key is among the values of `X-Liaison-Gateway-Key`, where there is one."""
        return not self._key or (len(given) == 1 and compare_digest(given[0], self._key))

    def origin(self, peer: str, scheme: str, fors: str, protos: str) -> ClientOrigin:
        """Return the rightmost address of `fors` that is not a trusted proxy, and its scheme.

        `fors` and `protos` are the values of X-Forwarded-For and -Proto, several lines joined by commas. An element
        that is no address ends the search: the caller is then the proxy that wrote it. If all are trusted, the
        leftmost counts.
        """
        address = parse_address(peer)
        if not self.contains(address):
            return ClientOrigin(peer, scheme)
        hops = 0
        for element in reversed(_elements(fors)):
            hop = parse_hop(element)
            if hop is None:
                break
            address, hops = hop, hops + 1
            if not self.contains(hop):
                break
        return ClientOrigin(str(address), _scheme(_elements(protos), hops) or scheme)


def _elements(header: str) -> list[str]:
    return [element for part in header.split(",") if (element := part.strip(" \t"))]


def _scheme(protos: Sequence[str], hops: int) -> str | None:
    """Return the scheme that the proxy nearest to the caller stated, else the leftmost one."""
    if not protos:
        return None
    found = protos[-min(max(hops, 1), len(protos))].lower()
    return found if found in SCHEMES else None


class ForwardedMiddleware:
    """Middleware that sets the scope's client address and scheme from a trusted proxy's headers."""

    def __init__(self, app: ASGIApp, trusted: TrustedProxies) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._trusted and scope.get("client"):
            scope = self._resolved(scope)
        await self._app(scope, receive, send)

    def _resolved(self, scope: Scope) -> Scope:
        claims: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            if name in CLAIMS:
                claims.setdefault(name, []).append(value)
        if not claims or not self._trusted.has_key(claims.get(GATEWAY_KEY, [])):
            return scope
        found = self._trusted.origin(
            scope["client"][0],
            scope["scheme"],
            b",".join(claims.get(FORWARDED_FOR, [])).decode("latin-1"),
            b",".join(claims.get(FORWARDED_PROTO, [])).decode("latin-1"),
        )
        client = scope["client"] if found.host == scope["client"][0] else (found.host, 0)
        return {**scope, "client": client, "scheme": found.scheme}


def replaced_claims(scope: Scope, key: str = "") -> list[tuple[bytes, bytes]]:
    """Return a request's headers, with the caller's own claims replaced by the scope's values."""
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in CLAIMS]
    if client := scope.get("client"):
        headers.append((FORWARDED_FOR, client[0].encode()))
    headers.append((FORWARDED_PROTO, scope["scheme"].encode()))
    if key:
        headers.append((GATEWAY_KEY, key.encode()))
    return headers
