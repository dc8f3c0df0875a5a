"""Creates the bearer tokens of a data folder: plain text for their owners, hashes for the services."""

import fcntl
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from deploy.common.folder import Folder, read_json, write_json, write_private
from deploy.common.trouble import Trouble
from shared.contracts.vocabulary import Role

STAFF: Final[Mapping[Role, str]] = {Role.OPERATOR: "O001", Role.COORDINATOR: "C001"}
"""Who must be able to come in at all; further tokens come by `liaison tokens add`."""

SAMPLE: Final[Mapping[Role, str]] = {
    Role.SYSTEM: "https://one-stop.example",
    Role.LIAISON: "L001",
    Role.DEPARTMENT: "D-CON",
    Role.COORDINATOR: STAFF[Role.COORDINATOR],
    Role.OPERATOR: STAFF[Role.OPERATOR],
}
"""One party of the sample town for each role."""


SHORTEST_HASH: Final = 8
"""So many characters of a token's hash name it."""


def ensure(folder: Folder, parties: Mapping[Role, str]) -> None:
    """Create a token for each role and party that has no valid one, in a file of `tokens/` named by the role."""
    for role, party in parties.items():
        file = folder.tokens / role.value
        if not (file.exists() and is_known(folder, file.read_text().strip())):
            [token] = add(folder, [(role, party)])
            write_private(file, token + "\n")


def ensure_everybody(folder: Folder, parties: Sequence[tuple[str, str]]) -> None:
    """Create a token for each (role, party) of the sample town, in `demo-tokens.json` by party."""
    file = folder.root / "demo-tokens.json"
    kept: dict[str, str] = read_json(file) or {}
    missing = [
        (Role(role), party) for role, party in parties if not is_known(folder, kept.get(party, ""))
    ]
    fresh = zip((party for _, party in missing), add(folder, missing), strict=True)
    write_json(file, {**kept, **dict(fresh)})


def sample_tokens(folder: Folder) -> dict[str, str]:
    """Return the tokens of the sample parties by role; empty when the sample town was never loaded."""
    kept = {role.value: folder.tokens / role.value for role in SAMPLE}
    if not all(file.exists() for file in kept.values()):
        return {}
    return {role: file.read_text().strip() for role, file in kept.items()}


def add(
    folder: Folder, parties: Sequence[tuple[Role, str]], sources: Sequence[str] = ()
) -> list[str]:
    """Create a token for each role and party; the services accept it from their next call on.

    `sources`, if any, are kept with each: what a system may submit under, or who speaks for another party on Kafka.
    """
    made = [secrets.token_urlsafe(32) for _ in parties]
    with folder.tokens.joinpath(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fresh = [
            {"sha256": digest(token), "role": role.value, "party": party}
            | ({"sources": list(sources)} if sources else {})
            for token, (role, party) in zip(made, parties, strict=True)
        ]
        write_json(folder.tokens_file, [*entries(folder), *fresh])
    return made


def revoke(folder: Folder, hashes: Sequence[str]) -> list[dict[str, Any]]:
    """Remove the tokens whose hashes begin with these, at least 8 characters each; return the removed entries.

    Raises Trouble, with nothing dropped, when one is of no token or of several.
    """
    with folder.tokens.joinpath(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = entries(folder)
        gone = [_only(kept, start.lower()) for start in hashes]
        write_json(folder.tokens_file, [entry for entry in kept if entry not in gone])
    return gone


def _only(kept: Sequence[dict[str, Any]], start: str) -> dict[str, Any]:
    found = [entry for entry in kept if entry["sha256"].startswith(start)]
    if len(start) < SHORTEST_HASH or len(found) != 1:
        raise Trouble("token.unknown", hash=start, least=SHORTEST_HASH)
    return found[0]


def is_known(folder: Folder, token: str) -> bool:
    """Return whether the services accept this token."""
    return digest(token) in {entry["sha256"] for entry in entries(folder)}


def entries(folder: Folder) -> list[dict[str, Any]]:
    return read_json(folder.tokens_file) or []


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
