"""Answers to offers and rulings on objections over HTTP."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from services.routing.api import answers
from services.routing.api.edge import (
    ANSWERING,
    PROBLEMS,
    RULING,
    Body,
    Edge,
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
from services.routing.handlers.commands.answers import Answering, accept_offer, decline_offer
from services.routing.handlers.commands.outcomes import Done
from services.routing.handlers.commands.rulings import GivenRuling, rule_objection
from services.routing.store.reviews import Review, list_reviews
from shared.contracts.fields.types import Note, PartyId
from shared.contracts.vocabulary import DeclineReason, OfferState, Ruling
from shared.http.problems import language
from shared.http.responses import Page
from shared.http.routes import CheckedRoute
from shared.http.writes import idempotency
from shared.http.writes.idempotency import WriteResponse, run_once
from shared.http.writes.steps import StepEntry, StepOperation, StepRequest, add_steps
from shared.messages.catalogue import text
from shared.runtime.database import Connection


class DeclineBody(Body):
    """Why an offer is sent back. Whoever names a better owner asks for a coordinator's ruling."""

    reason_code: DeclineReason
    suggested_owner: PartyId | None = None
    note: Note | None = None


class RulingBody(Body):
    """`upheld` 改派: to the suggested owner; `overruled` 维持: back to the party that objected."""

    ruling: Ruling
    note: Note | None = None


async def _accept(edge: Edge, wanted: StepRequest) -> WriteResponse:
    async def work(conn: Connection) -> WriteResponse:
        outcome = await accept_offer(conn, edge.office, _answering(wanted), edge.clock())
        done = done_or_problem(outcome, "no_such_offer", wanted.lang)
        return _answered(done, OfferState.ACCEPTED, wanted.lang)

    return await run_once(edge.db, wanted.key, work)


async def _decline(edge: Edge, wanted: StepRequest) -> WriteResponse:
    body: DeclineBody = wanted.body
    declination = Declination(body.reason_code, body.suggested_owner, body.note)

    async def work(conn: Connection) -> WriteResponse:
        answering = _answering(wanted)
        outcome = await decline_offer(conn, edge.office, answering, declination, edge.clock())
        done = done_or_problem(outcome, "no_such_offer", wanted.lang)
        return _answered(done, OfferState.DECLINED, wanted.lang)

    return await run_once(edge.db, wanted.key, work)


async def _rule(edge: Edge, wanted: StepRequest) -> WriteResponse:
    body: RulingBody = wanted.body
    given = GivenRuling(
        str(wanted.ids["objection_id"]),
        body.ruling,
        acting(wanted.principal),
        body.note,
        wanted.versions,
        wanted.traceparent,
    )

    async def work(conn: Connection) -> WriteResponse:
        outcome = await rule_objection(conn, edge.office, given, edge.clock())
        done = done_or_problem(outcome, "no_such_objection", wanted.lang)
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

    return await run_once(edge.db, wanted.key, work)


def _answering(wanted: StepRequest) -> Answering:
    offer_id, by = str(wanted.ids["offer_id"]), acting(wanted.principal)
    return Answering(offer_id, by, wanted.versions, wanted.traceparent)


ENTRIES: Final = (
    StepEntry(
        "liaison.offer.accept.v1",
        "/routing/offers/{offer_id}/accept",
        StepOperation(
            "acceptOffer",
            "Take the matter (签收)",
            "The party owns the matter from now on. Of two who accept at once one does, the other hears who has it.",
        ),
        ANSWERING,
        answers.OfferAnswered,
        _accept,
    ),
    StepEntry(
        "liaison.offer.decline.v1",
        "/routing/offers/{offer_id}/decline",
        StepOperation(
            "declineOffer",
            "Send the matter back (退单)",
            "To the next candidate at once; with `suggested_owner` a coordinator rules first (派单异议).",
        ),
        ANSWERING,
        answers.DeclinedOffer,
        _decline,
        DeclineBody,
    ),
    StepEntry(
        "liaison.objection.rule.v1",
        "/routing/objections/{objection_id}/ruling",
        StepOperation(
            "ruleObjection",
            "Rule an objection",
            "Once, and before the review's time has run out.",
        ),
        RULING,
        answers.RuledObjection,
        _rule,
        RulingBody,
    ),
)
COMMANDS: Final[Mapping[str, StepEntry]] = MappingProxyType(
    {each.command: each for each in ENTRIES}
)
"""The steps by the types of their commands."""

router = APIRouter(route_class=CheckedRoute, prefix="/routing", tags=["offers"])
steps = APIRouter(
    route_class=CheckedRoute,
    tags=["offers"],
    dependencies=[idempotency.KEYED, idempotency.VERSIONED],
)
add_steps(steps, ENTRIES, edge_of, PROBLEMS)


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
        "offer_id": made.id,
        "party": party_view(made.party),
        "candidacy": made.candidacy,
        "expires_at": made.expires_at,
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
