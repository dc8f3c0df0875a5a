"""Where matters are listed, and the lists themselves: each statement has one index that leads it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.followup.domain.matter import FINAL, Matter
from services.followup.store.requests import terms_of, words_of
from shared.contracts.vocabulary import MatterState
from shared.kit.db import Connection

NEWEST: Final = UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")
"""After every id: where a list that begins with the newest starts."""

BEGINNING: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
"""Before everything that is due: where a list by date starts."""

FOREVER: Final = datetime(3000, 1, 1, tzinfo=UTC)
"""After everything that is due."""


def of_party(party: str) -> str:
    """The list of what a liaison or a department may see."""
    return f"party:{party}"


def of_requester(requester_id: str) -> str:
    """The list of one requester; an enterprise's is its code's."""
    return f"requester:{requester_id}"


def of_category(path: str) -> str:
    """The list of a category and everything below it."""
    return f"category:{path}"


def of_park(park: str) -> str:
    """The list of a park."""
    return f"park:{park}"


def lists_of(matter: Matter) -> set[str]:
    """Every list that the matter is in. Nothing leaves a list: what moves on is checked when it is read."""
    lists = {of_party(party) for party in matter.parties}
    lists.add(of_requester(matter.requester_id))
    if matter.park:
        lists.add(of_park(matter.park))
    path = matter.category
    while path:
        lists.add(of_category(path))
        path = path.rpartition("/")[0]
    return lists


def _listed_alike(before: Matter, after: Matter) -> bool:
    return (
        before.parties == after.parties
        and before.category == after.category
        and before.park == after.park
    )


INSERT_LISTINGS = """
insert into listing (name, open, matter_id)
select given.name, given.open, given.matter_id
from unnest($1::text[], $2::bool[], $3::uuid[]) as given (name, open, matter_id)
order by given.name, given.matter_id
on conflict do nothing"""

MOVE_LISTINGS = """
update listing set open = given.open
from unnest($1::text[], $2::bool[], $3::uuid[]) as given (name, open, matter_id)
where listing.name = given.name and listing.open = not given.open
  and listing.matter_id = given.matter_id"""


async def list_matters(conn: Connection, changes: Iterable[tuple[Matter | None, Matter]]) -> None:
    """Put matters on the lists that they are new to, and over to the other side when they end or begin again."""
    fresh: list[tuple[str, bool, str]] = []
    moved: list[tuple[str, bool, str]] = []
    for before, after in changes:
        ends_or_begins = before is not None and before.final != after.final
        if before is not None and _listed_alike(before, after) and not ends_or_begins:
            continue
        known = lists_of(before) if before else set()
        fresh.extend((name, not after.final, after.id) for name in lists_of(after) - known)
        if ends_or_begins:
            moved.extend((name, not after.final, after.id) for name in known)
    for statement, rows in ((INSERT_LISTINGS, fresh), (MOVE_LISTINGS, moved)):
        if rows:
            await conn.execute(statement, *([row[at] for row in rows] for at in range(3)))


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. `lists` must all hold it; the first leads. `words` are parts of the summary."""

    lists: tuple[str, ...] = ()
    state: MatterState | None = None
    owner: str | None = None
    category: str | None = None
    park: str | None = None
    words: str | None = None

    @property
    def sides(self) -> list[bool]:
        """The open side of a list, the ended one, or both."""
        return [True, False] if self.state is None else [self.state not in FINAL]

    @property
    def terms(self) -> list[str] | None:
        """What the index of summaries is asked for."""
        return terms_of(self.words) if self.words else None

    def filters(self) -> tuple[object, ...]:
        """The arguments of `fits`, then the words and their terms, then the further lists."""
        state = self.state.value if self.state else None
        words = words_of(self.words) if self.words else None
        rest = list(self.lists[1:])
        return (state, self.owner, self.category, self.park, words, self.terms, rest)


BY_LIST = """
select found.id
from unnest($10::bool[]) as side (open)
cross join lateral (
    select m.id
    from listing l join matter m on m.id = l.matter_id
    where l.name = $11 and l.open = side.open and l.matter_id < $1
      and fits(m.state, m.owner_id, m.category, m.park, $3, $4, $5, $6)
      and not exists (
          select from unnest($9::text[]) as other (name)
          where not exists (select from listing o where o.name = other.name
                            and o.open = side.open and o.matter_id = m.id))
      and ($7::text[] is null or exists (
          select from request r where r.matter_id = m.id and r.terms @> $8::text[]
          and (select bool_and(strpos(lower(r.summary), word) > 0) from unnest($7::text[]) word)))
    order by l.matter_id desc limit $2) as found
order by found.id desc limit $2"""


async def newest_in_list(conn: Connection, search: Search, before: UUID, limit: int) -> list[UUID]:
    """Ids of what fits in the leading list, newest first, older than `before`."""
    arguments = (*search.filters(), search.sides, search.lists[0])
    return [row["id"] for row in await conn.fetch(BY_LIST, before, limit, *arguments)]


BY_WORDS = """
select m.id
from request r join matter m on m.id = r.matter_id
where r.terms @> $8::text[] and r.matter_id < $1
  and (select bool_and(strpos(lower(r.summary), word) > 0) from unnest($7::text[]) word)
  and fits(m.state, m.owner_id, m.category, m.park, $3, $4, $5, $6)
order by r.matter_id desc limit $2"""


async def newest_with_words(
    conn: Connection, search: Search, before: UUID, limit: int
) -> list[UUID]:
    """Ids of what has the words in its summary, in any list, newest first, older than `before`."""
    arguments = search.filters()[:6]
    return [row["id"] for row in await conn.fetch(BY_WORDS, before, limit, *arguments)]


BY_STATE = """
select m.id from matter m
where m.state = $2 and m.state <> 'closed' and m.id < $1
  and fits(m.state, m.owner_id, m.category, m.park, null, $3, $4, $5)
order by m.id desc limit $6"""


async def newest_in_state(conn: Connection, search: Search, before: UUID, limit: int) -> list[UUID]:
    """Ids of what is in a state other than closed, newest first, older than `before`."""
    state = search.state.value if search.state else None
    arguments = (state, search.owner, search.category, search.park)
    return [row["id"] for row in await conn.fetch(BY_STATE, before, *arguments, limit)]


NEWEST_OF_ALL = """
select m.id from matter m
where m.id < $1 and fits(m.state, m.owner_id, m.category, m.park, $3, $4, $5, $6)
order by m.id desc limit $2"""


async def newest_of_all(conn: Connection, search: Search, before: UUID, limit: int) -> list[UUID]:
    """Ids of everything that fits, newest first, older than `before`; most matters are closed."""
    arguments = search.filters()[:4]
    return [row["id"] for row in await conn.fetch(NEWEST_OF_ALL, before, limit, *arguments)]


DUE = """
select m.id from matter m
where m.next_due_at is not null and m.next_due_at < $10 and (m.next_due_at, m.id) > ($11, $1)
  and fits(m.state, m.owner_id, m.category, m.park, $3, $4, $5, $6)
  and not exists (
      select from unnest($9::text[]) as other (name)
      where not exists (select from listing o where o.name = other.name
                        and o.open and o.matter_id = m.id))
  and ($7::text[] is null or exists (
      select from request r where r.matter_id = m.id and r.terms @> $8::text[]
      and (select bool_and(strpos(lower(r.summary), word) > 0) from unnest($7::text[]) word)))
order by m.next_due_at, m.id limit $2"""

DUE_IN_LIST = """
select m.id
from listing l join matter m on m.id = l.matter_id
where l.name = $12 and l.open
  and m.next_due_at is not null and m.next_due_at < $10 and (m.next_due_at, m.id) > ($11, $1)
  and fits(m.state, m.owner_id, m.category, m.park, $3, $4, $5, $6)
  and not exists (
      select from unnest($9::text[]) as other (name)
      where not exists (select from listing o where o.name = other.name
                        and o.open and o.matter_id = m.id))
  and ($7::text[] is null or exists (
      select from request r where r.matter_id = m.id and r.terms @> $8::text[]
      and (select bool_and(strpos(lower(r.summary), word) > 0) from unnest($7::text[]) word)))
order by m.next_due_at, m.id limit $2"""


async def due_before(
    conn: Connection, search: Search, until: datetime, after: tuple[datetime, UUID], limit: int
) -> list[UUID]:
    """Ids of open matters whose next promise is due before `until`, the earliest first, following `after`."""
    moment, last = after
    arguments: Sequence[object] = (last, limit, *search.filters(), until, moment)
    if search.lists:
        rows = await conn.fetch(DUE_IN_LIST, *arguments, search.lists[0])
    else:
        rows = await conn.fetch(DUE, *arguments)
    return [row["id"] for row in rows]
