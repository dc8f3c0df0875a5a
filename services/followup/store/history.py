"""A matter's history, read from the recorded events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from shared.contracts.events.amending import MatterAmended
from shared.contracts.vocabulary import Amendment
from shared.runtime.database import Connection

SELECT_HISTORY = """
select version, id, type, at, causation_id, data
from event where subject = $1 and version > $2 order by version limit $3"""


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """One change of a matter: `data` is the event's, with its actor."""

    version: int
    event_id: str
    type: str
    at: datetime
    causation_id: str | None
    data: dict[str, Any]


async def load_history(
    conn: Connection, matter_id: UUID, after: int, limit: int
) -> list[RecordedChange]:
    """Return the changes after version `after`, in order."""
    return [
        RecordedChange(
            row["version"],
            str(row["id"]),
            row["type"],
            row["at"],
            str(row["causation_id"]) if row["causation_id"] else None,
            orjson.loads(row["data"]),
        )
        for row in await conn.fetch(SELECT_HISTORY, str(matter_id), after, limit)
    ]


MOST_WORDS: Final = 200

SELECT_WORDS = """
select subject, at, data from event
where subject = any($1::text[]) and type = $2 order by seq desc limit $3"""


@dataclass(frozen=True, slots=True)
class Words:
    """A message that a requester added by receipt to the request `request_id`."""

    request_id: str
    at: datetime
    about: Amendment
    message: str
    solved: bool | None
    satisfaction: int | None


async def load_words(conn: Connection, ids: Sequence[str]) -> list[Words]:
    """Return the newest 200 requesters' messages of these matters, oldest first.

    Words about a request that was merged stand in both matters; where both are asked for they are given once.
    """
    rows = await conn.fetch(SELECT_WORDS, ids, MatterAmended.wire_type(), MOST_WORDS)
    found: list[Words] = []
    for row in reversed(rows):
        said = MatterAmended.model_validate_json(row["data"])
        if said.request_id is None or said.request_id not in ids:
            found.append(
                Words(
                    said.request_id or row["subject"],
                    row["at"],
                    said.about,
                    said.message,
                    said.solved,
                    said.satisfaction,
                )
            )
    return found


SELECT_OF_TYPES = """
select subject, type, data from event
where subject = any($1::text[]) and type = any($2::text[]) order by subject, version"""


async def load_of_types(
    conn: Connection, matter_ids: Sequence[UUID | str], types: Sequence[str]
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the changes of some types, each with its matter and type, in the order of each matter's versions."""
    rows = await conn.fetch(SELECT_OF_TYPES, [str(each) for each in matter_ids], types)
    return [(row["subject"], row["type"], orjson.loads(row["data"])) for row in rows]
