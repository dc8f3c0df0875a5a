"""Searches for matters, newest first. Each statement uses one index and reads a bounded number of rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from services.followup.domain.matter import FINAL
from services.followup.store.requests import of_week, terms_of, week_of, weeks_asked, words_of
from shared.contracts.vocabulary import MatterState
from shared.runtime.database import Connection

NEWEST: Final = UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")
"""After every id: where a list that begins with the newest starts."""

MOST_LOOKED_AT: Final = 1000
"""What a page looks through at most, so that its cost does not follow how much there is that does not fit."""

LISTED_BEFORE_WORDS: Final = 125
"""So far a list is looked through for words at once."""

RARE: Final = 3
"""With fewer found among those, the words lead: by the list they would be met seldom, and by them the list may be."""

SAMPLED: Final = 64
TELLING: Final = SAMPLED // 8
"""A term that more of the newest have tells little, and costs the most: its whole week is read."""

WALKED_FOR_WORDS: Final = 500
"""Of the newest, for words that have no telling term."""

MOST_WEEKS_AT_ONCE: Final = 256
MORE_THAN_NEEDED: Final = 1.25
"""So many times as many weeks as would fill the page, had each as many as those before."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search. Matters must be in all `lists`, the first leads; `words` are parts of the summary."""

    lists: tuple[str, ...] = ()
    state: MatterState | None = None
    owner: str | None = None
    category: str | None = None
    park: str | None = None
    words: str | None = None

    @property
    def sides(self) -> tuple[bool, bool]:
        """Return whether the open side of a list is searched, and whether the ended one is."""
        return (
            self.state is None or self.state not in FINAL,
            self.state is None or self.state in FINAL,
        )

    @property
    def asks_more(self) -> bool:
        """Return whether the search has conditions besides the words."""
        return any((self.lists, self.state, self.owner, self.category, self.park))

    def look(self, limit: int) -> int:
        """Return how many rows with the words are read for a page of `limit`."""
        return LISTED_BEFORE_WORDS if self.asks_more else limit

    def filters(self) -> tuple[object, ...]:
        """Return the arguments of `fits`."""
        return (self.state.value if self.state else None, self.owner, self.category, self.park)


@dataclass(slots=True)
class Ids:
    """The ids found, and the id after which the list continues; None at the end."""

    found: list[UUID]
    further: UUID | None


def merged(pages: Sequence[Ids], limit: int) -> Ids:
    """Merge pages of several searches into one, newest first, down to where the first of them stopped."""
    edges = [page.further for page in pages if page.further is not None]
    edge = max(edges, default=None)
    ids = {each for page in pages for each in page.found if edge is None or each >= edge}
    found = sorted(ids, reverse=True)
    return _whole(found[:limit], limit) if len(found) >= limit else Ids(found, edge)


def _whole(found: list[UUID], limit: int) -> Ids:
    return Ids(found, found[-1] if len(found) == limit else None)


BY_LIST = """
select m.id
from (
    select matter_id, open from (
        (select matter_id, open from listing
         where name = $8 and open and $9 and matter_id < $1 order by matter_id desc limit $3)
        union all
        (select matter_id, open from listing
         where name = $8 and not open and $10 and matter_id < $1 order by matter_id desc limit $3)
    ) as sides
    order by matter_id desc limit $3
) as looked
join matter m on m.id = looked.matter_id
where fits(m.state, m.owner_id, m.category, m.park, $4, $5, $6, $7)
  and (cardinality($11::text[]) = 0 or cardinality($11::text[]) = (
      select count(*) from listing o
      where o.name = any($11) and o.open = looked.open and o.matter_id = looked.matter_id))
  and ($12::text[] is null or (
      select bool_and(strpos(coalesce(r.folded, lower(r.summary)), word) > 0)
      from request r cross join unnest($12::text[]) as word where r.matter_id = looked.matter_id))
order by looked.matter_id desc limit $2"""

# Where the looking stopped, when it stopped before the list did.
EDGE_OF_LIST = """
select matter_id from (
    (select matter_id from listing
     where name = $3 and open and $4 and matter_id < $1 order by matter_id desc limit $2)
    union all
    (select matter_id from listing
     where name = $3 and not open and $5 and matter_id < $1 order by matter_id desc limit $2)
) as sides
order by matter_id desc offset $2 - 1 limit 1"""


async def newest_in_list(conn: Connection, search: Search, before: UUID, limit: int) -> Ids:
    """Return matches in the leading list, older than `before`; a page that is not full may continue."""
    look = LISTED_BEFORE_WORDS if search.words else MOST_LOOKED_AT
    words = words_of(search.words) if search.words else None
    lead = (search.lists[0], *search.sides)
    arguments = (*search.filters(), *lead, list(search.lists[1:]), words)
    rows = await conn.fetch(BY_LIST, before, limit, look, *arguments)
    found = [row["id"] for row in rows]
    if len(found) == limit:
        return _whole(found, limit)
    edge: UUID | None = await conn.fetchval(EDGE_OF_LIST, before, look, *lead)
    if edge is None or not search.words or len(found) >= RARE:
        return Ids(found, edge)
    rest = await newest_with_words(conn, search, edge, limit - len(found))
    return Ids(found + rest.found, rest.further)


# `offset 0` keeps the order from leading: the planner would walk all ids for a word that it cannot know to be rare. The
# range stands outside of it, for inside a plan for any range would gather all ids below it, for each week again. Lists
# are asked before the matter, whose row is read only where something is asked of it.
BY_WORDS = """
select looked.matter_id, (
    (cardinality($9::text[]) = 0 or cardinality($9::text[]) = (
        select count(*) from listing o
        where o.name = any($9) and o.open = any('{true,false}') and o.matter_id = looked.matter_id))
    and (num_nonnulls($3::text, $4::text, $5::text, $6::text) = 0 or (
        select fits(m.state, m.owner_id, m.category, m.park, $3, $4, $5, $6)
        from matter m where m.id = looked.matter_id))) as fits
from (
    select r.matter_id
    from unnest($7::text[]) as week (terms)
    cross join lateral (
        select matter_id from (
            select matter_id from request
            where terms @> string_to_array(week.terms, ' ')
              and (select bool_and(strpos(coalesce(folded, lower(summary)), word) > 0) from unnest($8::text[]) word)
            offset 0
        ) as with_words
        where matter_id < $1
        order by matter_id desc limit $2
    ) as r
    order by r.matter_id desc limit $2
) as looked
order by looked.matter_id desc"""

TELLING_TERMS = """
select term
from (select coalesce(folded, lower(summary)) as summary from request
      where matter_id < $1 order by matter_id desc limit $2) as newest
cross join unnest($3::text[]) as term
group by term having count(*) filter (where strpos(summary, term) > 0) <= $4"""

BY_WALKING = """
select looked.matter_id, (
    num_nonnulls($3::text, $4::text, $5::text, $6::text) = 0 or (
        select fits(m.state, m.owner_id, m.category, m.park, $3, $4, $5, $6)
        from matter m where m.id = looked.matter_id)) as fits
from (
    select matter_id
    from (select matter_id, summary, folded from request
          where matter_id < $1 order by matter_id desc limit $8) as newest
    where (select bool_and(strpos(coalesce(folded, lower(summary)), word) > 0) from unnest($7::text[]) word)
    order by matter_id desc limit $2
) as looked
order by looked.matter_id desc"""


async def newest_with_words(conn: Connection, search: Search, before: UUID, limit: int) -> Ids:
    """Return matches with the words in their summary, older than `before`; a page that is not full may continue.

    A list that leads to here was looked through already, and has the words seldom.
    """
    terms = terms_of(search.words or "")
    rows = await conn.fetch(TELLING_TERMS, before, SAMPLED, terms, TELLING)
    telling = [row["term"] for row in rows]
    if not telling and not search.lists:
        look, words = search.look(limit), words_of(search.words or "")
        rows = await conn.fetch(
            BY_WALKING, before, look, *search.filters(), words, WALKED_FOR_WORDS
        )
        if len(rows) == look:
            return _fitting(rows, limit)
    return await _by_weeks(conn, search, telling or terms, before, limit)


async def _by_weeks(
    conn: Connection, search: Search, terms: Sequence[str], before: UUID, limit: int
) -> Ids:
    """Search week by week: an index of words alone would sort all matches of all time for one page.

    The fewer were found, the more weeks are taken at once, and no more than the page seems to need.
    """
    look, words = search.look(limit), words_of(search.words or "")
    weeks = await weeks_asked(conn)
    newest = week = min(week_of(before), weeks.stop - 1)
    at_once, found = 1, list[UUID]()
    while week >= weeks.start and look > 0:
        first = max(week - at_once + 1, weeks.start)
        asked = [of_week(each, terms) for each in range(week, first - 1, -1)]
        arguments = (*search.filters(), asked, words, list(search.lists))
        rows = await conn.fetch(BY_WORDS, before, look, *arguments)
        page = _fitting(rows, limit - len(found))
        found += page.found
        if len(found) == limit or len(rows) == look:
            return Ids(found, page.further)
        look -= len(rows) if search.asks_more else 0
        week, at_once = first - 1, weeks_next(at_once, newest - first + 1, len(found), limit)
    return Ids(found, None)


def weeks_next(at_once: int, seen: int, found: int, limit: int) -> int:
    """Return how many weeks to read at once after `seen` weeks with `found` matches, the last `at_once` together.

    The newest may have begun just now, and counts for nothing.
    """
    most = min(at_once * 8, MOST_WEEKS_AT_ONCE)
    if not found:
        return most
    needed = (limit - found) * (seen - 1) / found * MORE_THAN_NEEDED
    # Half of what was seen at least: where what is rare had been frequent for a week, there is an end too.
    return min(most, max(math.ceil(needed), seen // 2, 1))


def _fitting(rows: Sequence[asyncpg.Record], limit: int) -> Ids:
    """Return those that match, `limit` at most, and where the search ended."""
    found = [row["matter_id"] for row in rows if row["fits"]][:limit]
    if len(found) == limit:
        return Ids(found, found[-1])
    return Ids(found, rows[-1]["matter_id"] if rows else None)


# As a range of (state, id): for an equal state the planner could walk all ids, and meet a rare one seldom.
BY_STATE = """
select id from matter where (state, id) < ($2, $1) and state >= $2
order by state desc, id desc limit $3"""


async def newest_in_state(conn: Connection, state: MatterState, before: UUID, limit: int) -> Ids:
    """Return matters in a state, older than `before`."""
    rows = await conn.fetch(BY_STATE, before, state.value, limit)
    return _whole([row["id"] for row in rows], limit)


NEWEST_OF_ALL = "select id from matter where id < $1 order by id desc limit $2"


async def newest_of_all(conn: Connection, before: UUID, limit: int) -> Ids:
    """Return all matters older than `before`."""
    rows = await conn.fetch(NEWEST_OF_ALL, before, limit)
    return _whole([row["id"] for row in rows], limit)
