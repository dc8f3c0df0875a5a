"""Receipts over HTTP: what became of a request, and what its holder may add. It holds no rule and no SQL."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake.api.edge import PROBLEMS, edge_of
from services.intake.domain import NotNow
from services.intake.handlers import receipts
from services.intake.handlers.receipts import Done, Missing, Standing, VisitAnswer
from shared.contracts.vocabulary import Role
from shared.kit.answers import as_json
from shared.kit.auth import Principal, require
from shared.kit.ids import spelled_code
from shared.kit.messages import text
from shared.kit.problems import Problem, language

router = APIRouter(prefix="/intake")

STAFF = require(Role.LIAISON, Role.DEPARTMENT, Role.COORDINATOR, Role.OPERATOR)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$"),
]


class MessageBody(_Body):
    """Facts that the holder adds."""

    message: Words


class WithdrawBody(_Body):
    """Why the holder takes it back."""

    reason: Words | None = None


class AnswerBody(_Body):
    """The holder's answer to the return visit; `satisfaction` from 1 (very dissatisfied) to 5."""

    solved: bool
    satisfaction: int = Field(ge=1, le=5)
    words: Words | None = None


@router.get("/receipts/{receipt}", responses=PROBLEMS, summary="What became of it")
async def show_receipt(request: Request, receipt: str) -> Response:
    """Status, timeline and answer, for whoever holds the receipt."""
    async with edge_of(request).db.reading() as conn:
        standing = await receipts.standing(conn, _spelled(receipt))
    if standing is None:
        raise Problem(404, "no_such_receipt")
    return as_json(_status(standing, language(request)), headers={"cache-control": "no-store"})


def _spelled(receipt: str) -> str:
    return spelled_code(receipt[:64])


def _status(standing: Standing, lang: str) -> dict[str, Any]:
    held = standing.held
    return {
        "request_id": str(held.id),
        "state": held.state,
        "state_label": text(f"state.{held.state}", lang),
        "round": held.round,
        "summary": held.summary,
        "received_at": held.received_at,
        "owner": held.owner_name,
        "next_due_at": held.next_due_at,
        "outcome": held.outcome,
        "answer": held.answer,
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
    "/receipts/{receipt}/messages", status_code=202, responses=PROBLEMS, summary="Add facts"
)
async def add_message(request: Request, receipt: str, body: MessageBody) -> Response:
    """Facts that came to mind later, for whoever works on it."""
    edge = edge_of(request)
    async with edge.db.transaction() as conn:
        done = await receipts.add_message(conn, _spelled(receipt), body.message, edge.clock())
    return _step_answer(done, language(request))


@router.post(
    "/receipts/{receipt}/withdraw", status_code=202, responses=PROBLEMS, summary="Take it back"
)
async def withdraw(request: Request, receipt: str, body: WithdrawBody) -> Response:
    """The request is taken back; its matter ends as withdrawn."""
    edge = edge_of(request)
    async with edge.db.transaction() as conn:
        done = await receipts.withdraw(conn, _spelled(receipt), body.reason, edge.clock())
    return _step_answer(done, language(request))


@router.post(
    "/receipts/{receipt}/answer",
    status_code=202,
    responses=PROBLEMS,
    summary="Answer the return visit",
)
async def answer_visit(request: Request, receipt: str, body: AnswerBody) -> Response:
    """Whether it is settled, and how satisfied the holder is."""
    edge = edge_of(request)
    answer = VisitAnswer(body.solved, body.satisfaction, body.words)
    async with edge.db.transaction() as conn:
        done = await receipts.answer_visit(conn, _spelled(receipt), answer, edge.clock())
    return _step_answer(done, language(request))


def _step_answer(done: Done | NotNow | Missing, lang: str) -> Response:
    match done:
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
        case Done(request_id, _):
            return as_json({"request_id": request_id}, 202)


@router.get("/requests/{request_id}", responses=PROBLEMS, summary="A request with its contact")
async def show_request(
    request: Request, request_id: UUID, caller: Annotated[Principal, Depends(STAFF)]
) -> Response:
    """All that was sent, the contact included, for the staff who have the matter in hand."""
    async with edge_of(request).db.reading() as conn:
        full = await receipts.full_request(conn, request_id, caller.role, caller.party)
    if full is None:
        raise Problem(404, "request_not_found")
    return as_json(full)
