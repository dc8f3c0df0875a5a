"""What every route of followup works with, and how a step's outcome becomes an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from fastapi import Request, Response

from services.followup.api.views import matter_view
from services.followup.domain.decision import Refusal, Refused
from services.followup.domain.moment import Actor
from services.followup.handlers.office import Office
from services.followup.handlers.steps import (
    Call,
    Done,
    Missing,
    Outcome,
    Overtaken,
    may_yet_come,
)
from shared.contracts.vocabulary import Role
from shared.kit import commands
from shared.kit.auth import Principal, require
from shared.kit.clock import Clock, system_clock
from shared.kit.commands import Answer, if_match
from shared.kit.db import Connection, Database
from shared.kit.messages import text
from shared.kit.problems import Problem, ProblemDocument, language
from shared.kit.spans import trace_in

PATIENCE_SECONDS: Final = 2.0
"""How long a step waits for the news that it depends on; then it is refused."""

BREATH_SECONDS: Final = 0.01
POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Edge:
    """What the routes work with."""

    db: Database
    clock: Clock
    office: Office


def edge_of(request: Request) -> Edge:
    """The edge of the app that serves `request`."""
    edge: Edge = request.app.state.edge
    return edge


STAFF = require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR)
ACTING = require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR)

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ProblemDocument, "content": {"application/problem+json": {}}}
    for status in (400, 401, 403, 404, 409, 412, 422)
}

_STATUS: Final[Mapping[Refusal, int]] = MappingProxyType(
    {
        Refusal.NOT_YOURS: 403,
        Refusal.COORDINATOR_ONLY: 403,
        Refusal.NOT_INDEPENDENT: 403,
        Refusal.EXTENSION_SPENT: 403,
        Refusal.MILESTONE_UNKNOWN: 404,
        Refusal.TASK_UNKNOWN: 404,
        Refusal.REASON_NEEDED: 422,
        Refusal.NOT_LATER: 422,
        Refusal.TOO_FAR: 422,
        Refusal.OUTCOME_NOT_GIVEN: 422,
        Refusal.VISIT_INCOMPLETE: 422,
        Refusal.MERGED_WITH_ITSELF: 422,
    }
)
"""Who it is: 403. What is asked for: 404. What was sent: 422. Everything else is how the matter stands: 409."""

Work: TypeAlias = Callable[[Connection, Call], Awaitable[Outcome]]


class _NotDone(Exception):
    """Carries an outcome out of the transaction, which is rolled back."""

    def __init__(self, outcome: Refused | Missing | Overtaken) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


async def take_step(request: Request, principal: Principal, work: Work) -> Response:
    """Do `work` in one transaction and answer with the matter; what it depends on may be 2 s late.

    A step can overtake the news it builds on: somebody accepts at routing, and calls here before the
    acceptance came through Kafka. Such a refusal is tried again whenever something was committed.
    """
    loop = asyncio.get_running_loop()
    edge, deadline = edge_of(request), loop.time() + PATIENCE_SECONDS
    while True:
        before = edge.db.committed.count
        try:
            return await _try(request, principal, work)
        except _NotDone as refused:
            left = deadline - loop.time()
            if left <= 0 or not may_yet_come(refused.outcome, system_clock()):
                raise problem_of(refused.outcome, edge, language(request)) from None
        await asyncio.sleep(BREATH_SECONDS)
        await edge.db.committed.wait(min(POLL_SECONDS, left), before)


async def _try(request: Request, principal: Principal, work: Work) -> Response:
    edge, actor = edge_of(request), Actor(principal.role, principal.party)
    call = Call(actor, edge.clock(), if_match(request), trace_in(request))

    async def in_transaction(conn: Connection) -> Answer:
        outcome = await work(conn, call)
        if not isinstance(outcome, Done):
            raise _NotDone(outcome)
        matter = outcome.matter
        view = matter_view(matter, actor, call.at, edge.office)
        return Answer(200, view, {"etag": f'"{matter.version}"'})

    return await commands.run(request, edge.db, principal, in_transaction)


def problem_of(outcome: Refused | Missing | Overtaken, edge: Edge, lang: str) -> Problem:
    """The problem that a caller is told, in words of the catalogue."""
    match outcome:
        case Missing():
            return Problem(404, "matter_not_found")
        case Overtaken(version):
            return Problem(
                412, "overtaken", params={"version": version}, members={"version": version}
            )
        case Refused(code, state, allowed, params):
            words = {name: _word(name, value, edge, lang) for name, value in params.items()}
            words["state"] = text(f"state.{state}", lang)
            words["allowed"] = _joined([text(f"state.{each}", lang) for each in allowed], lang)
            name = "not_in_this_state" if code is Refusal.WRONG_STATE else code.value
            status = _STATUS.get(code, 409)
            members = {"state": state, "allowed_states": list(allowed)} if status == 409 else {}
            return Problem(status, name, params=words, members=members)


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
