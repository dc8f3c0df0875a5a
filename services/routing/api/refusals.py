"""Maps refusals of commands to problem documents: the reason, the next step, and who holds the matter now."""

from services.routing.api.views import holder_view, holder_words
from services.routing.domain.decision import (
    AlreadySettled,
    NoSuchOwner,
    NotOpen,
    NotYours,
    ObjectionSpent,
    Refused,
    SuggestsItself,
)
from services.routing.handlers.commands.outcomes import Done, NotFound, Outcome, VersionConflict
from shared.http.writes.preconditions import version_moved
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, Problem


def done_or_problem(outcome: Outcome, missing: str, lang: str) -> Done:
    """Return a successful outcome. Raises the Problem of a refusal, 404 `missing` for an unknown id."""
    match outcome:
        case Done():
            return outcome
        case NotFound():
            raise Problem(404, missing)
        case VersionConflict(version=version):
            raise version_moved(version)
        case Refused():
            raise _refusal(outcome, lang)


def _refusal(refused: Refused, lang: str) -> Problem:
    holder = refused.holder
    members = {"holder": holder_view(holder, lang), "matter_id": refused.case.matter.id}
    words = holder_words(holder, lang)
    match refused.why:
        case NotYours():
            party = refused.offer.party.name if refused.offer else words
            return Problem(403, "not_your_offer", params={"party": party})
        case NotOpen(state=state):
            label = text(f"routing.state.{state}", lang)
            return Problem(
                409,
                "offer_not_open",
                params={"state": label, "holder": words},
                members=members | {"state": state},
            )
        case ObjectionSpent():
            return Problem(409, "objection_spent", members=members)
        case SuggestsItself():
            return _suggestion("suggests_itself", lang)
        case NoSuchOwner():
            return _suggestion("no_such_owner", lang)
        case AlreadySettled(state=settled):
            label = text(f"routing.objection.{settled}", lang)
            return Problem(
                409,
                "objection_settled",
                params={"state": label, "holder": words},
                members=members | {"state": settled},
            )


def _suggestion(code: str, lang: str) -> Problem:
    detail = text(f"problem.{code}.detail", lang)
    return Problem(422, code, errors=[FieldError("/body/suggested_owner", code, detail)])
