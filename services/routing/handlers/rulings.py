"""A coordinator's ruling on an objection (派单异议): once, in time, and the matter goes on in the same transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.routing.domain import answers
from services.routing.domain.answers import Acting, AlreadySettled, OfferedTo
from services.routing.domain.dispatching import acted_on_at
from services.routing.domain.matter import Case, Cause, Objection, ObjectionState
from services.routing.handlers.changes import Change, Placing
from services.routing.handlers.office import Office
from services.routing.handlers.outcomes import (
    Done,
    NotFound,
    Outcome,
    Refused,
    VersionConflict,
    actor_of,
)
from services.routing.handlers.persisting import load_cases, place_and_persist
from services.routing.store import matters
from services.routing.store.offers import Settlement
from shared.contracts.assignments import ObjectionRuled
from shared.contracts.vocabulary import Ruling
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class GivenRuling:
    """How an objection is ruled, by whom, and at which versions of the matter (None: at any)."""

    objection_id: str
    ruling: Ruling
    acting: Acting
    note: str | None = None
    versions: frozenset[int] | None = None
    traceparent: str | None = None


async def rule_objection(
    conn: Connection, office: Office, given: GivenRuling, now: datetime
) -> Outcome:
    """A coordinator decides: upheld, the suggested owner is offered the matter; overruled, who objected is again."""
    matter_id = await matters.find_matter_of_objection(conn, given.objection_id)
    if matter_id is None:
        return NotFound()
    case = (await load_cases(conn, [matter_id]))[matter_id]
    if given.versions is not None and case.matter.version not in given.versions:
        return VersionConflict(case.matter.version)
    objection = next(found for found in case.objections if found.id == given.objection_id)
    review_at = acted_on_at(objection.review_at, None, office.calendar)
    decision = answers.rule(replace(objection, review_at=review_at), given.ruling, now)
    match decision:
        case OfferedTo(party_id=owner):
            change = _ruled(case, objection, given, owner)
        case AlreadySettled():
            return Refused(decision, case)
    await place_and_persist(conn, office, [change], now)
    return Done(change, objection=objection)


def _ruled(case: Case, objection: Objection, given: GivenRuling, owner: str) -> Change:
    change = Change(case.matter, traceparent=given.traceparent)
    upheld = given.ruling is Ruling.UPHELD
    state = ObjectionState.UPHELD if upheld else ObjectionState.OVERRULED
    change.settlements.append(Settlement(objection.id, state, given.acting.party, given.note))
    change.events.append(
        ObjectionRuled(
            actor=actor_of(given.acting),
            matter_id=objection.matter_id,
            objection_id=objection.id,
            round=objection.round,
            ruling=given.ruling,
            note=given.note,
        )
    )
    change.placing = Placing(
        Cause.UPHELD if upheld else Cause.OVERRULED,
        ruled=owner,
        answered=answers.answered(case.offers, case.matter.round),
    )
    return change
