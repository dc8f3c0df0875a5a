"""Issuer of JWTs by the settings: URL, audience, claims; and which URLs are accepted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

ROLE_CLAIM: Final = "liaison_role"
PARTY_CLAIM: Final = "liaison_party"
SOURCES_CLAIM: Final = "liaison_sources"

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


def safe_url(url: str) -> str:
    """Return `url`. Raises ValueError for one over which an attacker could replace the keys (plain HTTP)."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" and parts.hostname
    if not is_safe and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        raise ValueError("must begin with https://; http:// is for an issuer on this machine")
    return url
