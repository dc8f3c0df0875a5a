"""Issuer of JWTs by the settings: URL, audience, claims; and which URLs are accepted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

ROLE_CLAIM: Final = "liaison_role"
PARTY_CLAIM: Final = "liaison_party"
SOURCES_CLAIM: Final = "liaison_sources"

DESK: Final = "urn:liaison:desk"
"""`iss` of the tokens that the desk signs for whoever is signed in there."""
DESK_AUDIENCE: Final = "urn:liaison"
"""`aud` of the same tokens: every service of this stack."""

_THIS_MACHINE: Final = frozenset(("127.0.0.1", "::1", "localhost"))


@dataclass(frozen=True, slots=True)
class Issuer:
    """Issuer of the tokens of people and systems (OpenID Connect or OAuth 2)."""

    name: str
    """What its tokens say in `iss`, to the letter."""
    audience: str
    """What their `aud` must name: this town's Liaison."""
    role_claim: str = ROLE_CLAIM
    party_claim: str = PARTY_CLAIM
    sources_claim: str = SOURCES_CLAIM
    jwks_url: str | None = None
    """Where its keys are; without one its discovery document says it."""
    ca_file: Path | None = None
    """Whom to believe that it is the issuer, certificates in PEM; without one, those that everybody believes."""
    starts_with_us: bool = False
    """Whether it is a part of this stack, which may take a few seconds longer to start than its neighbours."""


def desk_issuer(jwks_url: str) -> Issuer:
    """The desk as an issuer whose key set is at `jwks_url`."""
    return Issuer(DESK, DESK_AUDIENCE, jwks_url=jwks_url, starts_with_us=True)


def safe_url(url: str) -> str:
    """Return `url`. Raises ValueError for one over which an attacker could replace the keys (plain HTTP)."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" and parts.hostname
    if not is_safe and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        raise ValueError("must begin with https://; http:// is for an issuer on this machine")
    return url
