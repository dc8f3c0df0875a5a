"""The form with which an enterprise asks, for people without an account and without JavaScript."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from services.desk.handlers import asking
from services.desk.handlers.asking import Later, NotAccepted, Receipted, SentBefore
from services.desk.pages.layout import services_of
from services.desk.pages.public.ask_form import (
    KINDS,
    REQUESTER_KINDS,
    AskForm,
    FieldNotice,
    blank_ask,
    read_ask,
)
from services.desk.pages.public.routes import (
    PublicRoute,
    drawn_key,
    page,
    read_public_form,
    redirect,
    require_form_of_ours,
    seconds_to_wait,
    stranger,
)
from services.desk.pages.visitors import language
from shared.messages.catalogue import text

router = APIRouter(route_class=PublicRoute, include_in_schema=False)


@router.get("/ask")
async def show_form(request: Request) -> Response:
    """The empty form."""
    return _form(request, blank_ask())


@router.post("/ask")
async def submit(request: Request) -> Response:
    """Submit the form and go to the receipt; else the form again, with what was typed and what is wrong with it."""
    require_form_of_ours(request)
    lang = language(request)
    form = read_ask(await read_public_form(request))
    if (seconds := seconds_to_wait(request)) is not None:
        return _form(request, form, 429, banner=text("ask.too_often", lang, seconds=seconds))
    if notices := form.notices(lang):
        return _form(request, form, 422, notices)
    match await asking.submit(services_of(request), stranger(request), form.submission()):
        case Receipted(receipt):
            return redirect(request, f"/r/{receipt}?done=submitted")
        case SentBefore() as before:
            # What is sent from here on is another request.
            return _form(request, AskForm(form.values, drawn_key()), 409, before=before)
        case NotAccepted(errors):
            notices = form.notices_of(errors, lang) or (FieldNotice("", text("ask.refused", lang)),)
            return _form(request, form, 422, notices)
        case Later(seconds):
            response = _form(request, form, 503, banner=text("ask.away", lang))
            response.headers["retry-after"] = str(seconds)
            return response


def _form(
    request: Request,
    form: AskForm,
    status: int = 200,
    notices: Sequence[FieldNotice] = (),
    banner: str | None = None,
    before: SentBefore | None = None,
) -> Response:
    response = page(
        request,
        "ask/form.html",
        status,
        here="ask",
        form=form.values,
        key=form.key,
        notices=notices,
        errors={notice.field: notice.words for notice in notices},
        banner=banner,
        before=before,
        kinds=KINDS,
        requester_kinds=REQUESTER_KINDS,
    )
    if before is None:
        # The browser of whoever goes back shows what was typed. What is not stored cannot be shown again after a POST.
        response.headers["cache-control"] = "private, no-cache"
    return response
