"""Submits requests to intake for people without an account, and takes the steps of a receipt's holder."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import orjson
import structlog

from services.desk.clients.services import ServiceProblem, Services, Visitor
from services.desk.clients.transport import ServiceAway, ServiceResponse
from shared.auth.issuer import DESK
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem

log = structlog.get_logger()

OURSELVES: Final = Principal(Role.SYSTEM, DESK)
AWAY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Receipted:
    """Intake has the request, since now or before."""

    receipt: str


@dataclass(frozen=True, slots=True)
class SentBefore:
    """Intake has had another content under this form's key; `receipt` where the sender may have one."""

    receipt: str | None


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """Intake refuses it for its content: (pointer, code, words) of each error."""

    errors: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was kept, as far as is known; the same may be sent again in `seconds`."""

    seconds: int


Submitted: TypeAlias = Receipted | SentBefore | NotAccepted | Later


async def submit(services: Services, visitor: Visitor, submission: Mapping[str, Any]) -> Submitted:
    """Submit a request as the desk, which is a system; what became of it."""
    ours = replace(visitor, principal=OURSELVES)
    answer = await _call(services, ours, "POST", "/intake/requests", submission)
    if isinstance(answer, Later):
        return answer
    document = answer.json()
    if answer.ok:
        return Receipted(document["receipt"])
    if answer.status == 409:
        return SentBefore(await _own_receipt(services, visitor, submission, document))
    if answer.status == 422:
        return NotAccepted(_errors_of(document))
    if answer.status != 429:
        log.error("desk.submission_refused", status=answer.status, problem=document.get("type"))
    return Later(_seconds(answer) or AWAY_SECONDS)


async def _own_receipt(
    services: Services, visitor: Visitor, submission: Mapping[str, Any], conflict: Mapping[str, Any]
) -> str | None:
    """The requester's receipt of what was sent before; None where another requester was named then."""
    path = f"/intake/requests/{conflict.get('request_id')}/receipt"
    requester = Principal(Role.REQUESTER, submission["requester"]["id"])
    answer = await _call(services, replace(visitor, principal=requester), "POST", path)
    if isinstance(answer, Later) or not answer.ok:
        return None
    receipt: str = answer.json()["receipt"]
    return receipt


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a receipt is not shown or its step not taken: the status, intake's words, and when to try again."""

    status: int
    document: Mapping[str, Any]
    seconds: int | None = None

    @property
    def errors(self) -> Sequence[tuple[str, str, str]]:
        """(pointer, code, words) of each field at fault."""
        return _errors_of(self.document)


async def load_receipt(
    services: Services, visitor: Visitor, receipt: str
) -> Mapping[str, Any] | Refused:
    """How it stands with a receipt (intake's RequestStatus), or why that cannot be said."""
    answer = await _call(services, visitor, "GET", _path(receipt))
    if isinstance(answer, Later):
        return Refused(503, {}, answer.seconds)
    if not answer.ok:
        return _refused(answer)
    status: Mapping[str, Any] = answer.json()
    return status


async def perform_step(
    services: Services,
    visitor: Visitor,
    path: tuple[str, str],
    body: Mapping[str, Any],
    drawn: str,
) -> Refused | None:
    """Take a holder's step; `path` is the receipt and the step. None when it was taken.

    `drawn` names the form as it was shown: with the same body it is one step, with another body another.
    """
    receipt, step = path
    key = hashlib.sha256(drawn.encode() + b"\0" + orjson.dumps(body)).hexdigest()
    answer = await _call(services, visitor, "POST", f"{_path(receipt)}/{step}", body, key)
    if isinstance(answer, Later):
        return Refused(503, {}, answer.seconds)
    return None if answer.ok else _refused(answer)


def _path(receipt: str) -> str:
    return f"/intake/receipts/{quote(receipt, safe='')}"


async def _call(
    services: Services,
    visitor: Visitor,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> ServiceResponse | Later:
    """Intake's answer, which is JSON; Later where there is none or it has no room."""
    headers = {} if key is None else {"idempotency-key": key}
    try:
        answer = await services.call(visitor, method, path, body, headers)
        answer.json()
    except (Problem, ServiceAway):
        return Later(AWAY_SECONDS)
    if answer.status >= 500:
        return Later(_seconds(answer) or AWAY_SECONDS)
    return answer


def _refused(answer: ServiceResponse) -> Refused:
    return Refused(answer.status, ServiceProblem(answer).document, _seconds(answer))


def _seconds(answer: ServiceResponse) -> int | None:
    after = answer.headers.get("retry-after", "")
    return int(after) if after.isdigit() else None


def _errors_of(document: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    return [
        (error["pointer"], error["code"], error["detail"]) for error in document.get("errors", ())
    ]
