"""Submissions over HTTP: one, a CloudEvent, or a batch of them. It holds no rule and no SQL."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter, ValidationError

from services.intake.api.answers import OneOfBatch, Taken
from services.intake.api.edge import PROBLEMS, Edge, edge_of
from services.intake.api.senders import from_sender
from services.intake.domain import Conflicting, Registered, Registration
from services.intake.handlers import registration
from services.intake.handlers.registration import Arrival
from shared.contracts.cloudevents import SUBMITTED_TYPE, with_envelope_names
from shared.contracts.event import Actor
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import Role
from shared.kit.answers import Page, as_json
from shared.kit.auth import Principal, require
from shared.kit.direct import DirectRoute
from shared.kit.problems import Problem, invalid, language
from shared.kit.spans import trace_in

router = APIRouter(prefix="/intake", route_class=DirectRoute)

SENDERS = require(Role.SYSTEM, Role.REQUESTER, Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR)
Sender = Annotated[Principal, Depends(SENDERS)]

MAX_BATCH = 1000

_BATCH = TypeAdapter(list[dict[str, Any]])
_SUBMISSIONS = TypeAdapter(list[Submission])


SUBMISSION_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": Submission.model_json_schema(ref_template="#/components/schemas/{model}")
            },
            "application/cloudevents+json": {"schema": {"type": "object"}},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": {"type": "object"}, "maxItems": MAX_BATCH}
            },
        },
    }
}


@router.post(
    "/requests",
    status_code=202,
    responses={202: {"model": Taken}, 200: {"model": Taken | Page[OneOfBatch]}, **PROBLEMS},
    openapi_extra=SUBMISSION_BODY,
    summary="Submit a request",
)
async def submit(request: Request, caller: Sender) -> Response:
    """One submission, a CloudEvent that carries one, or a batch of up to 1,000 such events.

    202 when it was taken now; 200 with the first answer when the same (`source`, `source_ref`) was taken before
    with the same content; 409 when it was taken with another. 403 when it is of another requester than
    the one that sends it, or under a `source` that the token of a system is not for. What a requester calls `source`
    is its own: it is kept under a name that no other sender's has.
    """
    edge = edge_of(request)
    edge.refuse_when_full()
    body = await request.body()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    traceparent = trace_in(request)
    if content_type == "application/cloudevents-batch+json":
        return await _submit_batch(edge, body, caller, traceparent, language(request))
    try:
        if content_type == "application/cloudevents+json":
            submission = _from_cloudevent(orjson.loads(body))
        else:
            submission = Submission.model_validate_json(body)
    except orjson.JSONDecodeError:
        raise Problem(422, "not_json") from None
    except ValidationError as fault:
        raise invalid(fault, language(request)) from None
    result = await edge.batcher.submit(_arrival(submission, caller, traceparent))
    return _answer(result)


def _arrival(submission: Submission, caller: Principal, traceparent: str) -> Arrival:
    """Raises Problem 403 when it is not for the caller to submit."""
    actor = Actor(role=caller.role, party=caller.party)
    return Arrival(from_sender(caller, submission), actor, None, traceparent)


def _answer(result: Registration) -> Response:
    if isinstance(result, Conflicting):
        raise Problem(409, "another_content", members={"request_id": result.request_id})
    return as_json(_taken(result), 202 if result.fresh else 200)


def _taken(result: Registered) -> dict[str, str]:
    return {
        "request_id": result.request_id,
        "receipt": result.receipt,
        "status_url": f"/intake/receipts/{result.receipt}",
    }


def _from_cloudevent(envelope: object) -> Submission:
    """The submission in a structured CloudEvent. Raises ValidationError, or Problem 422 for the envelope."""
    return Submission.model_validate_json(orjson.dumps(_content(envelope)))


def _content(envelope: object) -> dict[str, object]:
    """What a structured CloudEvent says of a submission. Raises Problem 422 when it is none of ours."""
    if not isinstance(envelope, dict) or envelope.get("specversion") != "1.0":
        raise Problem(422, "not_a_cloudevent", params={"type": SUBMITTED_TYPE})
    data = envelope.get("data")
    if envelope.get("type") != SUBMITTED_TYPE or not isinstance(data, dict):
        raise Problem(422, "not_a_cloudevent", params={"type": SUBMITTED_TYPE})
    return with_envelope_names(data, envelope.get("source"), envelope.get("id"))


async def _submit_batch(
    edge: Edge, body: bytes, caller: Principal, traceparent: str, lang: str
) -> Response:
    envelopes = _envelopes(body, lang)
    if len(envelopes) > MAX_BATCH:
        raise Problem(422, "batch_too_long", params={"limit": MAX_BATCH})
    submissions, results = _read_all(envelopes, lang)
    arrivals: dict[int, Arrival] = {}
    for place, submission in submissions.items():
        try:
            arrivals[place] = _arrival(submission, caller, traceparent)
        except Problem as problem:
            results[place] = problem.body(lang)
    async with edge.db.transaction() as conn:
        registered = await registration.register(conn, list(arrivals.values()), edge.clock())
    for place, result in zip(arrivals, registered, strict=True):
        results[place] = _batch_result(result, lang)
    return as_json({"items": results, "next": None})


def _read_all(
    envelopes: list[dict[str, Any]], lang: str
) -> tuple[dict[int, Submission], list[dict[str, Any]]]:
    """The submissions of a batch by their places in it, and the results, in which what is wrong is said already."""
    results: list[dict[str, Any]] = [{} for _ in envelopes]
    try:
        # The usual case: all are in order, and looked at together.
        found = _SUBMISSIONS.validate_python([_content(envelope) for envelope in envelopes])
        return dict(enumerate(found)), results
    except (ValidationError, Problem):
        submissions: dict[int, Submission] = {}
    for place, envelope in enumerate(envelopes):
        try:
            submissions[place] = _from_cloudevent(envelope)
        except ValidationError as fault:
            results[place] = invalid(fault, lang).body(lang)
        except Problem as problem:
            results[place] = problem.body(lang)
    return submissions, results


def _envelopes(body: bytes, lang: str) -> list[dict[str, Any]]:
    """The objects of a batch. Raises Problem 422 when it is something else."""
    try:
        # The usual case first, in a third of the time; what is wrong with another is pydantic's to say.
        found = orjson.loads(body)
        if isinstance(found, list) and all(isinstance(item, dict) for item in found):
            return found
    except orjson.JSONDecodeError:
        pass
    try:
        return _BATCH.validate_json(body)
    except ValidationError as fault:
        raise invalid(fault, lang) from None


def _batch_result(result: Registration, lang: str) -> dict[str, Any]:
    if isinstance(result, Conflicting):
        members = {"request_id": result.request_id}
        return Problem(409, "another_content", members=members).body(lang)
    return {"status": 202 if result.fresh else 200} | _taken(result)
