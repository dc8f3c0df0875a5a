"""Searches for open matters by next limit, earliest first; the rows read are bounded, as in `finding`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

from services.followup.store.finding import MOST_LOOKED_AT, Search
from services.followup.store.listing import holds_few
from services.followup.store.requests import words_of
from shared.runtime.database import Connection

Place: TypeAlias = tuple[datetime, UUID]
"""Where something stands in a list by date."""

BEGINNING: Final[Place] = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
"""Before everything that is due: where a list by date starts."""

FOREVER: Final = datetime(3000, 1, 1, tzinfo=UTC)
"""After everything that is due."""

FEW: Final = 1000
"""A list of so many open matters is sorted whole; of a longer one every page of promises holds enough."""


@dataclass(slots=True)
class Promised:
    """Matches with their positions, and the position after which the list continues; None at the end."""

    places: list[Place]
    further: Place | None

    @property
    def found(self) -> list[UUID]:
        """Return the ids alone."""
        return [each for _, each in self.places]


def merged(pages: Sequence[Promised], limit: int) -> Promised:
    """Merge pages of several searches into one, earliest first, up to where the first of them stopped."""
    edge = min((page.further for page in pages if page.further is not None), default=None)
    found = sorted({each for page in pages for each in page.places if edge is None or each <= edge})
    if len(found) >= limit:
        return Promised(found[:limit], found[limit - 1])
    return Promised(found, edge)


DUE = """
select looked.id, looked.next_due_at
from (
    select id, next_due_at, state, owner_id, category, park from matter
    where next_due_at is not null and next_due_at < $1 and (next_due_at, id) > ($2, $3)
    order by next_due_at, id limit $5
) as looked
where fits(looked.state, looked.owner_id, looked.category, looked.park, $6, $7, $8, $9)
  and (cardinality($10::text[]) = 0 or cardinality($10::text[]) = (
      select count(*) from listing o
      where o.name = any($10) and o.open and o.matter_id = looked.id))
  and ($11::text[] is null or (
      select bool_and(strpos(coalesce(r.folded, lower(r.summary)), word) > 0)
      from request r cross join unnest($11::text[]) as word where r.matter_id = looked.id))
order by looked.next_due_at, looked.id limit $4"""

# Where the looking stopped, when there was more to look at.
EDGE_OF_DUE = """
select next_due_at, id from matter
where next_due_at is not null and next_due_at < $1 and (next_due_at, id) > ($2, $3)
order by next_due_at, id offset $4 - 1 limit 1"""

# The list leads, for `offset 0` lets nothing else do so: in the order of promises all that anybody owes might come
# first. What is asked of a matter stands in `matter_open`, so that its row, which may lie anywhere, is not read.
DUE_IN_LIST = """
select m.id, m.next_due_at
from (select matter_id from listing where name = $12 and open limit $5) as looked
cross join lateral (
    select id, next_due_at, state, owner_id, category, park from matter
    where id = looked.matter_id and state not in ('closed', 'merged', 'rejected', 'withdrawn') offset 0
) as m
where m.next_due_at < $1 and (m.next_due_at, m.id) > ($2, $3)
  and fits(m.state, m.owner_id, m.category, m.park, $6, $7, $8, $9)
  and (cardinality($10::text[]) = 0 or cardinality($10::text[]) = (
      select count(*) from listing o
      where o.name = any($10) and o.open and o.matter_id = m.id))
  and ($11::text[] is null or (
      select bool_and(strpos(coalesce(r.folded, lower(r.summary)), word) > 0)
      from request r cross join unnest($11::text[]) as word where r.matter_id = m.id))
order by m.next_due_at, m.id limit $4"""


async def due_before(
    conn: Connection, search: Search, until: datetime, after: Place, limit: int
) -> Promised:
    """Return open matters with the next limit before `until`, following `after`; a page that is not full may
    continue.
    """
    words = words_of(search.words) if search.words else None
    if search.lists and await holds_few(conn, search.lists[0], FEW):
        rest = (list(search.lists[1:]), words, search.lists[0])
        rows = await conn.fetch(
            # Twice as many: some may have come since they were counted.
            DUE_IN_LIST,
            until,
            *after,
            limit,
            2 * FEW,
            *search.filters(),
            *rest,
        )
        return Promised(_places(rows), _last(rows, limit))
    rows = await conn.fetch(
        DUE, until, *after, limit, MOST_LOOKED_AT, *search.filters(), list(search.lists), words
    )
    further = _last(rows, limit)
    if further is None:
        edge = await conn.fetchrow(EDGE_OF_DUE, until, *after, MOST_LOOKED_AT)
        further = (edge["next_due_at"], edge["id"]) if edge else None
    return Promised(_places(rows), further)


def _places(rows: Sequence[asyncpg.Record]) -> list[Place]:
    return [(row["next_due_at"], row["id"]) for row in rows]


def _last(rows: Sequence[asyncpg.Record], limit: int) -> Place | None:
    return (rows[-1]["next_due_at"], rows[-1]["id"]) if len(rows) == limit else None
