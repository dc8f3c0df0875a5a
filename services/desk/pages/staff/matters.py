"""`/desk/matters/{id}`: one matter whole, its story, and the steps that are allowed now as its only buttons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.clients.services import ServiceProblem
from services.desk.domain.steps import FORMS, MILESTONE, TASK_DONE, StepForm, body_of, field_of
from services.desk.handlers.matter import Dossier, load_matter
from services.desk.pages import layout, visitors
from services.desk.pages.forms import TypedForm, read_form
from services.desk.pages.routing import StaffRoute
from services.desk.pages.staff.matter_models import MatterView
from services.desk.pages.staff.matter_view import matter_view
from services.desk.pages.staff.rows import DECLINE_REASONS
from services.desk.pages.surroundings import surroundings_of
from services.desk.pages.wording import words_in
from shared.runtime.ids import new_id

router = APIRouter(route_class=StaffRoute, include_in_schema=False)

PARTS: Final[Mapping[str, StepForm]] = {form.step: form for form in (MILESTONE, TASK_DONE)}
"""Steps about one part of a matter, whose id comes with them."""


@router.get("/desk/matters/{matter_id}")
async def show(
    request: Request,
    matter_id: UUID,
    step: Annotated[str | None, Query(max_length=40)] = None,
    part: Annotated[UUID | None, Query()] = None,
    done: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """The matter; with `step` the form of that step is open, with `done` the page says what was done."""
    return await _page(request, _Opened(matter_id, _form_of(step, part), part), done=done)


@router.post("/desk/matters/{matter_id}/steps/{step}")
async def perform(
    request: Request, matter_id: UUID, step: str, part: Annotated[UUID | None, Query()] = None
) -> Response:
    """Take a step. A refusal shows the form again with what was typed, and says what to do."""
    await layout.member(request)
    form = _form_of(step, part)
    if form is None:
        return RedirectResponse(f"/desk/matters/{matter_id}", 303)
    typed = await read_form(request)
    body = body_of(
        form, {name: typed.one(name) for name in typed.fields}, surroundings_of(request).zone
    )
    try:
        await layout.services_of(request).post(
            await visitors.visitor(request),
            f"/followup/matters/{matter_id}/{form.path.format(part=part)}",
            body,
            typed.key,
            typed.version,
        )
    except ServiceProblem as refused:
        if refused.status in (401, 404):
            raise
        opened = _Opened(matter_id, form, part)
        return await _page(request, opened, typed=typed, refused=refused)
    return RedirectResponse(f"/desk/matters/{matter_id}?done={step}#done", 303)


@router.get("/desk/matters/{matter_id}/steps/{step}")
async def reopen(request: Request, matter_id: UUID, step: str) -> Response:
    """The matter with the form open: a refused step leaves its own address in the browser."""
    wanted = {"step": step} | {
        name: request.query_params[name]
        for name in ("part", "lang")
        if name in request.query_params
    }
    return RedirectResponse(f"/desk/matters/{matter_id}?{urlencode(wanted)}#step", 303)


def _form_of(step: str | None, part: UUID | None) -> StepForm | None:
    if step is None:
        return None
    return PARTS.get(step) if part is not None else FORMS.get(step)


@dataclass(frozen=True, slots=True)
class _Opened:
    """Which matter, and which of its forms, of which part of it."""

    matter_id: UUID
    form: StepForm | None
    part: UUID | None


async def _page(
    request: Request,
    opened: _Opened,
    *,
    done: str | None = None,
    typed: TypedForm | None = None,
    refused: ServiceProblem | None = None,
) -> Response:
    person = await layout.member(request)
    visitor = await visitors.visitor(request)
    form = opened.form
    dossier = await load_matter(layout.services_of(request), visitor, opened.matter_id, form)
    here, words = surroundings_of(request), words_in(visitors.language(request))
    view = matter_view(dossier, person.principal, here.clock(), here.zone, words)
    return layout.page(
        request,
        "desk/matter.html",
        refused.status if refused else 200,
        here="desk",
        person=person,
        matter=view,
        form=form,
        part=opened.part,
        # A second click, or the same page sent twice, is the same step.
        key=(typed.key if typed else None) or str(new_id()),
        # What was typed was typed on the matter as it stands now: whoever sends it again has seen what changed.
        typed=typed,
        refusal=_refusal(form, refused, typed, dossier, view) if form and refused else None,
        departments=dossier.departments,
        done=done if done in FORMS or done in PARTS else None,
        steps=[FORMS[each] for each in FORMS if each in dossier.matter["steps"]],
        view="",
        reasons=DECLINE_REASONS,
    )


def _refusal(
    form: StepForm,
    refused: ServiceProblem,
    typed: TypedForm | None,
    dossier: Dossier,
    view: MatterView,
) -> Mapping[str, Any]:
    """What is wrong as a whole and field by field; of a matter that moved on, what changed meanwhile."""
    fields: dict[str, str] = {}
    for error in refused.document.get("errors", ()):
        fields.setdefault(
            field_of(form, str(error.get("pointer", ""))), str(error.get("detail", ""))
        )
    moved: list[Any] = []
    if refused.status == 412 and typed is not None:
        seen = typed.version or 0
        moved = [entry for entry in view.story if entry.version > seen]
    return {
        "title": str(refused.document.get("title", "")),
        "detail": str(refused.document.get("detail", "")),
        "fields": fields,
        "moved": moved,
    }
