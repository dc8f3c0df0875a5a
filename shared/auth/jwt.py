"""Verifies JWTs (RFC 7519, RFC 9068) of the town's issuer and reads the caller from their claims."""

from typing import Any, Final, Protocol

from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    JoseError,
    UnsupportedAlgorithmError,
)
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry

from shared.auth.issuer import Issuer
from shared.auth.jwks import SigningKeys
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.observability.metrics import SIGNED_TOKENS
from shared.runtime.clock import Clock
from shared.runtime.errors import Problem

MAX_SIGNED_LENGTH: Final = 8 * 1024
MAX_NAME_LENGTH: Final = 255
LEEWAY_SECONDS: Final = 60

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""RFC 9864 calls EdDSA on its usual curve Ed25519; `none` and the HS family, which need no issuer, are not here."""

_KINDS: Final = ("jwt", "at+jwt")


class _Algorithms(JWSRegistry):
    """The accepted algorithms. The base class would log a warning for EdDSA at each token."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


# What a header says beside the usual has to be passed over (RFC 7515, 4).
_REGISTRY: Final = _Algorithms(strict_check_header=False)


class _Refused(Exception):
    """A token is refused; `reason` is one of a closed set, for a metric and for the response."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenVerifier(Protocol):
    """Verifies JWTs."""

    async def principal(self, token: str) -> Principal:
        """Return the caller that the token names. Raises Problem 401 or 403."""


class SignedTokens:
    """Verifies the JWTs of one issuer."""

    def __init__(self, service: str, issuer: Issuer, keys: SigningKeys, clock: Clock) -> None:
        self._service = service
        self._issuer = issuer
        self._clock = clock
        self.keys = keys
        self._rules = jwt.JWTClaimsRegistry(
            self._now,
            LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer.name},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
        )

    async def principal(self, token: str) -> Principal:
        """Return the principal of a token; waits while a new key is fetched.

        Raises Problem 401 for a token that cannot be verified or is not for us, 403 for one that is and names no
        role or party.
        """
        try:
            claims = await self._verified(token)
        except _Refused as refused:
            self._count(refused.reason)
            raise _not_signed_in(refused.reason) from None
        role, party = self._role(claims), _name(claims.get(self._issuer.party_claim))
        sources = self._sources(claims)
        if role is None or party is None or sources is None:
            self._count("no role or party")
            raise self._nobody()
        self._count("accepted")
        return Principal(role, party, sources if role is Role.SYSTEM else ())

    async def _verified(self, token: str) -> dict[str, Any]:
        kid = _kid(token)
        key = await self.keys.find(kid)
        if key is None:
            raise _Refused("unknown key")
        try:
            claims = jwt.decode(token, key, registry=_REGISTRY).claims
            self._rules.validate(claims)
        except ExpiredTokenError:
            raise _Refused("expired") from None
        except ClaimError as fault:
            raise _Refused(f"claim {fault.claim}") from None
        except BadSignatureError:
            raise _Refused("signature") from None
        except (JoseError, ValueError, RecursionError):
            raise _Refused("unreadable") from None
        return claims

    def _role(self, claims: dict[str, Any]) -> Role | None:
        said = claims.get(self._issuer.role_claim)
        # Many an issuer makes a list of whatever it calls roles.
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        return next((role for role in Role if role == said), None)

    def _sources(self, claims: dict[str, Any]) -> tuple[str, ...] | None:
        """Return the sources a system may submit under: empty without the claim, None for an unusable one."""
        if self._issuer.sources_claim not in claims:
            return ()
        said = claims[self._issuer.sources_claim]
        names = [_name(each) for each in (said if isinstance(said, list) else [said])]
        found = tuple(name for name in names if name is not None)
        return found if found and len(found) == len(names) else None

    def _nobody(self) -> Problem:
        names = {
            "role": self._issuer.role_claim,
            "party": self._issuer.party_claim,
            "sources": self._issuer.sources_claim,
        }
        return Problem(
            403, "no_role_or_party", params={**names, "allowed": ", ".join(sorted(Role))}
        )

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _count(self, result: str) -> None:
        SIGNED_TOKENS.labels(self._service, result).inc()


def _kid(token: str) -> str:
    """Return the name of the key that a token is signed with, before it is verified.

    Raises _Refused for what no key could make good, so that nobody is asked for keys in vain.
    """
    try:
        header = jws.extract_compact(token.encode(), registry=_REGISTRY).headers()
        # joserfc lets any JSON that contains `alg` pass, and understands `crit` for extensions such as `b64`.
        if not isinstance(header, dict) or "crit" in header or not _is_access_token(header):
            raise _Refused("unreadable")
        _REGISTRY.get_alg(header["alg"])
    except UnsupportedAlgorithmError:
        raise _Refused("algorithm") from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _Refused("unreadable") from None
    kid = _name(header.get("kid"))
    if kid is None:
        raise _Refused("unknown key")
    return kid


def _is_access_token(header: dict[str, Any]) -> bool:
    """Return whether a token is an access token, and not another kind by the same issuer, such as a logout token."""
    kind = str(header.get("typ", "JWT")).lower()
    return kind.removeprefix("application/") in _KINDS


def _name(value: object) -> str | None:
    """Return a name that can be stored and printed: 1 to 255 printable characters."""
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_NAME_LENGTH:
        return value
    return None


def _not_signed_in(reason: str) -> Problem:
    challenge = f'Bearer error="invalid_token", error_description="{reason}"'
    return Problem(401, "not_signed_in", headers={"www-authenticate": challenge})
