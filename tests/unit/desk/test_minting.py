"""The desk's keys and tokens: who they speak for, for how long, and how a key is changed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey, OKPKey

from services.desk.clients.minting import LIFE_SECONDS, RENEW_SECONDS, TokenMinter
from services.desk.clients.signing import SigningKeyFile, UnusableKeys
from shared.auth.issuer import Issuer, desk_issuer
from shared.auth.issuers import TrustedIssuers, trusted_issuers
from shared.auth.jwks import SigningKeys
from shared.auth.jwt import SignedTokens
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem

LIAISON = Principal(Role.LIAISON, "L001")


def pem() -> str:
    return OKPKey.generate_key("Ed25519").as_pem(private=True).decode()


def prepend(file: Path, key: str) -> None:
    file.write_text(key + file.read_text())


class Moments:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 30, tzinfo=UTC)

    def clock(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "desk-key.pem"
    found.write_text(pem())
    return found


@pytest.fixture
def moments() -> Moments:
    return Moments()


def verifier(keys: SigningKeyFile, moments: Moments) -> SignedTokens:
    """A service's own verification, which asks the desk for its keys."""
    issuer = desk_issuer("http://desk:8000/desk/jwks.json")
    answering = httpx.MockTransport(lambda request: httpx.Response(200, json=keys.published()))
    return SignedTokens(
        "test", issuer, SigningKeys("test", issuer, moments.seconds, answering), moments.clock
    )


async def test_a_token_speaks_for_whom_it_was_minted(file: Path, moments: Moments):
    keys = SigningKeyFile(file)
    minter, verify = TokenMinter(keys, moments.clock), verifier(keys, moments)
    assert await verify.principal(minter.token(LIAISON)) == LIAISON
    other = Principal(Role.COORDINATOR, "C001")
    assert await verify.principal(minter.token(other)) == other


async def test_a_token_is_used_for_four_minutes_and_counts_for_five(file: Path, moments: Moments):
    keys = SigningKeyFile(file)
    minter, verify = TokenMinter(keys, moments.clock), verifier(keys, moments)
    first = minter.token(LIAISON)
    moments.on(LIFE_SECONDS - RENEW_SECONDS)
    assert minter.token(LIAISON) == first
    moments.on(1)
    assert minter.token(LIAISON) != first
    moments.on(LIFE_SECONDS)
    with pytest.raises(Problem) as refused:
        await verify.principal(first)
    assert refused.value.status == 401


async def test_a_new_key_signs_at_once_and_the_old_one_counts_while_it_is_in_the_file(
    file: Path, moments: Moments
):
    keys = SigningKeyFile(file)
    minter, verify = TokenMinter(keys, moments.clock), verifier(keys, moments)
    old = minter.token(LIAISON)
    assert await verify.principal(old) == LIAISON
    moments.on(20)
    prepend(file, pem())
    fresh = minter.token(LIAISON)
    assert fresh != old
    assert await verify.principal(fresh) == LIAISON
    assert await verify.principal(old) == LIAISON


def test_a_file_that_is_half_written_changes_nothing(file: Path):
    keys = SigningKeyFile(file)
    before = keys.published()
    file.write_text(pem()[:40])
    assert keys.published() == before
    file.unlink()
    assert keys.published() == before


def test_only_the_public_half_is_published(file: Path):
    (published,) = SigningKeyFile(file).published()["keys"]
    assert set(published) == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize(
    "written",
    [
        "",
        "no key",
        ECKey.generate_key("P-256").as_pem(private=True).decode(),
        OKPKey.generate_key("X25519").as_pem(private=True).decode(),
        OKPKey.generate_key("Ed25519").as_pem(private=False).decode(),
    ],
    ids=["empty", "words", "another type", "another curve", "a public key"],
)
def test_a_file_without_a_signing_key_is_refused(tmp_path: Path, written: str):
    file = tmp_path / "key.pem"
    file.write_text(written)
    with pytest.raises(UnusableKeys):
        SigningKeyFile(file)


async def test_the_issuer_that_a_token_names_is_the_one_that_verifies_it(
    file: Path, moments: Moments
):
    keys = SigningKeyFile(file)
    town = Issuer("https://sso.example", "liaison", jwks_url="https://sso.example/keys")
    nobody = httpx.MockTransport(lambda request: httpx.Response(503))
    both = TrustedIssuers(
        {
            town.name: SignedTokens(
                "test", town, SigningKeys("test", town, moments.seconds, nobody), moments.clock
            ),
            "urn:liaison:desk": verifier(keys, moments),
        }
    )
    token = TokenMinter(keys, moments.clock).token(LIAISON)
    assert await both.principal(token) == LIAISON
    for broken in (token[:-4], "a.b.c", "..", "e30.W10.x"):
        with pytest.raises(Problem):
            await both.principal(broken)


def test_without_issuers_no_token_is_verified():
    assert trusted_issuers("test", (), Moments().clock) is None
