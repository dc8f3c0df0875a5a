"""`/desk/coordinate`: objections to rule, and what waits for an owner with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.handlers.coordination import load_coordination
from services.desk.pages import layout, visitors
from services.desk.pages.forms import read_form
from services.desk.pages.routing import StaffRoute
from services.desk.pages.staff.rows import DECLINE_REASONS, rows_for
from services.desk.pages.wording import MomentInWords, Words, moment_in_words
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem
from shared.runtime.ids import new_id

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

OVERSEERS: Final = frozenset({Role.COORDINATOR, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class ObjectionRow:
    """An objection that waits for a ruling; `key` makes a second click the same ruling."""

    id: str
    matter_id: str
    summary: str
    requester: str
    raised_by: str
    suggested: str
    reason: str
    note: str | None
    review: MomentInWords
    key: str


@router.get("/desk/coordinate")
async def coordinate(request: Request) -> Response:
    """What a coordinator decides; an operator may look. Raises Problem 403 for others."""
    person = await layout.member(request)
    if person.principal.role not in OVERSEERS:
        allowed = ", ".join(sorted(OVERSEERS))
        params = {"role": person.principal.role, "allowed": allowed}
        raise Problem(403, "not_for_this_role", params=params)
    found = await load_coordination(layout.services_of(request), await visitors.visitor(request))
    make = rows_for(request, person.principal)
    words = make.words
    return layout.page(
        request,
        "desk/coordinate.html",
        here="coordinate",
        person=person,
        objections=[
            _objection(each, moment_in_words(_review(each), make.now, make.zone, words), words)
            for each in found.objections
        ],
        waiting=[(waiting_in_words(each, words), make.of_matter(each)) for each in found.waiting],
        is_whole=found.is_whole,
        may_rule=person.principal.role is Role.COORDINATOR,
        reasons=DECLINE_REASONS,
        view="",
        done=request.query_params.get("done") == "ruled",
    )


def waiting_in_words(item: Mapping[str, Any], words: Words) -> str:
    """Why a matter has no owner; its state for one that routing has yet to look at."""
    reason = item["pending_reason"]
    return words(f"page.pending.{reason}" if reason else f"state.{item['state']}")


def _review(item: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(item["review_at"])


def _objection(item: Mapping[str, Any], review: MomentInWords, words: Words) -> ObjectionRow:
    return ObjectionRow(
        item["objection_id"],
        item["matter_id"],
        item["summary"],
        item["requester_name"],
        item["raised_by"]["name"],
        item["suggested_owner"]["name"],
        words(f"desk.decline.{item['reason_code']}"),
        item["note"],
        review,
        str(new_id()),
    )


@router.post("/desk/objections/{objection_id}/ruling")
async def rule(request: Request, objection_id: UUID) -> Response:
    """改派 or 维持, once."""
    await layout.member(request)
    form = await read_form(request)
    body = {"ruling": form.one("ruling")} | ({"note": form.one("note")} if form.one("note") else {})
    await layout.services_of(request).post(
        await visitors.visitor(request),
        f"/routing/objections/{objection_id}/ruling",
        body,
        form.key,
    )
    return RedirectResponse("/desk/coordinate?done=ruled", 303)
