"""Dependencies of routing's routes."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from services.routing.domain.moment import Acting
from services.routing.handlers.office import Office
from services.routing.handlers.queue_watch import QueueWatch
from shared.auth.tokens import Principal, require
from shared.contracts.events.event import Actor
from shared.contracts.fields.types import WHOLE
from shared.contracts.vocabulary import Role
from shared.http.problems import problem_responses
from shared.runtime.clock import Clock
from shared.runtime.database import Database


@dataclass(frozen=True, slots=True)
class Edge:
    """Dependencies of the routes, in `app.state.edge`."""

    db: Database
    clock: Clock
    office: Office
    watch: QueueWatch


def edge_of(request: Request) -> Edge:
    """The edge of the app that serves `request`."""
    edge: Edge = request.app.state.edge
    return edge


Staff = Annotated[
    Principal,
    Depends(require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR)),
]
ANSWERING = require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR)
Answerer = Annotated[Principal, Depends(ANSWERING)]
RULING = require(Role.COORDINATOR)
Coordinator = Annotated[Principal, Depends(RULING)]
Overseer = Annotated[Principal, Depends(require(Role.COORDINATOR, Role.OPERATOR))]

PageSize = Annotated[int, Query(ge=1, le=200, description="how many at most"), WHOLE]
PageCursor = Annotated[
    str | None, Query(max_length=500, description="`next` of the page before, as it is")
]


class Body(BaseModel):
    """What a write is sent; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def acting(caller: Principal) -> Acting:
    """Return the caller as the rules take it."""
    return Acting(caller.role, caller.party)


def actor(caller: Principal) -> Actor:
    """Return the caller as an event's actor."""
    return Actor(role=caller.role, party=caller.party)


PROBLEMS: Final = problem_responses(400, 401, 403, 404, 409, 412, 422, 503)
