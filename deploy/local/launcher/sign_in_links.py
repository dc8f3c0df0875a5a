"""Links by which a person tries the sample town: one for each role, good once, for a day, on this machine."""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from deploy.common import tokens
from deploy.common.trouble import Trouble
from shared.contracts.vocabulary import Role
from shared.runtime.database import connect

LIFE: Final = timedelta(hours=24)
CODE_BYTES: Final = 24
ROLES: Final = (Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR)


def make_links(database_url: str, web: str, names: Mapping[str, str]) -> dict[str, str]:
    """Return a new sign-in link for each role of the sample town; earlier ones stay good until they are used.

    `names` are the people's by party; one without a name goes by its id. Raises Trouble when the database is away.
    """
    codes = {role: secrets.token_urlsafe(CODE_BYTES) for role in ROLES}
    try:
        asyncio.run(_insert(database_url, codes, names))
    except (asyncpg.PostgresError, OSError) as fault:
        raise Trouble("database.away", reason=fault) from fault
    return {role.value: f"{web}/sign-in/link/{code}" for role, code in codes.items()}


async def _insert(url: str, codes: Mapping[Role, str], names: Mapping[str, str]) -> None:
    from services.desk.domain.sessions import SignInLink  # noqa: PLC0415 - wanted for the sample town alone
    from services.desk.handlers.accounts import add_link  # noqa: PLC0415

    expires_at = datetime.now(UTC) + LIFE
    conn = await connect(url, "desk")
    try:
        for role, code in codes.items():
            party = tokens.SAMPLE[role]
            link = SignInLink(role, party, names.get(party, party), expires_at)
            await add_link(conn, code, link)
    finally:
        await conn.close(timeout=2)
