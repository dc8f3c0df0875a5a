"""Dependencies of followup's routes, and the response to a step's outcome."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from fastapi import Request

from services.followup.api.patience import attempt_patiently
from services.followup.api.views import matter_view
from services.followup.domain.decision import Refusal, Refused
from services.followup.domain.moment import ActingParty
from services.followup.domain.naming import Misnamed
from services.followup.handlers.news import MatterNews
from services.followup.handlers.office import Office
from services.followup.handlers.steps import (
    Call,
    Done,
    Missing,
    StepOutcome,
    VersionConflict,
)
from shared.auth.tokens import require
from shared.contracts.vocabulary import Role
from shared.http.problems import problem_responses
from shared.http.writes.idempotency import WriteResponse, run_once
from shared.http.writes.preconditions import version_moved
from shared.http.writes.steps import StepRequest
from shared.messages.catalogue import text
from shared.runtime.clock import Clock
from shared.runtime.database import Connection, Database
from shared.runtime.errors import FieldError, Problem


@dataclass(frozen=True, slots=True)
class Edge:
    """Dependencies of the routes, in `app.state.edge`."""

    db: Database
    clock: Clock
    office: Office
    news: MatterNews


def edge_of(request: Request) -> Edge:
    """The edge of the app that serves `request`."""
    edge: Edge = request.app.state.edge
    return edge


STAFF = require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR)
ACTING = require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR)

PROBLEMS: Final = problem_responses(400, 401, 403, 404, 409, 412, 422)

_STATUS: Final[Mapping[Refusal, int]] = MappingProxyType(
    {
        Refusal.NOT_YOURS: 403,
        Refusal.COORDINATOR_ONLY: 403,
        Refusal.NOT_INDEPENDENT: 403,
        Refusal.EXTENSION_SPENT: 403,
        Refusal.LEAVE_NEEDED: 403,
        Refusal.EXEMPTS_ITSELF: 403,
        Refusal.REJECTS_OWN_WORK: 403,
        Refusal.MILESTONE_UNKNOWN: 404,
        Refusal.TASK_UNKNOWN: 404,
        Refusal.REASON_NEEDED: 422,
        Refusal.NOT_LATER: 422,
        Refusal.TOO_FAR: 422,
        Refusal.TOTAL_SPENT: 422,
        Refusal.OUTCOME_NOT_GIVEN: 422,
        Refusal.VISIT_INCOMPLETE: 422,
        Refusal.MERGED_WITH_ITSELF: 422,
        Refusal.DEPARTMENT_UNKNOWN: 422,
    }
)
"""Who it is: 403. What is asked for: 404. What was sent: 422. Everything else is how the matter stands: 409."""

Work: TypeAlias = Callable[[Connection, Call], Awaitable[StepOutcome]]


NotDone: TypeAlias = Refused | Missing | VersionConflict


class _NotDone(Exception):
    """Carries an outcome out of a transaction that is rolled back."""

    def __init__(self, outcome: NotDone) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


async def perform(edge: Edge, wanted: StepRequest, work: Work) -> WriteResponse:
    """Run `work` in one transaction and respond with the matter; waits up to 2 s for events that it depends on.

    A step can overtake the news it builds on: somebody accepts at routing, and calls here before the
    acceptance came through Kafka. Raises Problem for a step that is refused.
    """

    async def attempt() -> WriteResponse | NotDone:
        return await _attempt(edge, wanted, work)

    found = await attempt_patiently(edge.db, edge.news, wanted.ids["matter_id"], attempt)
    if isinstance(found, WriteResponse):
        return found
    raise problem_of(found, edge, wanted.lang)


async def _attempt(edge: Edge, wanted: StepRequest, work: Work) -> WriteResponse | NotDone:
    actor = ActingParty(wanted.principal.role, wanted.principal.party)
    call = Call(actor, edge.clock, wanted.versions, wanted.traceparent)

    async def in_transaction(conn: Connection) -> WriteResponse:
        outcome = await work(conn, call)
        if not isinstance(outcome, Done):
            raise _NotDone(outcome)
        matter = outcome.matter
        view = matter_view(matter, actor, edge.clock(), edge.office, explainer(edge, wanted.lang))
        return WriteResponse(200, view, {"etag": f'"{matter.version}"'})

    try:
        return await run_once(edge.db, wanted.key, in_transaction)
    except _NotDone as refused:
        return refused.outcome


def explainer(edge: Edge, lang: str) -> Callable[[Refused], str]:
    """What says a refusal in a language."""
    return lambda refused: str(problem_of(refused, edge, lang).body(lang)["detail"])


def problem_of(outcome: NotDone, edge: Edge, lang: str) -> Problem:
    """Return the problem document of an outcome, with the catalogue's words."""
    match outcome:
        case Missing():
            return Problem(404, "matter_not_found")
        case VersionConflict(version):
            return version_moved(version)
        case Refused(misnamed=wrong) if wrong:
            errors = [_misnamed_error(each, lang) for each in wrong]
            return Problem(422, outcome.code, errors=errors)
        case Refused(code, state, allowed, params):
            words = {name: _word(name, value, edge, lang) for name, value in params.items()}
            words["state"] = text(f"state.{state}", lang)
            words["allowed"] = _joined([text(f"state.{each}", lang) for each in allowed], lang)
            name = "not_in_this_state" if code is Refusal.WRONG_STATE else code.value
            status = _STATUS.get(code, 409)
            members = {"state": state, "allowed_states": list(allowed)} if status == 409 else {}
            return Problem(status, name, params=words, members=members)


def _misnamed_error(wrong: Misnamed, lang: str) -> FieldError:
    code = "unknown_department" if wrong.kind is None else "not_a_department"
    words = text(f"field.{code}", lang, party=wrong.party)
    return FieldError(f"/body/{wrong.pointer}", code, words)


def _word(name: str, value: object, edge: Edge, lang: str) -> str:
    match value:
        case datetime():
            return value.astimezone(edge.office.calendar.zone).strftime("%Y-%m-%d %H:%M")
        case list():
            words = [text(f"clock.{each}", lang) for each in value] if name == "running" else value
            return _joined(words, lang)
        case _ if name == "clock":
            return text(f"clock.{value}", lang)
        case _:
            return str(value)


def _joined(words: list[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(words)
