"""Read model of the directory: the parties that exist, as routing publishes them."""

from collections.abc import Collection, Mapping

from shared.contracts.vocabulary import PartyKind
from shared.runtime.database import Connection

# Sorted, so that two batches never wait for each other in a circle.
PUT_PARTIES = """
insert into party (id, kind, name)
select given.id, given.kind, given.name
from unnest($1::text[], $2::text[], $3::text[]) as given (id, kind, name)
order by given.id
on conflict (id) do update set kind = excluded.kind, name = excluded.name"""


async def put_parties(conn: Connection, parties: Mapping[str, tuple[PartyKind, str]]) -> None:
    """Write parties (kind, name) by id."""
    kinds = [kind for kind, _ in parties.values()]
    names = [name for _, name in parties.values()]
    await conn.execute(PUT_PARTIES, list(parties), kinds, names)


SELECT_NAMES = "select id, name from party where id = any($1::text[])"
SELECT_KINDS = "select id, kind from party where id = any($1::text[])"
SELECT_HEARD = "select exists (select from party where kind = 'department')"


async def load_kinds(conn: Connection, ids: Collection[str]) -> dict[str, PartyKind] | None:
    """Return the kinds of those ids that the directory has; None while it has received no department yet."""
    wanted = set(ids)
    rows = await conn.fetch(SELECT_KINDS, sorted(wanted))
    if len(rows) < len(wanted) and not await conn.fetchval(SELECT_HEARD):
        return None
    return {row["id"]: PartyKind(row["kind"]) for row in rows}


async def load_names(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """The names of those of these ids that the directory has, by id."""
    wanted = sorted(set(ids))
    rows = await conn.fetch(SELECT_NAMES, wanted) if wanted else []
    return {row["id"]: row["name"] for row in rows}
