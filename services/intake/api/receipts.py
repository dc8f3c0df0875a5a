"""Receipts over HTTP: the status of a request, and what its holder may add."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake.api import answers
from services.intake.api.edge import PROBLEMS, edge_of
from services.intake.domain import NotNow, TooLate, holder_steps
from services.intake.handlers import receipts
from services.intake.handlers.receipts import (
    Call,
    Done,
    Missing,
    Outcome,
    ReceiptDetails,
    VisitAnswer,
)
from shared.auth.brute_force import place_of
from shared.auth.tokens import Principal, require, tokens_of
from shared.contracts.fields.types import WHOLE, Note
from shared.contracts.vocabulary import MatterState, Role
from shared.http.middleware.tracing import trace_in
from shared.http.problems import language
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse
from shared.messages.catalogue import text
from shared.runtime.database import Connection
from shared.runtime.errors import Problem
from shared.runtime.ids import spelled_code

router = APIRouter(route_class=CheckedRoute, prefix="/intake")

_GUESSED: dict[int | str, dict[str, Any]] = {**PROBLEMS, 429: PROBLEMS[404]}


async def _holder(request: Request) -> AsyncIterator[None]:
    """Guard a receipt's look-up against brute force; whoever knows a receipt is its holder."""
    with edge_of(request).brute_force_guard.watch(place_of(request)):
        yield


HOLDER = Depends(_holder)
OWNERS = require(Role.REQUESTER, Role.COORDINATOR)
STAFF = require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageBody(_Body):
    """Facts that the holder adds."""

    message: Note


class WithdrawBody(_Body):
    """Why the holder takes it back."""

    reason: Note | None = None


class AnswerBody(_Body):
    """The holder's answer to the return visit; `satisfaction` from 1 (very dissatisfied) to 5."""

    solved: bool
    satisfaction: Annotated[int, Field(ge=1, le=5), WHOLE]
    words: Note | None = None


@router.get(
    "/receipts/{receipt}",
    responses={200: {"model": answers.RequestStatus}, **_GUESSED},
    operation_id="getReceipt",
    summary="What became of it",
    dependencies=[HOLDER],
)
async def show_receipt(request: Request, receipt: str) -> Response:
    """Status, timeline and answer, for whoever holds the receipt; of a merged request those of `merged_into`."""
    async with edge_of(request).db.reading() as conn:
        standing = await receipts.load_status(conn, _spelled(receipt))
    if standing is None:
        raise Problem(404, "no_such_receipt")
    status = _status(standing, edge_of(request).clock(), language(request))
    return as_json(status, headers={"cache-control": "no-store"})


def _spelled(receipt: str) -> str:
    return spelled_code(receipt[:64])


def _status(standing: ReceiptDetails, now: datetime, lang: str) -> dict[str, Any]:
    held, matter = standing.held, standing.matter
    rejected = matter.rejected_because is not None
    return {
        "request_id": str(held.id),
        "state": matter.state,
        "state_label": text(f"state.{matter.state}", lang),
        "round": matter.round,
        "summary": held.summary,
        "received_at": held.received_at,
        "owner": matter.owner_name,
        "next_due_at": matter.next_due_at,
        "outcome": matter.outcome,
        "answer": matter.answer,
        "reopen_until": matter.reopen_until,
        "merged_into": str(standing.merged_into) if standing.merged_into else None,
        "rejection": {"reason": matter.rejected_because, "channel": matter.lawful_channel}
        if rejected
        else None,
        "may": holder_steps(matter.state, matter.reopen_until, now),
        "timeline": [
            {
                "at": held.received_at,
                "type": "request.registered",
                "label": text("timeline.request.registered", lang),
            },
            *(
                {
                    "at": entry.at,
                    "type": entry.type,
                    "label": text(f"timeline.{entry.type}", lang),
                    "words": entry.words,
                }
                for entry in standing.entries
            ),
        ],
    }


@router.post(
    "/receipts/{receipt}/messages",
    status_code=202,
    responses={202: {"model": answers.StepTaken}, **_GUESSED},
    operation_id="addMessage",
    summary="Add facts",
    dependencies=[HOLDER, idempotency.KEYED],
)
async def add_message(request: Request, receipt: str, body: MessageBody) -> Response:
    """Facts that came to mind later, for whoever works on it."""

    async def add(conn: Connection, spelled: str, call: Call) -> Outcome:
        return await receipts.add_message(conn, spelled, body.message, call)

    return await _step(request, receipt, add)


@router.post(
    "/receipts/{receipt}/withdraw",
    status_code=202,
    responses={202: {"model": answers.StepTaken}, **_GUESSED},
    operation_id="withdrawRequest",
    summary="Take it back",
    dependencies=[HOLDER, idempotency.KEYED],
)
async def withdraw(request: Request, receipt: str, body: WithdrawBody) -> Response:
    """The request is taken back; its matter ends as withdrawn, and what it was merged into goes on."""

    async def withdraw_request(conn: Connection, spelled: str, call: Call) -> Outcome:
        return await receipts.withdraw(conn, spelled, body.reason, call)

    return await _step(request, receipt, withdraw_request)


@router.post(
    "/receipts/{receipt}/answer",
    status_code=202,
    responses={202: {"model": answers.StepTaken}, **_GUESSED},
    operation_id="answerReturnVisit",
    summary="Answer the return visit",
    dependencies=[HOLDER, idempotency.KEYED],
)
async def answer_visit(request: Request, receipt: str, body: AnswerBody) -> Response:
    """Whether it is solved, and how satisfied the holder is; this counts above what staff recorded of a visit.

    Until `reopen_until` an answer may contradict a closing: when it is not solved, another round begins. An answer
    to a round that has gone on meanwhile is kept as a message.
    """
    answer = VisitAnswer(body.solved, body.satisfaction, body.words)

    async def give(conn: Connection, spelled: str, call: Call) -> Outcome:
        return await receipts.answer_visit(conn, spelled, answer, call)

    return await _step(request, receipt, give)


async def _step(
    request: Request,
    receipt: str,
    take: Callable[[Connection, str, Call], Awaitable[Outcome]],
) -> Response:
    """Take a step of a holder, who is identified by the receipt alone, also in idempotency keys."""
    edge, spelled = edge_of(request), _spelled(receipt)

    async def work(conn: Connection) -> WriteResponse:
        call = Call(edge.clock(), trace_in(request), tokens_of(request).spoken_for)
        return _answer(await take(conn, spelled, call), language(request))

    return await idempotency.run(request, edge.db, Principal(Role.REQUESTER, spelled), work)


def _answer(outcome: Outcome, lang: str) -> WriteResponse:
    match outcome:
        case Missing():
            raise Problem(404, "no_such_receipt")
        case NotNow(state, allowed):
            labels = "、".join(text(f"state.{candidate}", lang) for candidate in allowed)
            raise Problem(
                409,
                "not_in_this_state",
                params={"state": text(f"state.{state}", lang), "allowed": labels},
                members={"state": state, "allowed_states": list(allowed)},
            )
        case TooLate(until):
            members = {"state": MatterState.CLOSED, "reopen_until": until}
            raise Problem(409, "reopening_ended", members=members)
        case Done(request_id, _):
            return WriteResponse(202, {"request_id": request_id})


@router.post(
    "/requests/{request_id}/receipt",
    responses={200: {"model": answers.Acknowledgement}, **PROBLEMS},
    operation_id="createReceipt",
    summary="Get a receipt of one's own",
    dependencies=[idempotency.KEYED],
)
async def own_receipt(
    request: Request, request_id: UUID, caller: Annotated[Principal, Depends(OWNERS)]
) -> Response:
    """For a requester: the receipt of a request that somebody else submitted for it. The same each time.

    A coordinator gets one to hand over. What is answered by it counts as the requester's own, unless that coordinator
    did any of the work.
    """

    async def work(conn: Connection) -> WriteResponse:
        asking = (caller.role, caller.party)
        receipt = await receipts.own_receipt(conn, request_id, asking)
        if receipt is None:
            raise Problem(404, "request_not_found")
        status_url = f"/intake/receipts/{receipt}"
        return WriteResponse(
            200, {"request_id": str(request_id), "receipt": receipt, "status_url": status_url}
        )

    return await idempotency.run(request, edge_of(request).db, caller, work)


@router.get(
    "/requests/{request_id}",
    responses={200: {"model": answers.RequestWithContact}, **PROBLEMS},
    operation_id="getRequest",
    summary="A request with its contact",
)
async def show_request(
    request: Request, request_id: UUID, caller: Annotated[Principal, Depends(STAFF)]
) -> Response:
    """All that was sent, the contact included, for the staff who have the matter in hand."""
    async with edge_of(request).db.reading() as conn:
        asking = (caller.role, caller.party)
        full = await receipts.full_request(conn, request_id, asking, edge_of(request).clock())
    if full is None:
        raise Problem(404, "request_not_found")
    return as_json(full)
