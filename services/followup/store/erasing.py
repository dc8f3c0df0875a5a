"""SQL that overwrites the personal data of a matter; its state, version, clocks and steps stay."""

from typing import Final
from uuid import UUID

import orjson

from services.followup.store.listing import of_requester
from shared.contracts.events.personal import erase_paths
from shared.contracts.vocabulary import MatterState, RequesterKind
from shared.runtime.database import Connection, counted

PERSONAL: Final = (
    "hold.reason",
    "shelf.reason",
    "handling.answer",
    "visit.words",
    "closing.exemption",
    "joint.title",
    "milestones.title",
    "milestones.evidence",
    "milestones.blocker",
    "tasks.title",
)
"""The paths of a matter's body that people write freely."""

SELECT_STATE = "select state from matter where id = $1"


async def state_of(conn: Connection, matter_id: UUID) -> MatterState | None:
    """Return a matter's state; None when it is unknown."""
    found = await conn.fetchval(SELECT_STATE, matter_id)
    return None if found is None else MatterState(found)


LOCK_BODY = "select body from matter where id = $1 for update"
SAVE_BODY = """
update matter set body = $2, exemption = case when exemption is not null then $3 end where id = $1"""

SELECT_REQUESTER = "select requester_kind, requester_id from request where matter_id = $1"

ERASE_REQUEST = """
update request
set requester_id = case requester_kind when 'enterprise' then requester_id else $2 end,
    requester_name = $2, summary = $2, detail = $2, attachments = '[]', terms = '{}', folded = '',
    location = case when location is not null then $2 end
where matter_id = $1 and summary <> $2"""

ERASE_MILESTONES = """
update milestone
set title = $2,
    evidence = case when evidence is not null then $2 end,
    blocker = case when blocker is not null then $2 end
where matter_id = $1 and (title <> $2 or evidence <> $2 or blocker <> $2)"""

ERASE_LISTING = "update listing set name = $3 where matter_id = $1 and name = $2"


async def erase(conn: Connection, matter_id: UUID, mark: str) -> dict[str, int]:
    """Overwrite personal data; return the number of rows by table."""
    body = await conn.fetchval(LOCK_BODY, matter_id)
    requester = await conn.fetchrow(SELECT_REQUESTER, matter_id)
    is_public = requester is None or requester["requester_kind"] == RequesterKind.ENTERPRISE
    done = {
        "matter": await _erase_body(conn, matter_id, body, mark, is_public),
        "request": await conn.execute(ERASE_REQUEST, matter_id, mark),
        "milestone": await conn.execute(ERASE_MILESTONES, matter_id, mark),
    }
    if requester is not None and not is_public and requester["requester_id"] != mark:
        names = (of_requester(requester["requester_id"]), of_requester(mark))
        done["listing"] = await conn.execute(ERASE_LISTING, matter_id, *names)
    return {table: counted(status) for table, status in done.items()}


async def _erase_body(
    conn: Connection, matter_id: UUID, body: str | None, mark: str, is_public: bool
) -> str:
    if body is None:
        return "UPDATE 0"
    document = orjson.loads(body)
    paths = PERSONAL if is_public else (*PERSONAL, "requester_id")
    if not erase_paths(document, paths, mark):
        return "UPDATE 0"
    return await conn.execute(SAVE_BODY, matter_id, orjson.dumps(document).decode(), mark)
