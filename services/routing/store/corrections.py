"""Orders to correct a matter's row by routing's own offers."""

from dataclasses import dataclass
from uuid import UUID

from shared.contracts.vocabulary import MatterState
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Correction:
    """A matter as followup recorded it at its `version`."""

    matter_id: str
    version: int
    state: MatterState
    round: int


CLAIM_CORRECTION = """
delete from correction
where matter_id = (select matter_id from correction order by ordered_at limit 1 for update skip locked)
returning matter_id, version, state, round"""


async def claim(conn: Connection) -> Correction | None:
    """Remove the oldest order and return it; None when there is none."""
    row = await conn.fetchrow(CLAIM_CORRECTION)
    if row is None:
        return None
    state = MatterState(row["state"])
    return Correction(str(row["matter_id"]), row["version"], state, row["round"])


# Offers of a later round were made of a reopening that followup never recorded: what becomes of them a person says.
ALIGN_MATTER = """
update matter
set round = $2,
    attempt = coalesce((select max(attempt) from offer where matter_id = $1 and round = $2), 0),
    version = coalesce((select max(version) from event where subject = $1::text), version)
where id = $1 and not exists (select from offer where matter_id = $1 and round > $2)
returning id"""


async def align(conn: Connection, matter_id: str, round_: int) -> bool:
    """Set the matter's round and counts to those recorded; return False when it has offers of a later round."""
    return await conn.fetchval(ALIGN_MATTER, UUID(matter_id), round_) is not None
