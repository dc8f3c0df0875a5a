"""Submissions over HTTP: one, as JSON or as a CloudEvent."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from services.intake.api.answers import Acknowledgement, OneOfBatch
from services.intake.api.arrivals import answer_to, arrival_of
from services.intake.api.batches import submit_batch
from services.intake.api.bodies import BATCH_BODY, BATCH_MEDIA, EVENT_MEDIA, SUBMISSION_BODY
from services.intake.api.cloudevents import (
    content_of_binary,
    content_of_event,
    is_binary,
    trace_of_event,
    unmarked_event,
)
from services.intake.api.edge import PROBLEMS, edge_of
from services.intake.api.envelopes import without_bom
from services.intake.api.senders import is_for_staff
from services.intake.domain import Conflicting, Registration
from services.intake.handlers import registration
from shared.auth.tokens import Principal, require, tokens_of
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.http.middleware.tracing import trace_in
from shared.http.preferences import as_preferred
from shared.http.problems import invalid, language
from shared.http.responses import Page
from shared.http.routes import CheckedDirectRoute
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse
from shared.runtime.database import Connection
from shared.runtime.errors import Problem

router = APIRouter(prefix="/intake", route_class=CheckedDirectRoute)

SENDERS = require(Role.SYSTEM, Role.REQUESTER, Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR)
Sender = Annotated[Principal, Depends(SENDERS)]


@router.post(
    "/requests",
    status_code=202,
    responses={202: {"model": Acknowledgement}, 200: {"model": Acknowledgement}, **PROBLEMS},
    openapi_extra=SUBMISSION_BODY,
    operation_id="submitRequest",
    summary="Submit a request",
)
async def submit(request: Request, caller: Sender) -> Response:
    """One submission, or a CloudEvent that carries one: structured, or binary by its `ce-` headers.

    202 when it was taken now; 200 with the first answer when the same (`source`, `source_ref`) was taken before
    with the same content; 409 when it was taken with another. 403 when it is of another requester than
    the one that sends it, or under a `source` that the token of a system is not for. What a requester calls `source`
    is its own: it is kept under a name that no other sender's has. Staff who send again what others sent get a receipt
    of their own. `Prefer: return=minimal` asks for the status alone, as `Prefer: reply` of Knative's brokers does.
    """
    edge = edge_of(request)
    edge.refuse_when_full()
    body = without_bom(await request.body())
    media_type = _media_type(request)
    if media_type == BATCH_MEDIA:
        return await submit_batch(request, edge, body, media_type, caller)
    submission, trace = _read(request, media_type, body)
    for_staff = is_for_staff(caller, tokens_of(request))
    arrival = arrival_of(submission, caller, trace or trace_in(request), for_staff)
    if "idempotency-key" not in request.headers:
        return as_preferred(request, _answer(await edge.batcher.submit(arrival)).response())

    # A key and its answer are kept by the transaction that takes the request, which is then its own.
    async def register_one(conn: Connection) -> WriteResponse:
        (result,) = await registration.register(conn, [arrival], edge.clock())
        return _answer(result)

    return as_preferred(request, await idempotency.run(request, edge.db, caller, register_one))


@router.post(
    "/requests/batch",
    responses={200: {"model": Page[OneOfBatch]}, **PROBLEMS},
    openapi_extra=BATCH_BODY,
    operation_id="submitRequestBatch",
    summary="Submit up to 1,000 requests",
)
async def submit_many(request: Request, caller: Sender) -> Response:
    """A list of submissions, or of CloudEvents that carry them; a result for each, in their order.

    Each result has the `status` that the same request would have got by itself: 202 or 200 with the receipt, else the
    problem document. One that is refused leaves the others alone.
    """
    edge = edge_of(request)
    edge.refuse_when_full()
    body = without_bom(await request.body())
    return await submit_batch(request, edge, body, _media_type(request), caller)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _read(request: Request, media_type: str, body: bytes) -> tuple[Submission, str | None]:
    """Return the submission, and the trace of an event. Raises Problem 422 for anything else."""
    try:
        if media_type == EVENT_MEDIA:
            return _read_event(request, orjson.loads(body))
        if is_binary(request):
            return Submission.model_validate(content_of_binary(request, body)), None
        try:
            return Submission.model_validate_json(body), None
        except ValidationError:
            if (event := unmarked_event(body)) is None:
                raise
        return _read_event(request, event)
    except orjson.JSONDecodeError:
        raise Problem(422, "not_json") from None
    except ValidationError as fault:
        raise invalid(fault, language(request)) from None


def _read_event(request: Request, event: object) -> tuple[Submission, str | None]:
    submission = Submission.model_validate(content_of_event(event, request))
    return submission, trace_of_event(request, event)


def _answer(result: Registration) -> WriteResponse:
    if isinstance(result, Conflicting):
        raise Problem(409, "another_content", members={"request_id": result.request_id})
    return WriteResponse(202 if result.fresh else 200, answer_to(result))
