"""The checker's own SQL: what must be true of the three databases, written without a look at the services' code."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

Session = asyncpg.Connection
SERVICES = ("intake", "routing", "followup")

FIND_REQUESTS = """
select given.place, request.id
from unnest($1::text[], $2::text[]) with ordinality as given (source, source_ref, place)
join intake.request on request.source = given.source and request.source_ref = given.source_ref"""


async def find_requests(conn: Session, names: Sequence[tuple[str, str]]) -> list[UUID | None]:
    """The request of each (source, source_ref), in their order; None where there is none."""
    found: list[UUID | None] = [None] * len(names)
    rows = await conn.fetch(FIND_REQUESTS, [n[0] for n in names], [n[1] for n in names])
    for row in rows:
        found[row["place"] - 1] = row["id"]
    return found


NOT_CURRENT = """
select count(*) from unnest($1::uuid[]) as asked (id)
left join followup.matter as matter on matter.id = asked.id
left join intake.progress as progress on progress.request_id = asked.id
where matter.id is null or matter.state = 'received' or progress.state is distinct from matter.state"""

PENDING = """
select (select count(*) from intake.outbox) + (select count(*) from routing.outbox)
     + (select count(*) from followup.outbox)"""


async def not_current(conn: Session, ids: Sequence[UUID]) -> int:
    """How many of these requests have not yet come all the way round, plus the events that Kafka has not got."""
    behind: int = await conn.fetchval(NOT_CURRENT, ids)
    pending: int = await conn.fetchval(PENDING)
    return behind + pending


NOT_TAKEN = {
    # Who must have taken in what intake, routing and followup said since the given positions.
    "routing has not taken from intake": """
select count(*) from intake.event where seq > $1 and topic = 'liaison.requests'
and not exists (select from routing.inbox where inbox.event_id = event.id)""",
    "followup has not taken from intake": """
select count(*) from intake.event where seq > $1 and topic = 'liaison.requests'
and not exists (select from followup.inbox where inbox.event_id = event.id)""",
    "followup has not taken from routing": """
select count(*) from routing.event where seq > $1 and topic = 'liaison.assignments'
and not exists (select from followup.inbox where inbox.event_id = event.id)""",
    "routing has not taken from followup": """
select count(*) from followup.event where seq > $1 and topic = 'liaison.matters'
and not exists (select from routing.inbox where inbox.event_id = event.id)""",
    "intake has not taken from followup": """
select count(*) from followup.event where seq > $1 and topic = 'liaison.matters'
and not exists (select from intake.inbox where inbox.event_id = event.id)""",
}
WRITERS = {name: name.rsplit(" ", 1)[1] for name in NOT_TAKEN}

STUCK = {
    "letters that wait for their turn": """
select (select count(*) from intake.dead_letter where state = 'waiting' and fate in ('early', 'gap'))
     + (select count(*) from routing.dead_letter where state = 'waiting' and fate in ('early', 'gap'))
     + (select count(*) from followup.dead_letter where state = 'waiting' and fate in ('early', 'gap'))""",
    "events that Kafka has not got": PENDING,
    "open matters without a next moment": """
select count(*) from followup.matter
where state not in ('closed', 'merged', 'rejected', 'withdrawn') and (next_due_at is null or act_at is null)""",
    "promises that passed and were not flagged": """
select count(*) from followup.matter where next_due_at < now() - interval '60 seconds' and not breached""",
    "clocks that ran out and were not acted on": """
select count(*) from followup.matter where act_at < now() - interval '30 seconds'""",
    "offers and reviews that ran out and were not acted on": """
select count(*) from routing.matter where due_at < now() - interval '30 seconds'""",
}
"""What nobody will move any more, or has not moved in time. Run while no clock is set forward."""

LOST = {
    "not opened in followup": """
select count(*) from unnest($1::uuid[]) as asked (id)
where not exists (select from followup.matter where matter.id = asked.id)
   or not exists (select from followup.request where request.matter_id = asked.id)""",
    "not known in routing": """
select count(*) from unnest($1::uuid[]) as asked (id)
where not exists (select from routing.matter where matter.id = asked.id)""",
    "not shown to the holder of the receipt": """
select count(*) from unnest($1::uuid[]) as asked (id)
where not exists (select from intake.progress where progress.request_id = asked.id)""",
    "with nobody": """
select count(*) from unnest($1::uuid[]) as asked (id) join routing.matter on matter.id = asked.id
where standing in ('offered', 'taken')
and (select count(*) from routing.offer where offer.matter_id = matter.id and holding) <> 1""",
    "said otherwise by another service": """
select count(*) from unnest($1::uuid[]) as asked (id)
join routing.matter as routed on routed.id = asked.id
join followup.matter as followed on followed.id = asked.id
join intake.progress on progress.request_id = asked.id
where progress.state <> followed.state
   or not case routed.standing
      when 'offered' then followed.state in ('offered', 'in_progress', 'on_hold', 'shelved')
      when 'taken' then followed.state in ('in_progress', 'on_hold', 'shelved')
      when 'waiting' then followed.state = 'awaiting_dispatch'
      else followed.state in ('handled', 'closed', 'merged', 'rejected', 'withdrawn') end""",
}
"""What must be nothing of the requests ($1) that were acknowledged, when everything has come to rest."""

GAPS = """
select count(*) from (select from {schema}.event group by subject
                      having max(version) <> count(*) or min(version) <> 1) as broken"""

DOUBLED = {
    "counted twice in the rates": """
select count(*) from (select from followup.tally where what in ('contacted', 'handled', 'closed')
                      group by matter_id, round, what having count(*) > 1) as twice""",
    "in a timeline twice": """
select count(*) from (select from intake.timeline group by request_id, version having count(*) > 1) as twice""",
    "counted wrongly in a queue": """
select count(*) from routing.queue
where load <> (select count(*) from routing.offer where offer.party = queue.party and holding)""",
    "registered twice": """
select count(*) from (select from intake.request group by source, source_ref having count(*) > 1) as twice""",
}

# What a newer event of its subject stands for on a compacted topic may be gone from it.
NEW_EVENTS = """
select seq, id from {schema}.event where seq > $1
and not (topic = 'liaison.directory' and exists (
    select from {schema}.event newer
    where newer.subject = event.subject and newer.topic = event.topic and newer.version > event.version))
order by seq"""
LETTERS = """
select fate, reason, topic, header_names, header_values from {schema}.dead_letter
where fate in ('poison', 'failed', 'unknown_version')"""


@dataclass(frozen=True, slots=True)
class FoundLetter:
    """A dead letter, with the mark of whoever injected it; None when nobody did."""

    service: str
    fate: str
    reason: str
    topic: str
    mark: str | None


async def letters(conn: Session, mark: str) -> list[FoundLetter]:
    """Every dead letter of the three services."""
    found = []
    for service in SERVICES:
        for row in await conn.fetch(LETTERS.format(schema=service)):
            headers = dict(zip(row["header_names"], row["header_values"], strict=True))
            value = headers.get(mark)
            found.append(
                FoundLetter(
                    service, row["fate"], row["reason"], row["topic"], value and value.decode()
                )
            )
    return found


async def new_events(conn: Session, service: str, after: int) -> tuple[list[UUID], int]:
    """The ids of the events that a service recorded after a position, and the last position."""
    rows = await conn.fetch(NEW_EVENTS.format(schema=service), after)
    return [row["id"] for row in rows], rows[-1]["seq"] if rows else after


async def gaps(conn: Session) -> int:
    """How many subjects have a history whose versions are not 1, 2, 3 and so on."""
    return sum([await conn.fetchval(GAPS.format(schema=service)) for service in SERVICES])
