"""Accepts and declines offers: one command, one transaction."""

from dataclasses import dataclass
from datetime import datetime

from services.routing.domain import answers
from services.routing.domain.answers import Accept, Declination, Decline
from services.routing.domain.decision import Refused
from services.routing.domain.matter import Case
from services.routing.domain.moment import Acting
from services.routing.handlers.changes.change import Change, new_objections
from services.routing.handlers.changes.persisting import load_cases, place_and_persist
from services.routing.handlers.commands.outcomes import Done, NotFound, Outcome, VersionConflict
from services.routing.handlers.office import Office
from services.routing.store import matters
from services.routing.store.directory import town
from shared.runtime.database import Connection
from shared.runtime.ids import new_id


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer to an offer: the actor, and the expected versions of the matter (None: any)."""

    offer_id: str
    acting: Acting
    versions: frozenset[int] | None = None
    traceparent: str | None = None


async def accept_offer(
    conn: Connection, office: Office, answering: Answering, now: datetime
) -> Outcome:
    """Accept an offer: the party becomes the owner (签收)."""
    case = await _case_of_offer(conn, answering)
    if not isinstance(case, Case):
        return case
    moment = office.moment(now, answering.acting)
    decision = answers.accept(case, Accept(answering.offer_id), moment)
    if isinstance(decision, Refused):
        return decision
    change = Change(case, decision, traceparent=answering.traceparent)
    (done,) = await place_and_persist(conn, office, [change], now)
    return Done(done, decision.case.offer(answering.offer_id))


async def decline_offer(
    conn: Connection,
    office: Office,
    answering: Answering,
    declination: Declination,
    now: datetime,
) -> Outcome:
    """Decline an offer (退单): the next candidate gets one, or a named better owner leads to a ruling."""
    case = await _case_of_offer(conn, answering)
    if not isinstance(case, Case):
        return case
    owner = declination.suggested_owner
    known = owner is None or bool(await town.load_parties(conn, [owner]))
    step = Decline(answering.offer_id, declination, new_id(), known)
    decision = answers.decline(case, step, office.moment(now, answering.acting))
    if isinstance(decision, Refused):
        return decision
    change = Change(case, decision, traceparent=answering.traceparent)
    (done,) = await place_and_persist(conn, office, [change], now)
    raised = new_objections(done)
    return Done(done, decision.case.offer(answering.offer_id), raised[0] if raised else None)


async def _case_of_offer(
    conn: Connection, answering: Answering
) -> Case | NotFound | VersionConflict:
    matter_id = await matters.find_matter_of_offer(conn, answering.offer_id)
    if matter_id is None:
        return NotFound()
    case = (await load_cases(conn, [matter_id], answering.offer_id))[matter_id]
    # Who may not answer learns nothing of the matter's version.
    expected, version = answering.versions, case.matter.version
    if answers.may_answer(case.offer(answering.offer_id), answering.acting) and (
        expected is not None and version not in expected
    ):
        return VersionConflict(version)
    return case
