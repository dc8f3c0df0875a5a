"""Who is calling: bearer tokens with a role and a party, kept as hashes in a file that may change at any time."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, TypeAdapter

from shared.contracts.vocabulary import Role
from shared.kit.problems import Problem

MAX_TOKEN_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: a role, and the id of the liaison, department, coordinator, operator or system."""

    role: Role
    party: str


class TokenEntry(BaseModel):
    """A line of the tokens file: the token's SHA-256 in hexadecimal, never the token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    role: Role
    party: str


_ENTRIES = TypeAdapter(list[TokenEntry])


class Tokens:
    """The tokens of a file; a change of the file counts from the next call on, without a restart."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self._principals: Mapping[str, Principal] = {}

    def principal(self, token: str) -> Principal | None:
        """Whose token it is; None for a token that is not known."""
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        self._refresh()
        digest = hashlib.sha256(token.encode()).hexdigest()
        # Looking a digest up tells nothing of the token by its timing.
        return self._principals.get(digest)

    def _refresh(self) -> None:
        if self._file is None:
            return
        try:
            status = self._file.stat()
        except OSError:
            self._stamp, self._principals = None, {}
            return
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            entries = _ENTRIES.validate_json(self._file.read_bytes())
            self._principals = {
                entry.sha256: Principal(entry.role, entry.party) for entry in entries
            }
            self._stamp = stamp


_bearer = HTTPBearer(auto_error=False, description="A token with a role and a party.")


class Caller:
    """Gives the caller's Principal where its role is one of `roles`, which the API's description reads too."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles

    # Not a plain function: those go through a pool of threads, which costs more than the whole look-up.
    async def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Principal:
        """Raises Problem 401 without a known token, 403 with another role."""
        tokens: Tokens = request.app.state.tokens
        principal = tokens.principal(credentials.credentials) if credentials else None
        if principal is None:
            raise Problem(401, "not_signed_in", headers={"www-authenticate": "Bearer"})
        if principal.role not in self.roles:
            allowed = ", ".join(sorted(self.roles))
            raise Problem(
                403, "not_for_this_role", params={"role": principal.role, "allowed": allowed}
            )
        return principal


def require(*roles: Role) -> Caller:
    """A dependency that gives the caller's Principal; 401 without a known token, 403 with another role."""
    return Caller(roles)
