"""Answers to offers and rulings on objections over HTTP."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.routing.api import answers
from services.routing.api.edge import (
    PROBLEMS,
    Answerer,
    Body,
    Coordinator,
    Overseer,
    PageCursor,
    PageSize,
    acting,
    edge_of,
)
from services.routing.api.paging import after_place, page
from services.routing.api.refusals import done_or_problem
from services.routing.api.views import party_view
from services.routing.domain.answers import Declination
from services.routing.domain.matter import ObjectionState
from services.routing.handlers.answers import Answering, accept_offer, decline_offer
from services.routing.handlers.outcomes import Done
from services.routing.handlers.rulings import GivenRuling, rule_objection
from services.routing.store.reviews import Review, list_reviews
from shared.auth.tokens import Principal
from shared.contracts.fields import Note, PartyId
from shared.contracts.vocabulary import DeclineReason, OfferState, Ruling
from shared.http import idempotency
from shared.http.idempotency import WriteResponse, if_match
from shared.http.problems import language
from shared.http.responses import Page
from shared.http.routes import CheckedRoute
from shared.http.tracing import trace_in
from shared.messages.catalogue import text
from shared.runtime.database import Connection

router = APIRouter(route_class=CheckedRoute, prefix="/routing", tags=["offers"])


class DeclineBody(Body):
    """Why an offer is sent back. Whoever names a better owner asks for a coordinator's ruling."""

    reason_code: DeclineReason
    suggested_owner: PartyId | None = None
    note: Note | None = None


class RulingBody(Body):
    """`upheld` 改派: to the suggested owner; `overruled` 维持: back to the party that objected."""

    ruling: Ruling
    note: Note | None = None


@router.post(
    "/offers/{offer_id}/accept",
    responses={200: {"model": answers.OfferAnswered}, **PROBLEMS},
    operation_id="acceptOffer",
    summary="Take the matter (签收)",
    dependencies=[idempotency.KEYED, idempotency.VERSIONED],
)
async def accept(request: Request, offer_id: UUID, caller: Answerer) -> Response:
    """The party owns the matter from now on. Of two who accept at once one does, the other hears who has it."""
    edge, lang = edge_of(request), language(request)
    answering = _answering(request, offer_id, caller)

    async def work(conn: Connection) -> WriteResponse:
        outcome = await accept_offer(conn, edge.office, answering, edge.clock())
        return _answered(done_or_problem(outcome, "no_such_offer", lang), OfferState.ACCEPTED, lang)

    return await idempotency.run(request, edge.db, caller, work)


@router.post(
    "/offers/{offer_id}/decline",
    responses={200: {"model": answers.DeclinedOffer}, **PROBLEMS},
    operation_id="declineOffer",
    summary="Send the matter back (退单)",
    dependencies=[idempotency.KEYED, idempotency.VERSIONED],
)
async def decline(
    request: Request, offer_id: UUID, body: DeclineBody, caller: Answerer
) -> Response:
    """To the next candidate at once; with `suggested_owner` a coordinator rules first (派单异议)."""
    edge, lang = edge_of(request), language(request)
    answering = _answering(request, offer_id, caller)
    declination = Declination(body.reason_code, body.suggested_owner, body.note)

    async def work(conn: Connection) -> WriteResponse:
        outcome = await decline_offer(conn, edge.office, answering, declination, edge.clock())
        return _answered(done_or_problem(outcome, "no_such_offer", lang), OfferState.DECLINED, lang)

    return await idempotency.run(request, edge.db, caller, work)


@router.post(
    "/objections/{objection_id}/ruling",
    responses={200: {"model": answers.RuledObjection}, **PROBLEMS},
    operation_id="ruleObjection",
    summary="Rule an objection",
    dependencies=[idempotency.KEYED, idempotency.VERSIONED],
)
async def give_ruling(
    request: Request, objection_id: UUID, body: RulingBody, caller: Coordinator
) -> Response:
    """Once, and before the review's time has run out."""
    edge, lang = edge_of(request), language(request)
    given = GivenRuling(
        str(objection_id),
        body.ruling,
        acting(caller),
        body.note,
        if_match(request),
        trace_in(request),
    )

    async def work(conn: Connection) -> WriteResponse:
        outcome = await rule_objection(conn, edge.office, given, edge.clock())
        done = done_or_problem(outcome, "no_such_objection", lang)
        return WriteResponse(
            200,
            {
                "objection_id": given.objection_id,
                "matter_id": done.change.matter.id,
                "ruling": given.ruling,
                "next": _next(done),
                "version": done.change.matter.version,
            },
            {"etag": f'"{done.change.matter.version}"'},
        )

    return await idempotency.run(request, edge.db, caller, work)


def _answering(request: Request, offer_id: UUID, caller: Principal) -> Answering:
    return Answering(str(offer_id), acting(caller), if_match(request), trace_in(request))


def _answered(done: Done, state: OfferState, lang: str) -> WriteResponse:
    matter, offer, objection = done.change.matter, done.offer, done.objection
    if offer is None:
        raise ValueError("an answer is about an offer")
    body: dict[str, Any] = {
        "offer_id": offer.id,
        "matter_id": matter.id,
        "round": offer.round,
        "party": party_view(offer.party),
        "state": state,
        "state_label": text(f"routing.state.{state}", lang),
        "version": matter.version,
    }
    if state is OfferState.DECLINED:
        body["next"] = _next(done)
        body["objection"] = objection and {
            "objection_id": objection.id,
            "suggested_owner": objection.suggested_owner,
            "review_at": objection.review_at,
        }
    return WriteResponse(200, body, {"etag": f'"{matter.version}"'})


def _next(done: Done) -> dict[str, Any] | None:
    made = done.change.made
    if made is None:
        return None
    return {
        "offer_id": made.offer.id,
        "party": party_view(made.offer.party),
        "candidacy": made.offer.candidacy,
        "expires_at": made.offer.expires_at,
    }


@router.get(
    "/objections",
    responses={200: {"model": Page[answers.ObjectionInList]}, **PROBLEMS},
    operation_id="listObjections",
    summary="Objections",
)
async def objections(
    request: Request,
    caller: Overseer,
    state: ObjectionState = ObjectionState.OPEN,
    limit: PageSize = 50,
    cursor: PageCursor = None,
) -> Response:
    """Objections of one state, the one whose review ends first at the head."""
    edge, lang = edge_of(request), language(request)
    async with edge.db.reading() as conn:
        found = await list_reviews(conn, state, after_place(cursor), limit + 1)

    def view(review: Review) -> dict[str, Any]:
        return {
            "objection_id": review.objection_id,
            "matter_id": review.matter_id,
            "version": review.version,
            "round": review.round,
            "summary": review.summary,
            "requester_name": review.requester_name,
            "raised_by": party_view(review.raised_by),
            "suggested_owner": party_view(review.suggested_owner),
            "reason_code": review.reason_code,
            "note": review.note,
            "raised_at": review.raised_at,
            "review_at": review.review_at,
            "state": review.state,
            "state_label": text(f"routing.objection.{review.state}", lang),
            "ruled_by": review.ruled_by,
            "ruling_note": review.ruling_note,
        }

    return page(found, limit, lambda review: (review.review_at, review.objection_id), view)
