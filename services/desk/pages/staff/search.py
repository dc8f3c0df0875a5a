"""`/desk/search`: matters by words, state, park, category, requester; the address is the view."""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.desk.clients.services import ServiceProblem
from services.desk.pages import layout, visitors
from services.desk.pages.routing import StaffRoute
from services.desk.pages.staff.rows import DECLINE_REASONS, rows_for
from shared.contracts.vocabulary import MatterState

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

PAGE: Final = 50
TYPED: Final = ("q", "state", "park", "category", "uscc", "owner", "overdue")
"""Filters of `GET /followup/matters` that the form has; one that is empty asks for nothing."""


@router.get("/desk/search")
async def search(
    request: Request, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    """The form, and what it finds, newest first; with `overdue` the longest overdue first."""
    person = await layout.member(request)
    typed = {name: request.query_params.get(name, "").strip()[:200] for name in TYPED}
    filters = {name: value for name, value in typed.items() if value}
    found: dict[str, Any] = {"items": [], "next": None}
    wrong: list[str] = []
    try:
        found = await layout.services_of(request).get(
            await visitors.visitor(request),
            "/followup/matters",
            limit=PAGE,
            cursor=cursor,
            **filters,
        )
    except ServiceProblem as refused:
        if refused.status != 422:
            raise
        errors = refused.document.get("errors", ())
        wrong = [str(error["detail"]) for error in errors] or [str(refused.document.get("detail"))]
    make = rows_for(request, person.principal)
    return layout.page(
        request,
        "desk/search.html",
        422 if wrong else 200,
        here="search",
        person=person,
        typed=typed,
        wrong=wrong,
        rows=[make.of_matter(item) for item in found["items"]],
        further=urlencode({**filters, "cursor": found["next"]}) if found["next"] else None,
        states=[each.value for each in MatterState],
        view="",
        reasons=DECLINE_REASONS,
    )
