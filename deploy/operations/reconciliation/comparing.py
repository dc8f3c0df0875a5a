"""Compares what the services know of the same matters, in one snapshot.

A matter is compared only when each service has processed all of the other's events, so that an event on its way is no
disagreement. A version beyond the owner's last one is a disagreement.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from shared.runtime.database import connect
from shared.runtime.table_copy import Session

MOST_COMPARED: Final = 50_000
MOST_SHOWN: Final = 100
ENDED_DAYS: Final = 3

OURS = """
select id, state, round, version, owner_id, body -> 'offer' ->> 'offer_id' as offer_id from followup.matter"""

RECENT = (
    OURS
    + """
    where state not in ('closed', 'merged', 'rejected', 'withdrawn')
       or uuid_extract_timestamp(id) > now() - make_interval(days => $1)
    order by id desc limit $2"""
)
THESE = OURS + " where id = any($1::uuid[])"

# The names in these texts are our own.
# ruff: noqa: S608

# A letter of the owner's own event, whose version was applied from another: the other one was forged.
OUSTED = """
exists (
    select from {service}.dead_letter as letter
    join {owner}.event on event.subject = letter.subject and event.version = letter.version
     and event.topic = letter.topic
     and convert_to(event.id::text, 'UTF8') = letter.header_values[array_position(letter.header_names, 'ce_id')]
    where letter.subject = compared.id::text and letter.topic = '{topic}' and letter.state = 'waiting'
      and letter.fate = 'failed' and letter.version <= compared.{service}_{short})"""

# An event that intake never took in, although it took in what came later on the same partition.
MISSED = """
intake_matters < version
and not exists (select from intake.dead_letter
                where subject = compared.id::text and topic = 'liaison.matters' and state = 'waiting')
and exists (
    select from followup.event as missed
    cross join lateral (
        select later.id from followup.event as later
        where later.seq > missed.seq and later.topic = 'liaison.matters' order by later.seq limit 200) as later
    join intake.inbox as come on come.event_id = later.id
    where missed.subject = compared.id::text and missed.version = compared.version
      and not exists (select from followup.outbox where outbox.seq = missed.seq)
      and come.partition = coalesce(
          (select known.partition from intake.inbox as known join followup.event as earlier
               on earlier.id = known.event_id
           where earlier.subject = compared.id::text limit 1), come.partition))"""

COMPARED = """
, compared as (
    select ours.*, progress.state as intake_state, progress.round as intake_round, progress.owner_id as intake_owner,
           coalesce(intake_matters.version, 0) as intake_matters,
           routing.id as routing_id, routing.version as routing_version, routing.round as routing_round,
           routing.standing, routing.owner_id as routing_owner, routing.offer_id::text as routing_offer,
           coalesce((select max(event.version) from routing.event where event.subject = ours.id::text),
                    routing.version, 0) as routing_recorded,
           coalesce(routing_matters.version, 0) as routing_matters,
           coalesce(routing_requests.version, 0) as routing_requests,
           coalesce(followup_requests.version, 0) as followup_requests,
           coalesce(followup_assignments.version, 0) as followup_assignments, request.version as request_version
    from ours
    left join intake.request on request.id = ours.id
    left join intake.progress on progress.request_id = ours.id
    left join intake.seen as intake_matters
        on intake_matters.subject = ours.id::text and intake_matters.topic = 'liaison.matters'
    left join routing.matter as routing on routing.id = ours.id
    left join routing.seen as routing_matters
        on routing_matters.subject = ours.id::text and routing_matters.topic = 'liaison.matters'
    left join routing.seen as routing_requests
        on routing_requests.subject = ours.id::text and routing_requests.topic = 'liaison.requests'
    left join followup.seen as followup_requests
        on followup_requests.subject = ours.id::text and followup_requests.topic = 'liaison.requests'
    left join followup.seen as followup_assignments
        on followup_assignments.subject = ours.id::text and followup_assignments.topic = 'liaison.assignments'
), judged as (
    select compared.*,
           routing_matters = version and followup_assignments = routing_recorded
               and routing_requests = followup_requests as is_quiet
    from compared
), found as (
    select id, 'intake' as service, 'version' as what from compared
    where intake_matters > version or {intake_ousted}
    union all
    select id, 'intake', 'behind' from compared where {missed}
    union all
    select id, 'intake', 'state' from compared
    where intake_matters = version and (intake_state, intake_round) is distinct from (state, round)
    union all
    select id, 'intake', 'owner' from compared
    where intake_matters = version and state = 'in_progress' and intake_state = state
      and intake_owner is distinct from owner_id
    union all
    select id, 'routing', 'version' from compared
    where routing_matters > version or routing_requests > request_version
       or routing_version <> routing_recorded or {routing_ousted}
    union all
    select id, 'followup', 'version' from compared
    where followup_assignments > routing_recorded or followup_requests > request_version or {followup_ousted}
    union all
    select id, 'routing', 'state' from judged
    where is_quiet and (standing = 'ended') <> (state in ('handled', 'closed', 'merged', 'rejected', 'withdrawn'))
       or is_quiet and routing_round <> round
       or routing_id is null and routing_requests > 0
    union all
    select id, 'routing', 'owner' from judged
    where is_quiet and standing = 'taken' and routing_owner is distinct from owner_id
    union all
    select id, 'routing', 'offer' from judged
    where is_quiet and standing = 'offered' and routing_offer is distinct from offer_id
)
select id::text as matter_id, service, what from found""".format(
    missed=MISSED,
    **{
        f"{service}_ousted": OUSTED.format(
            service=service, owner=owner, topic=topic, short=topic.removeprefix("liaison.")
        )
        for service, owner, topic in (
            ("intake", "followup", "liaison.matters"),
            ("routing", "followup", "liaison.matters"),
            ("followup", "routing", "liaison.assignments"),
        )
    },
)

DISAGREEMENTS = f"with ours as ({RECENT}){COMPARED} order by id, service, what limit $3"
DISAGREEMENTS_OF = f"with ours as ({THESE}){COMPARED} order by id, service, what"


class Disagreement(NamedTuple):
    """`service` disagrees with a matter's owner: about its version, state, owner or offer.

    It is `behind` where an event of the owner never reached it, although later ones did.
    """

    matter_id: str
    service: str
    what: str


async def disagreements(url: str) -> Sequence[Disagreement]:
    """Return the disagreements on matters that are open or began in the last 3 days, 100 at most."""
    conn = await connect(url, "followup")
    try:
        rows: Sequence[Any] = await conn.fetch(DISAGREEMENTS, ENDED_DAYS, MOST_COMPARED, MOST_SHOWN)
    finally:
        await conn.close(timeout=1)
    return [Disagreement(*row.values()) for row in rows]


async def disagreements_of(conn: Session, matter_ids: Sequence[str]) -> list[Disagreement]:
    """Return the disagreements on these matters."""
    return [Disagreement(*row.values()) for row in await conn.fetch(DISAGREEMENTS_OF, matter_ids)]
