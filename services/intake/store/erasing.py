"""SQL that overwrites the personal data of a request; its ids, times and steps stay."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from shared.contracts.events.matters import MatterFedBack, MatterHandled, MatterRejected
from shared.contracts.events.personal import erase_person
from shared.runtime.database import Connection, counted
from shared.runtime.ids import spelled_code

# Of the timeline's other words each is the name of a liaison or a department.
TYPES_OF_WORDS: Final = (MatterFedBack.TYPE, MatterHandled.TYPE, MatterRejected.TYPE)

FIND = """
select id from request
where id = $1 or receipt = $2 or id = (select request_id from receipt where code = $2)"""


async def find(conn: Connection, named: str) -> UUID | None:
    """Return the request with this id or receipt, in any spelling; None when there is none."""
    found: UUID | None = await conn.fetchval(FIND, _as_id(named), spelled_code(named[:64]))
    return found


def _as_id(named: str) -> UUID | None:
    """Return the canonical id that a text spells, in either case; None when it is none."""
    with suppress(ValueError):
        found = UUID(named)
        return found if str(found) == named.lower() else None
    return None


@dataclass(frozen=True, slots=True)
class Named:
    """The sender's and a file's names of a request."""

    source: str
    source_ref: str
    requester_name: str


LOCK_NAMED = "select source, source_ref, requester_name from request where id = $1 for update"


async def lock_named(conn: Connection, request_id: UUID) -> Named | None:
    """Return the names of a request, locked until the transaction ends; None when there is none."""
    row = await conn.fetchrow(LOCK_NAMED, request_id)
    return None if row is None else Named(*row.values())


ERASE_REQUEST = """
update request
set requester_id = case requester_kind when 'enterprise' then requester_id else $2 end,
    requester_name = $2, summary = $2, detail = $2, attachments = '[]',
    contact_name = case when contact_name is not null then $2 end,
    contact_phone = case when contact_phone is not null then $2 end,
    location = case when location is not null then $2 end
where id = $1 and summary <> $2"""

ERASE_PROGRESS = """
update progress
set answer = case when answer is not null then $2 end,
    rejected_because = case when rejected_because is not null then $2 end,
    lawful_channel = case when lawful_channel is not null then $2 end
where request_id = $1 and (answer <> $2 or rejected_because <> $2 or lawful_channel <> $2)"""

ERASE_TIMELINE = """
update timeline set words = $2 where request_id = $1 and type = any($3::text[]) and words <> $2"""

# A row that told something else under the same name, and one that was faulty and has the names of this request.
ERASE_ROWS = """
update import_row set cells = null, submission = null, errors = '[]'
where cells is not null and outcome in ('conflicting', 'faulty')
  and (request_id = $1 or array(select json_array_elements_text(cells)) @> array[$2::text, $3::text])"""

SELECT_MATTER_EVENTS = "select seq, type, data from matter_event where subject = $1 order by seq"

ERASE_MATTER_EVENTS = """
update matter_event set data = given.data
from unnest($1::bigint[], $2::json[]) as given (seq, data) where matter_event.seq = given.seq"""


async def erase(conn: Connection, request_id: UUID, named: Named, mark: str) -> dict[str, int]:
    """Overwrite personal data; return the number of rows by table."""
    words: Sequence[str] = TYPES_OF_WORDS
    done = {
        "import_row": await conn.execute(
            ERASE_ROWS, request_id, named.source_ref, named.requester_name
        ),
        "request": await conn.execute(ERASE_REQUEST, request_id, mark),
        "progress": await conn.execute(ERASE_PROGRESS, request_id, mark),
        "timeline": await conn.execute(ERASE_TIMELINE, request_id, mark, words),
        "matter_event": await _erase_matter_events(conn, request_id, mark),
    }
    return {table: counted(status) for table, status in done.items()}


async def _erase_matter_events(conn: Connection, request_id: UUID, mark: str) -> str:
    left = {}
    for row in await conn.fetch(SELECT_MATTER_EVENTS, request_id):
        data = orjson.loads(row["data"])
        if erase_person(row["type"], data, mark):
            left[row["seq"]] = orjson.dumps(data).decode()
    return await conn.execute(ERASE_MATTER_EVENTS, list(left), list(left.values()))
