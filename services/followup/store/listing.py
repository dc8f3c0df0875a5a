"""Membership of matters in lists; `finding` and `promised` have the queries over them."""

from collections.abc import Iterable

from services.followup.domain.matter import Matter
from shared.contracts.fields.folding import compact
from shared.runtime.database import Connection


def of_party(party: str) -> str:
    """Return the name of the list of a liaison's or department's matters."""
    return f"party:{party}"


def of_requester(requester_id: str) -> str:
    """Return the name of a requester's list; an enterprise's has its code."""
    return f"requester:{requester_id}"


def of_category(path: str) -> str:
    """Return the name of the list of a category with everything below it."""
    return f"category:{path}"


def of_park(park: str) -> str:
    """Return the name of a park's list."""
    return f"park:{park}"


def spelled(name: str) -> str:
    """Return the canonical form of a list's name, for any spelling of park or category."""
    return compact(name)


def lists_of(matter: Matter) -> set[str]:
    """Return every list that the matter belongs to. Nothing leaves a list: state is checked when it is read."""
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


# Which spellings there are changes seldom: mostly nothing is written.
INSERT_SPELLINGS = """
insert into spelling (folded, name)
select given.folded, given.name from unnest($1::text[], $2::text[]) as given (folded, name)
order by given.folded, given.name
on conflict do nothing"""

SELECT_SPELLINGS = "select name from spelling where folded = $1 order by name"


async def spellings(conn: Connection, name: str) -> list[str]:
    """Return the stored names that this one may mean; itself when there is none."""
    rows = await conn.fetch(SELECT_SPELLINGS, spelled(name))
    return [row["name"] for row in rows] or [name]


async def list_matters(conn: Connection, changes: Iterable[tuple[Matter | None, Matter]]) -> None:
    """Add matters to their lists, and move them to the other side when they end or are reopened."""
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
    named = {name for name, _, _ in fresh if name.startswith((of_park(""), of_category("")))}
    if named:
        await conn.execute(INSERT_SPELLINGS, [spelled(name) for name in named], list(named))
    for statement, rows in ((INSERT_LISTINGS, fresh), (MOVE_LISTINGS, moved)):
        if rows:
            await conn.execute(statement, *([row[at] for row in rows] for at in range(3)))


COUNT_OPEN = """
select count(*) from (
    select from listing where name = $1 and open limit $2
) as counted"""


async def holds_few(conn: Connection, name: str, few: int) -> bool:
    """Return whether a list has at most `few` open matters."""
    counted: int = await conn.fetchval(COUNT_OPEN, name, few + 1)
    return counted <= few
