"""The issuers whose JWTs count: the town's, and the desk. The token's `iss` chooses between them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from shared.auth.issuer import Issuer
from shared.auth.jwks import SigningKeys
from shared.auth.jwt import SignedTokens
from shared.auth.tokens import Principal
from shared.runtime.clock import Clock


class TrustedIssuers:
    """Verifies JWTs of one issuer or more."""

    def __init__(self, by_name: Mapping[str, SignedTokens]) -> None:
        """`by_name` has at least one entry; a token of an issuer that is not in it is left to the first to refuse."""
        self._by_name = by_name
        self._first = next(iter(by_name.values()))

    async def principal(self, token: str) -> Principal:
        """Return the caller that the token names; may wait for a key that is new.

        Raises Problem 401 for a token that cannot be verified, 403 for one without a role or party.
        """
        if len(self._by_name) == 1:
            return await self._first.principal(token)
        return await self._by_name.get(_claimed_issuer(token), self._first).principal(token)

    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return the background tasks that keep each issuer's keys fresh, by the task's name."""
        return {f"issuer {name}": signed.keys.run for name, signed in self._by_name.items()}


def _claimed_issuer(token: str) -> str:
    """The `iss` that an unverified token claims; empty where it cannot be read."""
    try:
        claims = orjson.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        return ""
    claimed = claims.get("iss") if isinstance(claims, dict) else None
    return claimed if isinstance(claimed, str) else ""


def trusted_issuers(service: str, issuers: Sequence[Issuer], clock: Clock) -> TrustedIssuers | None:
    """Return the verifier of all `issuers`; None without any."""
    if not issuers:
        return None
    return TrustedIssuers(
        {
            issuer.name: SignedTokens(service, issuer, SigningKeys(service, issuer), clock)
            for issuer in issuers
        }
    )


def issuer_tasks(
    signed: TrustedIssuers | None,
) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return the background tasks that signed tokens need; none without an issuer."""
    return {} if signed is None else signed.tasks()
