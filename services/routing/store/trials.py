"""Past requests with their decisions, for a trial of another catalogue."""

from dataclasses import dataclass
from typing import Final

from services.routing.domain.dispatching import Dispatched, Facts
from services.routing.store.matters import dispatched_from
from shared.contracts.vocabulary import Kind, Tier, Urgency
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Past:
    """A request, the facts of its decision, and the decision."""

    matter_id: str
    summary: str
    facts: Facts
    dispatched: Dispatched


NEWEST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""Before this come all."""

LOAD_PAST = """
select id, summary, detail, kind, category, urgency, park, tier, dispatched
from matter
where id < $1
order by id desc limit $2"""


async def load_past(conn: Connection, before: str, limit: int) -> list[Past]:
    """Return requests older than `before`, newest first: ids are in the order of time."""
    return [
        Past(
            str(row["id"]),
            row["summary"],
            Facts(
                row["category"],
                Kind(row["kind"]),
                Urgency(row["urgency"]),
                row["park"],
                None if row["tier"] is None else Tier(row["tier"]),
                "" if row["category"] else f"{row['summary']}\n{row['detail']}",
            ),
            dispatched_from(row["dispatched"]),
        )
        for row in await conn.fetch(LOAD_PAST, before, limit)
    ]
