"""The overview over HTTP: one answer for what a live page shows."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from services.followup.api import answers
from services.followup.api.edge import STAFF, edge_of
from services.followup.api.views import overview_view
from services.followup.domain.moment import ActingParty
from services.followup.handlers.glance import load_glance
from shared.auth.tokens import Principal
from shared.contracts.fields.types import WHOLE
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


@router.get(
    "/overview",
    responses={200: {"model": answers.OverviewShown}},
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
