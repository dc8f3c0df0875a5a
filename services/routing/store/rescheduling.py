"""Updates limits of open offers and objections."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.runtime.database import Connection


class NewLimit(NamedTuple):
    """A new limit of an offer or an objection."""

    id: str
    ends_at: datetime


MOVE_OFFERS = """
update offer set expires_at = given.ends_at, calendar_version = $3
from unnest($1::uuid[], $2::timestamptz[]) as given (id, ends_at)
where offer.id = given.id and offer.state = 'offered'"""
MOVE_OBJECTIONS = """
update objection set review_at = given.ends_at
from unnest($1::uuid[], $2::timestamptz[]) as given (id, ends_at)
where objection.id = given.id and objection.state = 'open'"""


async def move_offers(conn: Connection, limits: Sequence[NewLimit], calendar_version: str) -> None:
    """Update the limits of open offers, whose matters the caller has locked."""
    ids = [limit.id for limit in limits]
    await conn.execute(MOVE_OFFERS, ids, [limit.ends_at for limit in limits], calendar_version)


async def move_objections(conn: Connection, limits: Sequence[NewLimit]) -> None:
    """Update the limits of open objections, whose matters the caller has locked."""
    ids = [limit.id for limit in limits]
    await conn.execute(MOVE_OBJECTIONS, ids, [limit.ends_at for limit in limits])
