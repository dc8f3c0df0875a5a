"""Makes the entries of followup's steps: the path, the command and the decision of each."""

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
    """A step's body."""

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
    """The entry of a step at `path` below the matter; its command is `liaison.matter.<command>.v1`."""

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
    """The plan of a step on one matter: `read` makes of a request, once, what `handle` is given in each attempt."""

    def plan(wanted: StepRequest, office: Office) -> Work:
        step, matter_id = read(wanted), wanted.ids["matter_id"]
        return lambda conn, call: handle(conn, office, matter_id, call, step)

    return plan


def deciding(decision: Callable[[StepRequest], Decide]) -> Plan:
    """The plan of a step that one rule decides, on the matter as it is."""
    return handled_by(steps.perform_step, decision)
