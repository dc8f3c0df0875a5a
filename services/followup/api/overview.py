"""The overview over HTTP: one answer for what a live page shows."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.followup.api import answers
from services.followup.api.edge import STAFF, edge_of
from services.followup.api.views import overview_view
from services.followup.domain.facts import RequestingParty
from services.followup.domain.matter import DispatchDecision, Party
from services.followup.domain.moment import ActingParty
from services.followup.handlers.glance import load_glance
from shared.auth.tokens import Principal
from shared.contracts.fields.types import WHOLE
from shared.contracts.vocabulary import Candidacy, ClockKind, MatterState
from shared.http.problems import problem_responses
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute

USUAL_ROWS: Final = 24

router = APIRouter(
    route_class=CheckedRoute,
    prefix="/followup",
    tags=["reading"],
    responses=problem_responses(401, 403, 422),
)


class OfferMadeLast(BaseModel):
    """Whom a matter was offered last, and why; it outlives the offer. `why` is a sentence in Chinese."""

    party: Party
    candidacy: Candidacy
    why: str


class ArrivedMatter(answers.MatterInList):
    """A matter in the overview: what the catalogue decided, and whom it was offered last."""

    dispatch: DispatchDecision | None = Field(description="null before the dispatch")
    last_offer: OfferMadeLast | None = Field(description="null while nobody was asked")


class PromiseDue(BaseModel):
    """The next promise of a matter, and who has to keep it."""

    matter_id: UUID
    state: MatterState
    summary: str
    requester: RequestingParty
    clock: ClockKind
    due_at: datetime
    whose: Party


class OverviewShown(BaseModel):
    """What is new, what is due first, how many matters are in each state, and the three rates of the last 30 days."""

    at: datetime = Field(description="the moment that all of it is of")
    arrivals: list[ArrivedMatter] = Field(description="newest first")
    due: list[PromiseDue] = Field(description="earliest first; paused promises are not among them")
    counts: dict[str, int] = Field(
        description="matters in each state that has any, up to 100,000 a state; of a liaison or department, up to "
        "10,000 of its open and of its other matters"
    )
    rates: dict[str, answers.RateShown] = Field(
        description="the town's `response`, `resolution` and `satisfaction`"
    )


@router.get(
    "/overview",
    responses={200: {"model": OverviewShown}},
    operation_id="getOverview",
    summary="What is new, what is due, and how it stands",
)
async def show_overview(
    request: Request,
    caller: Annotated[Principal, Depends(STAFF)],
    limit: Annotated[int, Query(ge=1, le=100), WHOLE] = USUAL_ROWS,
) -> Response:
    """The newest matters and the promises that are due first, with counts by state and the three rates.

    At most `limit` of each list; of the matters that the caller may see, as in the lists; the rates are the town's.
    """
    edge, actor = edge_of(request), ActingParty(caller.role, caller.party)
    async with edge.db.reading() as conn:
        glance = await load_glance(conn, edge.clock(), limit, actor)
    return as_json(overview_view(glance, edge.office), headers={"cache-control": "no-store"})
