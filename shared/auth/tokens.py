"""Bearer tokens: role and party by SHA-256, from a file that is read again when it changes.

Signed tokens, which may have to wait for a key, come from auth.jwt by way of the request's scope.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from shared.auth.rate_limiter import RateLimiter
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem

log = structlog.get_logger()

MAX_TOKEN_LENGTH = 512

PRINCIPAL = "liaison.principal"
"""Where a request carries who makes it, once that is known; nothing from outside gets into a scope."""
SIGNED = "liaison.signed"
"""Where a request carries what its signed token came to: a Principal, or the Problem why it does not count."""
SETTLED_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller: role, and id of the liaison, department, coordinator, operator, system or requester.

    `sources` are those that a system may submit under; if none is named, under any.
    """

    role: Role
    party: str
    sources: tuple[str, ...] = field(default=(), compare=False)


class TokenEntry(BaseModel):
    """A line of the tokens file: the token's SHA-256 in hexadecimal, never the token.

    `sources` are the systems (by their CloudEvents `source`) that may speak for the party on `liaison.commands`; of a
    system those that it may submit under, any if none is named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")]
    role: Role
    party: str
    sources: tuple[str, ...] = ()


_ENTRIES = TypeAdapter(list[TokenEntry])


class Tokens:
    """Tokens of a file; changes of the file take effect at the next call, without a restart."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._stamp: tuple[int, int, int] | None = None
        self._principals: Mapping[str, Principal] = {}
        self._speakers: Mapping[str, Sequence[Principal]] = {}

    def speaker(self, source: str, party: str | None) -> Principal | None:
        """Return whom a system speaks for on Kafka: the party that it names, or its only one."""
        self._refresh()
        may = self._speakers.get(source, ())
        if party is None:
            return may[0] if len(may) == 1 else None
        return next((principal for principal in may if principal.party == party), None)

    def spoken_for(self, source: str) -> tuple[str, ...]:
        """Return the parties that a system may speak for, liaisons and departments."""
        self._refresh()
        return tuple(principal.party for principal in self._speakers.get(source, ()))

    def principal(self, token: str) -> Principal | None:
        """Return the principal of a token; None for an unknown one."""
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        self._refresh()
        digest = hashlib.sha256(token.encode()).hexdigest()
        # Looking a digest up tells nothing of the token by its timing.
        return self._principals.get(digest)

    def principal_of_hash(self, sha256: str) -> Principal | None:
        """Whose token has this SHA-256 (hexadecimal); None once the file has it no more."""
        self._refresh()
        return self._principals.get(sha256)

    def _refresh(self) -> None:
        if self._file is None:
            return
        try:
            status = self._file.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            written = self._file.read_bytes()
        except OSError:
            self._stamp, self._principals, self._speakers = None, {}, {}
            return
        # A file that was changed within the last moments may change again without its stamp telling.
        settled = time.time_ns() - status.st_mtime_ns > SETTLED_NS
        self._stamp = stamp if settled else None
        self._read(written)

    def _read(self, written: bytes) -> None:
        try:
            entries = _ENTRIES.validate_json(written)
        except ValidationError as fault:
            # Half written, or mistyped: nobody is locked out, and nobody let in, until it can be read again.
            log.error("tokens.unreadable", file=str(self._file), faults=fault.error_count())
            return
        self._principals = {
            entry.sha256: Principal(
                entry.role, entry.party, entry.sources if entry.role is Role.SYSTEM else ()
            )
            for entry in entries
        }
        speakers: dict[str, list[Principal]] = {}
        for entry in entries:
            if entry.role is Role.SYSTEM:
                continue
            for source in entry.sources:
                speakers.setdefault(source, []).append(self._principals[entry.sha256])
        self._speakers = speakers


def tokens_of(request: Request) -> Tokens:
    """Return the tokens of the app that serves `request`."""
    tokens: Tokens = request.app.state.tokens
    return tokens


_bearer = HTTPBearer(
    auto_error=False,
    description="A token with a role and a party: one of the town's own, or a JWT of its issuer.",
)


class Caller:
    """Dependency that returns the caller's Principal if its role is one of `roles`; the OpenAPI document reads
    them too.
    """

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles

    # Not a plain function: those go through a pool of threads, which costs more than the whole look-up.
    async def __call__(
        self,
        request: Request,
        described: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Principal:
        """Raises Problem 401 without a known token, 403 with another role, 429 for one request too many."""
        return self.principal(request)

    def principal(self, request: Request) -> Principal:
        """Return the request's principal, and count the request against its rate limit if it comes from outside.

        Raises Problem 401 without a known token, 403 with another role, 429 for one request too many.
        """
        principal: Principal | None = request.scope.get(PRINCIPAL)
        if principal is None:
            # Asked again for the same request, it is not counted again.
            principal = request.scope[PRINCIPAL] = _from_outside(request)
        self.require_role(principal)
        return principal

    def require_role(self, principal: Principal) -> None:
        """Raises Problem 403 for a principal of another role."""
        if principal.role not in self.roles:
            allowed = ", ".join(sorted(self.roles))
            raise Problem(
                403, "not_for_this_role", params={"role": principal.role, "allowed": allowed}
            )


def _from_outside(request: Request) -> Principal:
    signed: Principal | Problem | None = request.scope.get(SIGNED)
    if isinstance(signed, Problem):
        raise signed
    principal = signed or _by_token(request)
    if principal is None:
        raise Problem(401, "not_signed_in", headers={"www-authenticate": "Bearer"})
    rate_limiter: RateLimiter | None = request.app.state.rate_limiter
    if rate_limiter is not None:
        rate_limiter.spend(principal)
    return principal


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header; None without one."""
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    return token if token and scheme.lower() == "bearer" else None


def _by_token(request: Request) -> Principal | None:
    tokens: Tokens = request.app.state.tokens
    token = bearer_token(request)
    return tokens.principal(token) if token else None


def require(*roles: Role) -> Caller:
    """A dependency that gives the caller's Principal; 401 without a known token, 403 with another role."""
    return Caller(roles)
