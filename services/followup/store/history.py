"""A matter's history, read from the events as they were recorded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.kit.db import Connection

SELECT_HISTORY = """
select version, id, type, at, causation_id, data
from event where subject = $1 and version > $2 order by version limit $3"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a matter: `data` is the event's, with its actor."""

    version: int
    event_id: str
    type: str
    at: datetime
    causation_id: str | None
    data: dict[str, Any]


async def load_history(conn: Connection, matter_id: UUID, after: int, limit: int) -> list[Entry]:
    """The changes after version `after`, in order."""
    return [
        Entry(
            row["version"],
            str(row["id"]),
            row["type"],
            row["at"],
            str(row["causation_id"]) if row["causation_id"] else None,
            orjson.loads(row["data"]),
        )
        for row in await conn.fetch(SELECT_HISTORY, str(matter_id), after, limit)
    ]
