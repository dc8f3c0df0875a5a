"""Accepting and declining an offer from a page; afterwards the reader is where they were."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.pages import layout, visitors
from services.desk.pages.forms import TypedForm, read_form
from services.desk.pages.routing import StaffRoute

router = APIRouter(route_class=StaffRoute, include_in_schema=False)


@router.post("/desk/offers/{offer_id}/accept")
async def accept(request: Request, offer_id: UUID) -> Response:
    """签收."""
    return await _answer(request, offer_id, "accept", None)


@router.post("/desk/offers/{offer_id}/decline")
async def decline(request: Request, offer_id: UUID) -> Response:
    """退单, with a reason and perhaps a better owner."""
    form = await read_form(request)
    body = {"reason_code": form.one("reason_code")}
    body |= {name: form.one(name) for name in ("suggested_owner", "note") if form.one(name)}
    return await _answer(request, offer_id, "decline", body)


@router.get("/desk/offers/{offer_id}/{how}")
async def leave(offer_id: UUID, how: str) -> Response:
    """The list: an answer that was refused leaves its own address in the browser."""
    return RedirectResponse("/desk", 303)


async def _answer(
    request: Request, offer_id: UUID, how: str, body: dict[str, str] | None
) -> Response:
    await layout.member(request)
    form = await read_form(request)
    await layout.services_of(request).post(
        await visitors.visitor(request),
        f"/routing/offers/{offer_id}/{how}",
        body,
        form.key,
    )
    done = "accepted" if how == "accept" else "declined"
    if layout.is_partial(request):
        return layout.page(
            request, "desk/answered.html", done=done, matter_id=form.one("matter_id")
        )
    return RedirectResponse(_back(form, done), 303)


def _back(form: TypedForm, done: str) -> str:
    """The page of ours that the form stood on, by its own word."""
    view = form.one("view")
    return f"/desk?view={view}&done={done}" if view in ("mine", "all") else f"/desk?done={done}"
