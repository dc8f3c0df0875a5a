"""A receipt's page: how it stands with a request, and the steps of whoever has the receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from services.desk.handlers import asking
from services.desk.handlers.asking import Refused
from services.desk.pages.layout import services_of
from services.desk.pages.public import receipt_forms
from services.desk.pages.public.ask_form import FieldNotice
from services.desk.pages.public.receipt_view import receipt_view
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
from services.desk.pages.surroundings import surroundings_of
from services.desk.pages.visitors import language
from shared.messages.catalogue import text
from shared.runtime.errors import Problem
from shared.runtime.ids import spelled_code
from shared.web.qr import qr_code

router = APIRouter(route_class=PublicRoute, include_in_schema=False)

LONGEST_CODE: Final = 64
DONE: Final = ("submitted", "messages", "answer", "withdraw")
"""What a page may be opened with as `done`: it says that this was taken in."""


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that was not taken: what was typed, what is wrong with it, and the key of its form."""

    step: str
    typed: Mapping[str, str]
    key: str
    notices: Sequence[FieldNotice] = ()
    banner: str | None = None


@router.get("/r")
async def ask_for_code(request: Request) -> Response:
    """A field to type a receipt's code in."""
    return _no_receipt(request, 200)


@router.post("/r")
async def open_receipt(request: Request) -> Response:
    """Go to the receipt whose code, or whose whole address, was typed in."""
    require_form_of_ours(request)
    typed = (await read_public_form(request)).get("code", "")
    code = _spelled(typed.strip().rpartition("/")[2].partition("?")[0])
    if not code:
        words = text("receipt.code.missing", language(request))
        return _no_receipt(request, 422, typed, FieldNotice("code", words))
    return redirect(request, f"/r/{quote(code)}")


@router.get("/r/{receipt}")
async def show_receipt(request: Request, receipt: str) -> Response:
    """How it stands with the receipt, and the forms of what its holder may do now."""
    code = _spelled(receipt)
    if code != receipt:
        return redirect(request, f"/r/{quote(code)}" if code else "/r")
    return await _receipt_page(request, code)


@router.get("/r/{receipt}/{step}")
async def leave_step(request: Request, receipt: str, step: str) -> Response:
    """Go to the receipt: the address of a refused step stays in the browser, which may open it again."""
    return redirect(request, f"/r/{quote(_spelled(receipt))}")


@router.post("/r/{receipt}/{step}")
async def perform_step(request: Request, receipt: str, step: str) -> Response:
    """Take a step of the holder and go back to the receipt; else the receipt with what is wrong with the step."""
    require_form_of_ours(request)
    if step not in receipt_forms.STEPS:
        raise Problem(404, "no_such_address")
    lang, code, sent = language(request), _spelled(receipt), await read_public_form(request)
    typed, key = receipt_forms.read_step(step, sent), drawn_key(sent.get("key", ""))
    failed = FailedStep(step, typed, key)
    if (seconds := seconds_to_wait(request)) is not None:
        failed = FailedStep(
            step, typed, key, banner=text("receipt.too_often", lang, seconds=seconds)
        )
        return await _receipt_page(request, code, 429, failed)
    body = receipt_forms.step_body(step, typed)
    if notices := receipt_forms.missing(step, body, lang):
        return await _receipt_page(request, code, 422, FailedStep(step, typed, key, notices))
    refused = await asking.perform_step(
        services_of(request), stranger(request), (code, step), body, key
    )
    if refused is None:
        return redirect(request, f"/r/{quote(code)}?done={step}")
    return await _receipt_page(request, code, refused.status, _failed(failed, refused, lang))


def _failed(failed: FailedStep, refused: Refused, lang: str) -> FailedStep:
    notices = receipt_forms.notices_of_step(failed.step, refused.errors, lang)
    banner = None
    if not notices:
        away = text("receipt.away", lang) if refused.status == 503 else None
        banner = away or refused.document.get("detail") or text("receipt.refused", lang)
    return FailedStep(failed.step, failed.typed, failed.key, notices, banner)


async def _receipt_page(
    request: Request, code: str, status: int = 200, failed: FailedStep | None = None
) -> Response:
    """The page of a receipt; `failed` is the step that has just been refused."""
    found = await asking.load_receipt(services_of(request), stranger(request), code)
    view = None
    if isinstance(found, Refused):
        if found.status in (404, 429):
            return _wrong_code(request, found, code)
        status = 503
    else:
        town = surroundings_of(request)
        view = receipt_view(found, town.clock(), town.zone, language(request))
    done = request.query_params.get("done")
    address = f"{str(request.base_url).rstrip('/')}/r/{code}"
    response = page(
        request,
        "receipt/page.html",
        status,
        here="receipt",
        code=code,
        view=view,
        done=done if done in DONE and failed is None else None,
        failed=failed,
        typed=failed.typed if failed else {},
        errors={notice.field: notice.words for notice in failed.notices} if failed else {},
        keys={
            step: failed.key if failed and failed.step == step else drawn_key()
            for step in receipt_forms.STEPS
        },
        address=address,
        qr=qr_code(address),
    )
    if isinstance(found, Refused):
        response.headers["retry-after"] = str(found.seconds or asking.AWAY_SECONDS)
    return response


def _wrong_code(request: Request, refused: Refused, code: str) -> Response:
    lang = language(request)
    if refused.status == 404:
        notice = FieldNotice("code", text("receipt.code.unknown", lang))
        return _no_receipt(request, 404, code, notice)
    words = text("receipt.code.too_often", lang, seconds=refused.seconds or 60)
    response = _no_receipt(request, 429, code, FieldNotice("code", words))
    response.headers["retry-after"] = str(refused.seconds or 60)
    return response


def _no_receipt(
    request: Request, status: int, typed: str = "", notice: FieldNotice | None = None
) -> Response:
    return page(
        request,
        "receipt/find.html",
        status,
        here="receipt",
        typed=typed[:LONGEST_CODE],
        notices=[notice] if notice else [],
        errors={notice.field: notice.words} if notice else {},
    )


def _spelled(code: str) -> str:
    return spelled_code(code[:LONGEST_CODE])
