"""Accounts of people who sign in at the desk with a password, and links that sign in once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from deploy.common.trouble import Trouble
from deploy.operations.database import troubles
from shared.contracts.fields.types import Name, PartyId
from shared.contracts.vocabulary import Role
from shared.runtime.database import Connection, connect

if TYPE_CHECKING:
    from services.desk.domain.accounts import Account

SERVICE = "desk"

Answer = TypeVar("Answer")


async def added(
    url: str, login: str, name: str, role: Role, party: str, password: str | None
) -> str | None:
    """Add an account. Returns the password that was made for it, None where one was given.

    Raises Trouble for a login, name, role, party or password that cannot be, and for a login that exists.
    """
    from services.desk.domain.accounts import ROLES  # noqa: PLC0415 - other commands should not wait for it
    from services.desk.domain.passwords import is_login  # noqa: PLC0415
    from services.desk.handlers import accounts  # noqa: PLC0415

    login = login.strip()
    if not is_login(login):
        raise Trouble("account.login")
    if role not in ROLES:
        raise Trouble("account.role", role=role.value, allowed=", ".join(ROLES))
    wanted = accounts.NewAccount(login, _name(name), role, _party(party))
    given, hashed = _hashed(login, password)
    if not await _at_desk(url, lambda conn: accounts.add(conn, wanted, hashed, _now())):
        raise Trouble("account.exists", login=login)
    return given


async def reset(url: str, login: str, password: str | None, *, totp: bool) -> str | None:
    """Set a new password and end the account's sessions; with `totp` turn its second factor off.

    Returns the password that was made, None where one was given. Raises Trouble for an unknown login or a password
    that cannot be.
    """
    from services.desk.handlers import accounts  # noqa: PLC0415

    given, hashed = _hashed(login, password)
    done = await _at_desk(url, lambda conn: accounts.reset(conn, login, hashed, _now(), totp=totp))
    _require(done, login)
    return given


async def disabled(url: str, login: str) -> None:
    """Let an account sign in no more, and end its sessions. Raises Trouble for an unknown login."""
    from services.desk.handlers import accounts  # noqa: PLC0415

    _require(await _at_desk(url, lambda conn: accounts.disable(conn, login, _now())), login)


async def enabled(url: str, login: str) -> None:
    """Let an account sign in again. Raises Trouble for an unknown login."""
    from services.desk.handlers import accounts  # noqa: PLC0415

    _require(await _at_desk(url, lambda conn: accounts.enable(conn, login, _now())), login)


async def listed(url: str) -> list[dict[str, Any]]:
    """All accounts by login, without their secrets."""
    from services.desk.handlers import accounts  # noqa: PLC0415

    return [_described(account, _now()) for account in await _at_desk(url, accounts.find_all)]


def _described(account: "Account", now: datetime) -> dict[str, Any]:
    locked = account.attempts.locked_until
    return {
        "login": account.login,
        "name": account.name,
        "role": account.role.value,
        "party": account.party,
        "second_factor": account.totp_secret is not None,
        "disabled": account.disabled_at is not None,
        "locked_until": locked if locked is not None and locked > now else None,
        "created_at": account.created_at,
    }


def _hashed(login: str, password: str | None) -> tuple[str | None, str]:
    """A password of ours where none is given, and the hash of whichever it is."""
    from services.desk.domain.passwords import LONGEST, SHORTEST, broken_rule  # noqa: PLC0415
    from services.desk.handlers.passwords import generate, hash_password  # noqa: PLC0415

    if password is None:
        made = generate()
        return made, hash_password(made)
    if rule := broken_rule(password, login):
        raise Trouble(f"account.password.{rule}", shortest=SHORTEST, longest=LONGEST)
    return None, hash_password(password)


def _name(text: str) -> str:
    try:
        return str(TypeAdapter(Name).validate_python(text))
    except ValidationError as fault:
        raise Trouble("account.name") from fault


def _party(text: str) -> str:
    try:
        return str(TypeAdapter(PartyId).validate_python(text))
    except ValidationError as fault:
        raise Trouble("account.party") from fault


def _require(account: object, login: str) -> None:
    if account is None:
        raise Trouble("account.unknown", login=login)


async def _at_desk(url: str, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    with troubles():
        conn = await connect(url, SERVICE)
        try:
            return await work(conn)
        finally:
            await conn.close(timeout=2)


def _now() -> datetime:
    return datetime.now(UTC)
