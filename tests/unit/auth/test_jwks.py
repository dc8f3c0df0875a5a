"""The issuer's keys change without a restart, its absence costs nothing, and no stranger has it asked all the time."""

import asyncio
import warnings
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from structlog.testing import capture_logs

from shared.auth import jwks
from shared.auth.issuer import Issuer
from shared.auth.jwks import SigningKeys, usable_keys
from shared.runtime.errors import Problem
from tests.support.issuing import AUDIENCE, Issuing
from tests.unit.auth.issuers import Signing


def away() -> httpx.Response:
    raise httpx.ConnectError("refused")


def silent() -> httpx.Response:
    raise httpx.ReadTimeout("no word")


def answer(status: int, **content) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, **content)


BROKEN = {
    "away": away,
    "silent": silent,
    "faulty": answer(500, json=Issuing().published()),
    "elsewhere": answer(302, headers={"location": "https://elsewhere.example/"}),
    "no JSON": answer(200, content=b"<html>"),
    "no object": answer(200, json=[]),
    "no list": answer(200, json={"keys": {}}),
    "no key": answer(200, json={"keys": []}),
    "too long": answer(200, json=Issuing().published() | {"more": "x" * 2**20}),
}


@pytest.fixture
def signing() -> Signing:
    return Signing()


async def counts(signing: Signing, token: str) -> bool:
    with suppress(Problem):
        await signing.tokens.principal(token)
        return True
    return False


async def test_keys_are_asked_for_when_they_are_needed_and_then_known(signing: Signing):
    for _ in range(3):
        assert await counts(signing, signing.token())
    assert signing.answering.asked == [f"{signing.issuing.name}/keys"]


async def test_who_waits_for_a_key_waits_together(signing: Signing):
    tokens = [signing.token(liaison_party=f"L{number}") for number in range(20)]
    assert all(await asyncio.gather(*(counts(signing, token) for token in tokens)))
    assert len(signing.answering.asked) == 1


async def test_a_key_that_nobody_has_is_asked_for_once_in_ten_seconds(signing: Signing):
    strangers = [signing.token(header={"kid": f"made up {number}"}) for number in range(50)]
    assert not any(await asyncio.gather(*(counts(signing, token) for token in strangers)))
    assert len(signing.answering.asked) == 1
    signing.moments.go_on(9.9)
    assert not await counts(signing, strangers[0])
    assert len(signing.answering.asked) == 1
    signing.moments.go_on(0.1)
    assert not await counts(signing, strangers[0])
    assert not await counts(signing, strangers[1])
    assert len(signing.answering.asked) == 2


async def test_keys_are_changed_without_a_restart(signing: Signing):
    before = signing.token()
    assert await counts(signing, before)
    signing.issuing.add("second")
    signing.moments.go_on(10)
    assert await counts(signing, signing.token())
    assert await counts(signing, before), "the old one is still published"
    del signing.issuing.keys["first"]
    signing.issuing.add("third")
    signing.moments.go_on(10)
    assert await counts(signing, signing.token())
    assert not await counts(signing, before), "it was taken back"


async def test_keys_are_asked_for_from_time_to_time(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(jwks, "REFRESH_SECONDS", 0)
    running = asyncio.create_task(signing.tokens.keys.run())
    while len(signing.answering.asked) < 3:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait((running,))


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_is_known_counts_while_the_issuer_is_away(signing: Signing, broken: str):
    known = signing.token()
    assert await counts(signing, known)
    signing.issuing.add("second")
    new = signing.token()
    signing.answering.instead = BROKEN[broken]
    with capture_logs() as told:
        for _ in range(3):
            signing.moments.go_on(10)
            assert not await counts(signing, new)
            assert await counts(signing, known)
        signing.answering.instead = None
        signing.moments.go_on(10)
        assert await counts(signing, new)
    assert set(signing.answering.asked) == {f"{signing.issuing.name}/keys"}, "nobody is followed"
    assert len(signing.answering.asked) == 5
    assert [line["event"] for line in told] == ["issuer.away", "issuer.back", "issuer.keys"]
    assert told[0]["log_level"] == "warning"
    assert told[0]["keys"] == 1


async def test_an_issuer_that_sends_for_ever_is_not_waited_for(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
):
    async def for_ever(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.01)
    issuer = Issuer(signing.issuing.name, AUDIENCE)
    keys = SigningKeys("test", issuer, transport=httpx.MockTransport(for_ever))
    assert await keys.find("first") is None


async def test_the_discovery_document_says_where_the_keys_are(signing: Signing):
    signing.tokens = signing.of(Issuer(signing.issuing.name, AUDIENCE))
    assert await counts(signing, signing.token())
    assert signing.answering.asked == [
        f"{signing.issuing.name}/.well-known/openid-configuration",
        f"{signing.issuing.name}/keys",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://elsewhere.example"},
        {"jwks_uri": "http://issuer.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
async def test_a_discovery_document_that_is_not_to_be_believed(signing: Signing, changes: dict):
    signing.tokens = signing.of(Issuer(signing.issuing.name, AUDIENCE))
    document = signing.issuing.discovery() | changes
    signing.answering.discovery = httpx.Response(200, json=document)
    assert not await counts(signing, signing.token())
    assert len(signing.answering.asked) == 1


def test_keys_that_are_of_no_use_are_passed_over():
    issuing = Issuing()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        issuing.add("short", RSAKey.generate_key(1024))
    issuing.add("edwards", OKPKey.generate_key("Ed25519"))
    good = issuing.jwk("first")
    listed = [
        issuing.jwk("short"),
        issuing.jwk("edwards"),
        {**OctKey.generate_key(256).as_dict(), "kid": "secret"},
        {**good, "kid": "for encryption", "use": "enc"},
        {**good, "kid": "on no curve", "crv": "P-257"},
        {**good, "kid": "off the curve", "y": good["x"]},
        {name: value for name, value in good.items() if name != "kid"},
        {**good, "kid": ["many"]},
        {"kid": "of tomorrow", "kty": "AKP"},
        {"kty": []},
        "text",
        None,
        good,
    ]
    assert usable_keys({"keys": listed}).kids() == {"first", "edwards"}


def test_a_key_that_was_published_whole_is_used_in_part():
    jwk = {**ECKey.generate_key("P-256").as_dict(private=True), "kid": "careless"}
    assert usable_keys({"keys": [jwk]}).kids() == {"careless"}
