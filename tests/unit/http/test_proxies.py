"""The caller's address: what a trusted proxy states counts, and nothing that a caller states of itself."""

from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from services.desk.handlers.sign_in import Opened
from shared.auth.rate_limiter import RateLimiter
from shared.http.middleware.proxies import (
    ForwardedMiddleware,
    TrustedProxies,
    parse_address,
    parse_network,
    replaced_claims,
)
from tests.unit.http.serving import built, written_tokens

pytestmark = pytest.mark.thorough
"""Connections in real time."""

NEAR = "10.1.0.7"
STRANGER = "198.51.100.9"
TRUSTED = TrustedProxies(map(parse_network, ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"]))


def seen(fors: str, protos: str = "", peer: str = NEAR, trusted: TrustedProxies = TRUSTED):
    found = trusted.origin(peer, "http", fors, protos)
    return found.host, found.scheme


@pytest.mark.parametrize(
    ("fors", "host"),
    [
        (STRANGER, STRANGER),
        (f"203.0.113.5, {STRANGER}", STRANGER),
        (f"203.0.113.5,{STRANGER},10.2.3.4,192.0.2.1", STRANGER),
        (f"127.0.0.1,, ,{STRANGER} ,", STRANGER),
        (f"{STRANGER}:51234", STRANGER),
        (f'"{STRANGER}:51234"', STRANGER),
        ("[2001:db8::9]:443", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("2001:DB8:0:0::9", "2001:db8::9"),
        ("[fe80::9%eth0]:1", "fe80::9"),
        ("fe80::9%eth0", "fe80::9"),
        (f"::ffff:{STRANGER}", STRANGER),
        (f"{STRANGER}, 2001:db8:1::5", STRANGER),
        (f"{STRANGER}, ::ffff:10.9.9.9", STRANGER),
        ("10.2.2.2, 10.3.3.3", "10.2.2.2"),
        ("", NEAR),
        ("unknown", NEAR),
        ("198.51.100.9, unknown", NEAR),
        ("198.51.100.9, _hidden, 10.5.5.5", "10.5.5.5"),
        ("198.51.100.9, 1.2.3, 10.5.5.5", "10.5.5.5"),
        ("198.51.100.9, [2001:db8::9", NEAR),
        ("198.51.100.9, 10.5.5.5:no", NEAR),
        ("198.51.100.9, 010.5.5.5", NEAR),
        ("198.51.100.9, localhost", NEAR),
    ],
)
def test_case_93_the_rightmost_address_that_is_no_proxys_counts(fors: str, host: str) -> None:
    assert seen(fors)[0] == host


@pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1", "::1", "11.0.0.1", "", "a socket"])
def test_case_93_nobody_is_believed_unless_named(peer: str) -> None:
    assert seen("203.0.113.5", "https", peer) == (peer, "http")
    assert seen("203.0.113.5", "https", peer, TrustedProxies()) == (peer, "http")


@pytest.mark.parametrize("peer", [NEAR, f"::ffff:{NEAR}", "2001:db8:1::1%eth0", "192.0.2.1"])
def test_case_93_a_named_proxy_is_believed_however_its_address_is_written(peer: str) -> None:
    assert seen(STRANGER, "https", peer) == (STRANGER, "https")


@pytest.mark.parametrize(
    ("fors", "protos", "scheme"),
    [
        (STRANGER, "https", "https"),
        (STRANGER, "HTTPS", "https"),
        (STRANGER, "https, http", "http"),
        (f"{STRANGER}, 10.4.4.4", "https, http", "https"),
        (f"{STRANGER}, 10.4.4.4", "http, https, http", "https"),
        (f"{STRANGER}, 10.4.4.4", "https", "https"),
        ("", "https", "https"),
        (STRANGER, "wss", "http"),
        (STRANGER, "javascript", "http"),
        (STRANGER, ",", "http"),
        (STRANGER, "", "http"),
    ],
)
def test_case_26_the_scheme_is_of_the_callers_own_hop(fors: str, protos: str, scheme: str) -> None:
    assert seen(fors, protos) == (seen(fors)[0], scheme)


def test_networks_are_checked() -> None:
    assert parse_network(" ::ffff:10.0.0.0/104 ") == parse_network("10.0.0.0/8")
    for wrong in ("10.0.0.1/8", "gateway", "*", "10.0.0.0/33"):
        with pytest.raises(ValueError, match=r"IPv4 or IPv6|host bits"):
            parse_network(wrong)


addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 2**128 - 1).map(IPv6Address)
)
strangers = addresses.map(str).filter(lambda text: not TRUSTED.contains(parse_address(text)))
proxies = st.one_of(
    st.integers(0, 2**24 - 1).map(lambda low: str(IPv4Address((10 << 24) + low))),
    st.integers(0, 2**80 - 1).map(lambda low: str(IPv6Address((0x20010DB80001 << 80) + low))),
)
claims = st.lists(
    st.one_of(st.text('0123456789abcdef:.,[]% \t"unk_', max_size=40), strangers, proxies)
)


def written(address: str, form: int) -> str:
    """One address as different proxies write it."""
    if ":" in address:
        return (address, f"[{address}]", f"[{address}]:8443", f" {address.upper()} ")[form]
    return (address, f"{address}:8443", f"::ffff:{address}", f"\t{address}")[form]


@given(claims, strangers, st.lists(proxies, max_size=4), st.integers(0, 3), proxies)
def test_case_93_no_part_that_a_caller_forged_counts(
    forged: list[str], caller: str, chain: list[str], form: int, peer: str
) -> None:
    honest = [written(hop, form) for hop in (caller, *chain)]
    host, _ = seen(",".join([*forged, *honest]), peer=peer)
    assert host == str(parse_address(caller))


@given(claims, strangers)
def test_case_93_what_a_stranger_claims_changes_nothing(forged: list[str], caller: str) -> None:
    assert seen(",".join(forged), "https", caller) == (caller, "http")


@given(claims, st.lists(proxies, min_size=1, max_size=4))
def test_a_caller_is_always_an_address(forged: list[str], chain: list[str]) -> None:
    host, _ = seen(",".join([*forged, *chain]))
    assert str(ip_address(host)) == host


class Told:
    """An app that remembers the scope that it is called with."""

    scope: Scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def called(app: ASGIApp, headers: list[tuple[str, str]], peer: str = "127.0.0.1") -> None:
    transport = httpx.ASGITransport(app, client=(peer, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.get("/", headers=headers)


async def test_case_93_several_header_lines_are_one_list() -> None:
    told = Told()
    lines = [("x-forwarded-for", "203.0.113.5"), ("x-forwarded-for", STRANGER)]
    await called(ForwardedMiddleware(told, TRUSTED), lines, NEAR)
    assert told.scope["client"] == (STRANGER, 0)
    await called(ForwardedMiddleware(told, TRUSTED), [], NEAR)
    assert told.scope["client"] == (NEAR, 5000)


@pytest.mark.parametrize("given_keys", [[], [""], ["wrong"], ["key", "key"], ["key, key"]])
async def test_case_93_on_the_loopback_interface_the_key_tells_the_gateway_from_others(
    given_keys: list[str],
) -> None:
    told = Told()
    app = ForwardedMiddleware(told, TrustedProxies([parse_network("127.0.0.1")], "key"))
    claim = [("x-forwarded-for", STRANGER), ("x-forwarded-proto", "https")]
    await called(app, [*claim, *(("x-liaison-gateway-key", key) for key in given_keys)])
    assert (told.scope["client"][0], told.scope["scheme"]) == ("127.0.0.1", "http")
    await called(app, [*claim, ("x-liaison-gateway-key", "key")])
    assert (told.scope["client"][0], told.scope["scheme"]) == (STRANGER, "https")


async def test_case_93_a_gateway_replaces_what_a_caller_claims() -> None:
    told = Told()
    names = ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "X-Forwarded-Host"]
    forged = [(name, "203.0.113.5") for name in [*names, "X-Liaison-Gateway-Key"]]
    await called(told, [*forged, ("x-other", "1")])
    headers = replaced_claims(told.scope, "key")
    assert b"203.0.113.5" not in {value for _, value in headers}
    assert (b"x-other", b"1") in headers
    assert headers[-3:] == [
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"x-forwarded-proto", b"http"),
        (b"x-liaison-gateway-key", b"key"),
    ]


@pytest.mark.parametrize(("peer", "is_secure"), [(NEAR, True), (STRANGER, False)])
async def test_case_26_the_session_cookie_is_secure_where_the_outside_is_https(
    tmp_path: Path, peer: str, is_secure: bool
) -> None:
    desk = built(written_tokens(tmp_path))["desk"]
    desk.state.sessions, desk.state.sign_in = OneSession(), OneSignIn()
    app = ForwardedMiddleware(desk, TRUSTED)
    transport = httpx.ASGITransport(app, client=(peer, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post(
            "/sign-in/token?lang=en",
            data={"token": "operator"},
            headers={"x-forwarded-for": STRANGER, "x-forwarded-proto": "https"},
        )
    cookies = answer.headers.get_list("set-cookie")
    name = "__Host-liaison_session=" if is_secure else "liaison_session="
    assert any(cookie.startswith(name) for cookie in cookies)
    assert [("; secure" in cookie.lower()) for cookie in cookies] == [is_secure] * len(cookies)


class OneSession:
    """Sessions without a database."""

    life = timedelta(hours=1)


class OneSignIn:
    """Opens sessions without a database."""

    async def by_token(self, token: str, origin: object) -> Opened:
        return Opened("cookie")


@pytest.mark.parametrize(("peer", "last"), [(STRANGER, 429), (NEAR, 200)])
async def test_case_93_limits_by_address_count_the_real_one(peer: str, last: int) -> None:
    """`/openapi.json` needs no token; 6 a minute are one at once for each address."""
    app = built()["desk"]
    app.state.rate_limiter = RateLimiter(6)
    transport = httpx.ASGITransport(ForwardedMiddleware(app, TRUSTED), client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [
            (await client.get("/openapi.json", headers={"x-forwarded-for": f"203.0.113.{number}"}))
            for number in range(3)
        ]
    assert [answer.status_code for answer in answers] == [200, last, last]
