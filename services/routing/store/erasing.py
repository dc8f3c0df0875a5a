"""SQL that overwrites the personal data of a matter; its offers and decisions stay."""

from uuid import UUID

from shared.runtime.database import Connection, counted

LOCK_MATTER = "select from matter where id = $1 for update"

ERASE_MATTER = """
update matter
set requester_id = case requester_kind when 'enterprise' then requester_id else $2 end,
    requester_name = $2, summary = $2, detail = $2
where id = $1 and summary <> $2"""

ERASE_OFFERS = "update offer set note = $2 where matter_id = $1 and note <> $2"

ERASE_OBJECTIONS = """
update objection
set note = case when note is not null then $2 end,
    ruling_note = case when ruling_note is not null then $2 end
where matter_id = $1 and (note <> $2 or ruling_note <> $2)"""


async def erase(conn: Connection, matter_id: UUID, mark: str) -> dict[str, int]:
    """Overwrite personal data; return the number of rows by table."""
    await conn.execute(LOCK_MATTER, matter_id)
    done = {
        "matter": await conn.execute(ERASE_MATTER, matter_id, mark),
        "offer": await conn.execute(ERASE_OFFERS, matter_id, mark),
        "objection": await conn.execute(ERASE_OBJECTIONS, matter_id, mark),
    }
    return {table: counted(status) for table, status in done.items()}
