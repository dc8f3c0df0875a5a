"""Builds the entries of followup's steps: path, command and decision of each."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.followup.api.answers import MatterShown
from services.followup.api.edge import ACTING, Edge, Work, perform
from services.followup.handlers import steps
from services.followup.handlers.office import Office
from services.followup.handlers.steps import Call, Decide, StepOutcome
from shared.http.writes.idempotency import WriteResponse
from shared.http.writes.steps import StepEntry, StepOperation, StepRequest
from shared.runtime.database import Connection

PREFIX: Final = "/followup/matters/{matter_id}"

Plan: TypeAlias = Callable[[StepRequest, Office], Work]
"""What is done for one request, in each attempt at it."""


Read = TypeVar("Read")
Handle: TypeAlias = Callable[[Connection, Office, UUID, Call, Read], Awaitable[StepOutcome]]


class Body(BaseModel):
    """Base of the steps' request bodies."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def entry(
    path: str,
    command: str,
    operation: StepOperation,
    plan: Plan,
    body: type[BaseModel] | None = None,
    *,
    optional: bool = False,
) -> StepEntry:
    """Return the entry of a step at `path` below the matter; its command is `liaison.matter.<command>.v1`."""

    async def perform_entry(edge: Edge, wanted: StepRequest) -> WriteResponse:
        return await perform(edge, wanted, plan(wanted, edge.office))

    return StepEntry(
        f"liaison.matter.{command}.v1",
        f"{PREFIX}/{path}",
        operation,
        ACTING,
        MatterShown,
        perform_entry,
        body,
        optional,
    )


def handled_by(handle: Handle[Read], read: Callable[[StepRequest], Read]) -> Plan:
    """Return the plan of a step on one matter: `read` parses the request once, `handle` gets the result in each
    attempt.
    """

    def plan(wanted: StepRequest, office: Office) -> Work:
        step, matter_id = read(wanted), wanted.ids["matter_id"]
        return lambda conn, call: handle(conn, office, matter_id, call, step)

    return plan


def deciding(decision: Callable[[StepRequest], Decide]) -> Plan:
    """Return the plan of a step that one pure rule decides."""
    return handled_by(steps.perform_step, decision)
