"""Corrects a service's rows of one matter by the history of each fact's owner; one transaction per matter.

The owner's rows are locked first and a service's claims before its positions, as a batch takes them.
"""

from typing import Final

from deploy.operations.reconciliation.comparing import Disagreement
from shared.delivery.inbox import letters, store
from shared.runtime.table_copy import Session

BY: Final = "urn:liaison:reconciliation"
BECAUSE: Final = "the owner's event was applied after another had its version"


OWN_ROWS: Final = {
    "intake": "intake.request",
    "routing": "routing.matter",
    "followup": "followup.matter",
}

LOCK_OWNER = "select from {rows} where id = $1::uuid for update"
LOCK_POSITION = "select from {service}.seen where subject = $1 and topic = $2 for update"

OF_OWNER = """
{service}.dead_letter as letter
where letter.subject = $1 and letter.topic = $2 and letter.state = 'waiting'
  and exists (
      select from {owner}.event
      where event.subject = $1 and event.version = letter.version and event.topic = $2
        and convert_to(event.id::text, 'UTF8')
            = letter.header_values[array_position(letter.header_names, 'ce_id')])"""
DROP_PARKED = "delete from " + OF_OWNER + " and letter.fate in ('early', 'gap')"  # noqa: S608 - names of our own
SELECT_OUSTED = (
    "select letter.id from "  # noqa: S608 - names of our own
    + OF_OWNER
    + """ and letter.fate = 'failed'
  and letter.version <= (select version from {service}.seen where subject = $1 and topic = $2)"""
)
ASK_SETTLED = """
update dead_letter set asked = 'replay', asked_by = $2, asked_because = $3 where id = any($1::uuid[])"""

FORGET_CLAIMS = """
delete from {service}.inbox using {owner}.event
where event.subject = $1 and event.topic = $2 and inbox.event_id = event.id"""
CLAIM_ALL = """
insert into {service}.inbox (event_id, topic, partition, "offset")
select id, topic, -1, -1 from {owner}.event where subject = $1 and topic = $2 order by id
on conflict do nothing"""
SET_POSITION = """
update {service}.seen as seen
set version = {version},
    held = exists (select from {service}.dead_letter as letter
                   where letter.subject = $1 and letter.topic = $2 and letter.state = 'waiting')
where seen.subject = $1 and seen.topic = $2"""
RECORDED = """
(select coalesce(max(event.version), seen.version) from {owner}.event where event.subject = $1 and event.topic = $2)"""
TAKE_BACK = SET_POSITION + " and seen.version > {version}"
SEND_AGAIN = """
insert into {owner}.outbox (seq)
select seq from {owner}.event where subject = $1 and topic = $2 order by seq on conflict do nothing"""

FORGET_PROGRESS = "delete from intake.progress where request_id = $1::uuid"
FORGET_TIMELINE = "delete from intake.timeline where request_id = $1::uuid"

# Looked at by the clock in an hour, should routing not have made it right before.
RESTORE_MATTER = """
insert into routing.matter (id, round, attempt, version, standing, due_at, owner_id, requester_kind, requester_id,
                            requester_name, kind, category, urgency, summary, detail, received_at, park, tier,
                            dispatched)
select request.id, coalesce(latest.round, 1), coalesce(latest.attempt, 0), recorded.version, 'waiting',
       now() + interval '1 hour', accepted.party, request.requester_kind, request.requester_id,
       request.requester_name, request.kind, request.category, request.urgency, request.summary,
       case when request.category is null then request.detail else '' end, request.received_at,
       recorded.dispatch ->> 'park', enterprise.tier,
       json_build_object(
           'catalogue_version', recorded.dispatch -> 'catalogue_version', 'rule_id', recorded.dispatch -> 'rule_id',
           'category', recorded.dispatch -> 'category', 'lead_department', recorded.dispatch -> 'lead_department',
           'co_departments', recorded.dispatch -> 'co_departments', 'urgency', recorded.dispatch -> 'urgency',
           'difficulty', recorded.dispatch -> 'difficulty',
           'accept_minutes', round((recorded.dispatch ->> 'accept_hours')::numeric * 60)::int,
           'handle_days', recorded.dispatch -> 'handle_days')
from intake.request
cross join lateral (
    select (select max(version) from routing.event where subject = $1) as version,
           (select data -> 'dispatch' from routing.event
            where subject = $1 and data ->> 'dispatch' is not null order by version desc limit 1) as dispatch
    ) as recorded
left join lateral (
    select round, attempt from routing.offer where matter_id = request.id order by round desc, attempt desc limit 1
    ) as latest on true
left join lateral (
    select party from routing.offer where matter_id = request.id and state = 'accepted'
    order by round desc, attempt desc limit 1) as accepted on true
left join routing.enterprise on enterprise.uscc = request.requester_id
where request.id = $1::uuid and recorded.dispatch is not null
on conflict do nothing"""

ORDER_CORRECTION = """
insert into routing.correction (matter_id, version, state, round)
select id, version, state, round from followup.matter where id = $1::uuid
on conflict (matter_id) do update
set version = excluded.version, state = excluded.state, round = excluded.round, ordered_at = now()"""


async def mend(conn: Session, found: Disagreement) -> bool:
    """Start the correction of a disagreement; return False when it needs a person.

    Followup's own history is never changed: what it made of a forged event is for a person, and only how far it has
    followed the owner is mended. The session is not used for another service afterwards.
    """
    matter_id = found.matter_id
    async with conn.transaction():
        match found.service:
            case "intake":
                await _relearn_receipt(conn, matter_id)
            case "routing":
                await conn.execute(RESTORE_MATTER, matter_id)
                await _rewind(conn, "routing", "intake", (matter_id, "liaison.requests"))
                await _set_position(conn, "routing", "followup", (matter_id, "liaison.matters"))
                await conn.execute(ORDER_CORRECTION, matter_id)
            case _:
                await _rewind(conn, "followup", "intake", (matter_id, "liaison.requests"))
                await _rewind(conn, "followup", "routing", (matter_id, "liaison.assignments"))
    return found.service != "followup"


async def _relearn_receipt(conn: Session, matter_id: str) -> None:
    """Clear the receipt's view and have followup's history of the matter published again."""
    names = {"service": "intake", "owner": "followup"}
    place = (matter_id, "liaison.matters")
    await conn.execute(LOCK_OWNER.format(rows=OWN_ROWS["followup"]), matter_id)
    await conn.execute(LOCK_POSITION.format(**names), *place)
    await _close_own_letters(conn, names, place)
    await conn.execute(FORGET_CLAIMS.format(**names), *place)
    await conn.execute(SET_POSITION.format(version="0", **names), *place)
    await conn.execute(FORGET_PROGRESS, matter_id)
    await conn.execute(FORGET_TIMELINE, matter_id)
    await conn.execute(SEND_AGAIN.format(**names), *place)


async def _set_position(conn: Session, service: str, owner: str, place: tuple[str, str]) -> None:
    """Set the service's position to the owner's last recorded version."""
    names = {"service": service, "owner": owner}
    await conn.execute(LOCK_OWNER.format(rows=OWN_ROWS[owner]), place[0])
    await conn.execute(CLAIM_ALL.format(**names), *place)
    await conn.execute(LOCK_POSITION.format(**names), *place)
    await _close_own_letters(conn, names, place)
    version = RECORDED.format(**names)
    await conn.execute(SET_POSITION.format(version=version, **names), *place)


async def _rewind(conn: Session, service: str, owner: str, place: tuple[str, str]) -> None:
    """Set the service's position back to the owner's last version where it was beyond it."""
    names = {"service": service, "owner": owner}
    await conn.execute(LOCK_OWNER.format(rows=OWN_ROWS[owner]), place[0])
    await conn.execute(TAKE_BACK.format(version=RECORDED.format(**names), **names), *place)


async def _close_own_letters(conn: Session, names: dict[str, str], place: tuple[str, str]) -> None:
    """Close letters that hold the owner's own events, which are no longer needed; others stay."""
    await conn.execute(DROP_PARKED.format(**names), *place)
    ousted = [row["id"] for row in await conn.fetch(SELECT_OUSTED.format(**names), *place)]
    if not ousted:
        return
    await conn.execute(f"set local search_path = {names['service']}")
    await conn.execute(ASK_SETTLED, ousted, BY, BECAUSE)
    for letter_id in ousted:
        stored = await store.lock_asked(conn, letter_id)
        if stored is not None:
            await letters.close(conn, names["service"], stored, "replayed")
