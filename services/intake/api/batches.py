"""Many submissions in one call: each is registered or refused by itself, all in one transaction."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import orjson
from fastapi import Request, Response
from pydantic import TypeAdapter, ValidationError

from services.intake.api.arrivals import answer_to, arrival_of
from services.intake.api.bodies import BATCH_MEDIA, MAX_BATCH
from services.intake.api.cloudevents import content_of_event, refuse_binary, trace_of_event
from services.intake.api.edge import Edge
from services.intake.api.envelopes import NoArray, TooManyItems, array_items, without_bom
from services.intake.api.senders import is_for_staff
from services.intake.domain import Conflicting, Registration
from services.intake.handlers import registration
from services.intake.handlers.registration import Arrival
from shared.auth.tokens import Principal, tokens_of
from shared.contracts.submission import Submission
from shared.http.middleware.tracing import trace_in
from shared.http.problems import invalid, language
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse
from shared.messages.catalogue import text
from shared.runtime.database import Connection
from shared.runtime.errors import FieldError, Problem, invalid_because

_SUBMISSIONS: Final = TypeAdapter(list[Submission])

ContentOf: TypeAlias = Callable[[object], object]
"""What an item says of a submission. Raises Problem 422 when it is no submission."""


async def submit_batch(
    request: Request, edge: Edge, body: bytes, media_type: str, caller: Principal
) -> Response:
    """200 with a result for each item, in their order. Raises Problem 422 for what is no array of 1,000 at most."""
    lang = language(request)
    if media_type != BATCH_MEDIA:
        refuse_binary(request)
    items = _items(body, lang)
    content_of = _content_of_event(request) if media_type == BATCH_MEDIA else _content_of_item
    submissions, results = _read_all(items, content_of, lang)
    arrivals: dict[int, Arrival] = {}
    traceparent, for_staff = trace_in(request), is_for_staff(caller, tokens_of(request))
    for place, submission in submissions.items():
        try:
            trace = trace_of_event(request, items[place]) or traceparent
            arrivals[place] = arrival_of(submission, caller, trace, for_staff)
        except Problem as problem:
            results[place] = problem.body(lang)

    async def register_all(conn: Connection) -> WriteResponse:
        registered = await registration.register(conn, list(arrivals.values()), edge.clock())
        for place, result in zip(arrivals, registered, strict=True):
            results[place] = _result(result, lang)
        return WriteResponse(200, {"items": results, "next": None})

    return await idempotency.run(request, edge.db, caller, register_all)


def _content_of_event(request: Request) -> ContentOf:
    return lambda item: content_of_event(item, request)


def _content_of_item(item: object) -> object:
    if isinstance(item, Problem):
        raise item
    return item


def _read_all(
    items: list[object], content_of: ContentOf, lang: str
) -> tuple[dict[int, Submission], list[dict[str, Any]]]:
    """Return the valid submissions of a batch by position, and the results with those refused filled in."""
    results: list[dict[str, Any]] = [{} for _ in items]
    try:
        # The usual case: all are in order, and looked at together.
        found = _SUBMISSIONS.validate_python([content_of(item) for item in items])
        return dict(enumerate(found)), results
    except (ValidationError, Problem):
        submissions: dict[int, Submission] = {}
    for place, item in enumerate(items):
        try:
            submissions[place] = Submission.model_validate(content_of(item))
        except ValidationError as fault:
            results[place] = invalid(fault, lang).body(lang)
        except Problem as problem:
            results[place] = problem.body(lang)
    return submissions, results


def _items(body: bytes, lang: str) -> list[object]:
    """Return the items of a batch, a Problem for each that is not JSON. Raises Problem 422 when it is no array."""
    try:
        # The usual case, in a hundredth of the time.
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = _each_by_itself(body, lang)
    if not isinstance(found, list):
        raise _no_batch("list_type", lang)
    if len(found) > MAX_BATCH:
        raise Problem(422, "batch_too_long", params={"limit": MAX_BATCH})
    return found


def _each_by_itself(body: bytes, lang: str) -> list[object]:
    try:
        return [_item(item) for item in array_items(body, MAX_BATCH)]
    except NoArray:
        raise _no_batch("json_invalid", lang) from None
    except TooManyItems:
        raise Problem(422, "batch_too_long", params={"limit": MAX_BATCH}) from None


def _no_batch(code: str, lang: str) -> Problem:
    return invalid_because([FieldError("/", code, text(f"field.{code}", lang))])


def _item(raw: bytes) -> object:
    try:
        return orjson.loads(without_bom(raw))
    except orjson.JSONDecodeError:
        return Problem(422, "not_json")


def _result(result: Registration, lang: str) -> dict[str, Any]:
    if isinstance(result, Conflicting):
        members = {"request_id": result.request_id}
        return Problem(409, "another_content", members=members).body(lang)
    return {"status": 202 if result.fresh else 200} | answer_to(result)
