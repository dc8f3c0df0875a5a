"""Tokens in the name of who is signed in: short-lived JWTs that the other services verify by the desk's JWKS."""

from collections import OrderedDict
from datetime import datetime
from typing import Final

from joserfc import jwt
from joserfc.jwk import OKPKey

from services.desk.clients.signing import ALGORITHM, SigningKeyFile
from shared.auth.issuer import DESK, DESK_AUDIENCE, PARTY_CLAIM, ROLE_CLAIM
from shared.auth.tokens import Principal
from shared.runtime.clock import Clock
from shared.runtime.ids import new_id

LIFE_SECONDS: Final = 300
RENEW_SECONDS: Final = 60
"""A token that has less than this left is not used again."""
MOST_KEPT: Final = 1_000


class TokenMinter:
    """Signs tokens (RFC 9068) for principals, and uses each for four of its five minutes."""

    def __init__(self, keys: SigningKeyFile, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._kept: OrderedDict[tuple[Principal, str], tuple[int, str]] = OrderedDict()

    def token(self, principal: Principal) -> str:
        """Return a token that speaks for `principal` for at least a minute."""
        key, now = self._keys.current, _seconds(self._clock())
        name = (principal, str(key.kid))
        ends, token = self._kept.get(name, (0, ""))
        if ends - now < RENEW_SECONDS:
            token = _mint(key, principal, now)
            self._kept[name] = (now + LIFE_SECONDS, token)
        self._kept.move_to_end(name)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return token


def _mint(key: OKPKey, principal: Principal, now: int) -> str:
    claims = {
        "iss": DESK,
        "aud": DESK_AUDIENCE,
        "sub": f"{principal.role.value}:{principal.party}",
        "iat": now,
        "exp": now + LIFE_SECONDS,
        "jti": str(new_id()),
        ROLE_CLAIM: principal.role.value,
        PARTY_CLAIM: principal.party,
    }
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
