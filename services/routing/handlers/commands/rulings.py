"""A coordinator's ruling on an objection (派单异议): once, in time, and the matter goes on in the same transaction."""

from dataclasses import dataclass
from datetime import datetime

from services.routing.domain import answers
from services.routing.domain.answers import RuleObjection
from services.routing.domain.decision import Refused
from services.routing.domain.moment import Acting
from services.routing.handlers.changes.change import Change
from services.routing.handlers.changes.persisting import load_cases, place_and_persist
from services.routing.handlers.commands.outcomes import Done, NotFound, Outcome, VersionConflict
from services.routing.handlers.office import Office
from services.routing.store import matters
from shared.contracts.vocabulary import Ruling
from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class GivenRuling:
    """A ruling: the actor, and the expected versions of the matter (None: any)."""

    objection_id: str
    ruling: Ruling
    acting: Acting
    note: str | None = None
    versions: frozenset[int] | None = None
    traceparent: str | None = None


async def rule_objection(
    conn: Connection, office: Office, given: GivenRuling, now: datetime
) -> Outcome:
    """Rule on an objection: upheld, the suggested owner gets the offer; overruled, the objecting party again."""
    matter_id = await matters.find_matter_of_objection(conn, given.objection_id)
    if matter_id is None:
        return NotFound()
    case = (await load_cases(conn, [matter_id]))[matter_id]
    if given.versions is not None and case.matter.version not in given.versions:
        return VersionConflict(case.matter.version)
    step = RuleObjection(given.objection_id, given.ruling, given.note)
    decision = answers.rule(case, step, office.moment(now, given.acting))
    if isinstance(decision, Refused):
        return decision
    change = Change(case, decision, traceparent=given.traceparent)
    (done,) = await place_and_persist(conn, office, [change], now)
    return Done(done, objection=decision.case.objection(given.objection_id))
