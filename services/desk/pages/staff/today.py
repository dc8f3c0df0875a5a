"""`/desk`: one list by the next promised moment, offers answered from the row."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.desk.domain.promises import by_promise, gone_from
from services.desk.handlers.today import Today, load_all, load_own
from services.desk.pages import layout, visitors
from services.desk.pages.forms import read_form
from services.desk.pages.routing import StaffRoute
from services.desk.pages.staff.rows import DECLINE_REASONS, PromiseRow, rows_for
from services.desk.pages.surroundings import surroundings_of
from services.desk.pages.visitors import Person

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

MOST_KNOWN: Final = 450
"""Rows that a page may ask about at once; it is shown 400 at most, 100 of each of four lists."""


@router.get("/desk")
async def today(
    request: Request,
    view: Annotated[str, Query(pattern="^(mine|all)$")] = "mine",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    done: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """What waits for who looks, or with `view=all` everything that they may see."""
    person = await layout.member(request)
    found = await _load(request, person, view, cursor)
    rows = _rows(request, person, found)
    here = surroundings_of(request)
    return layout.page(
        request,
        "desk/today.html",
        here="desk",
        person=person,
        sections=by_promise(rows, here.clock(), here.zone),
        count=len(rows),
        view=view,
        cursor=cursor or "",
        further=found.next,
        is_whole=found.is_whole,
        reasons=DECLINE_REASONS,
        done=done if done in ("accepted", "declined") else None,
    )


@router.post("/desk/changes")
async def changes(
    request: Request,
    view: Annotated[str, Query(pattern="^(mine|all)$")] = "mine",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """What became of the rows that a page shows, each in its place, and how many are new.

    Rows stay where they are, so that nothing moves under a reader's eyes.
    """
    person = await layout.member(request)
    sent = (await read_form(request)).all("known")[:MOST_KNOWN]
    known = [key for key in dict.fromkeys(sent) if _is_id(key)]
    listed = await _load(request, person, view, cursor)
    found = {row.key: row for row in _rows(request, person, listed)}
    is_whole = listed.is_whole and listed.next is None
    gone = gone_from(known, found, is_whole=is_whole)
    return layout.page(
        request,
        "desk/changes.html",
        person=person,
        known=[(key, found.get(key)) for key in known if key in found or key in gone],
        fresh=len(found.keys() - set(known)),
        view=view,
        reasons=DECLINE_REASONS,
    )


async def _load(request: Request, person: Person, view: str, cursor: str | None) -> Today:
    services, visitor = layout.services_of(request), await visitors.visitor(request)
    if view == "all":
        return await load_all(services, visitor, cursor)
    return await load_own(services, visitor, person.principal)


def _rows(request: Request, person: Person, found: Today) -> list[PromiseRow]:
    make = rows_for(request, person.principal)
    rows = [make.of_matter(item) for item in found.matters]
    return rows + [make.of_milestone(item) for item in found.milestones]


def _is_id(key: str) -> bool:
    try:
        return str(UUID(key)) == key
    except ValueError:
        return False
