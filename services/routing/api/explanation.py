"""Why a matter went where it went, over HTTP."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.routing.api import answers
from services.routing.api.edge import PROBLEMS, Staff, edge_of
from services.routing.api.views import dispatch_view, party_view
from services.routing.domain.choice import Considered, Verdict
from services.routing.handlers import wording
from services.routing.store.explanations import Decision, load_decisions, load_standing
from services.routing.store.reviews import Review, load_reviews_of
from shared.http.problems import language
from shared.http.responses import as_json
from shared.http.routes import CheckedRoute
from shared.messages.catalogue import text
from shared.runtime.errors import Problem

router = APIRouter(route_class=CheckedRoute, prefix="/routing", tags=["explanation"])

MOST_DECISIONS: Final = 500


@router.get(
    "/requests/{request_id}/explanation",
    responses={200: {"model": answers.Explanation}, **PROBLEMS},
    operation_id="explainRouting",
    summary="Why it went there",
)
async def explain(request: Request, request_id: UUID, caller: Staff) -> Response:
    """Every choice of the matter, first to last: rule and version, each candidate, taken or why not.

    Of a matter with more than 500 choices the newest 500.
    """
    lang = language(request)
    async with edge_of(request).db.reading() as conn:
        standing = await load_standing(conn, str(request_id))
        if standing is None:
            raise Problem(404, "no_such_request", params={"id": request_id})
        decisions = await load_decisions(conn, str(request_id), MOST_DECISIONS)
        reviews = await load_reviews_of(conn, str(request_id))
    holding = next((decision for decision in decisions if decision.holding), None)
    return as_json(
        {
            "request_id": standing.matter_id,
            "matter_id": standing.matter_id,
            "version": standing.version,
            "round": standing.round,
            "standing": standing.standing,
            "looked_at_next": standing.due_at,
            "catalogue_version": standing.dispatched.catalogue_version,
            "rule_id": standing.dispatched.rule_id,
            "dispatch": dispatch_view(standing.dispatched),
            "holder": holding and _offer(holding, lang),
            "decisions": [_decision(decision, lang) for decision in decisions],
            "objections": [_objection(review, lang) for review in reviews],
        }
    )


def _decision(decision: Decision, lang: str) -> dict[str, Any]:
    return {
        "round": decision.round,
        "attempt": decision.attempt,
        "at": decision.offered_at,
        "cause": decision.cause,
        "cause_label": text(f"routing.cause.{decision.cause}", lang),
        "catalogue_version": decision.catalogue_version,
        "rule_id": decision.rule_id,
        "why": wording.why(decision.considered, decision.catalogue_version, decision.rule_id, lang),
        "candidates": [_candidate(candidate, lang) for candidate in decision.considered],
        "offer": _offer(decision, lang),
    }


def _candidate(candidate: Considered, lang: str) -> dict[str, Any]:
    return {
        "party": party_view(candidate.party),
        "candidacy": candidate.candidacy,
        "taken": candidate.verdict is Verdict.TAKEN,
        "verdict": candidate.verdict,
        "why": wording.verdict(candidate, lang),
        "until": candidate.until,
    }


def _offer(decision: Decision, lang: str) -> dict[str, Any]:
    return {
        "offer_id": decision.offer_id,
        "party": party_view(decision.party),
        "candidacy": decision.candidacy,
        "state": decision.state,
        "state_label": text(f"routing.state.{decision.state}", lang),
        "offered_at": decision.offered_at,
        "expires_at": decision.expires_at,
        "calendar_version": decision.calendar_version,
        "ended_at": decision.ended_at,
        "reason": decision.reason,
        "suggested_owner": decision.suggested_owner,
        "note": decision.note,
    }


def _objection(review: Review, lang: str) -> dict[str, Any]:
    return {
        "objection_id": review.objection_id,
        "offer_id": review.offer_id,
        "round": review.round,
        "raised_by": party_view(review.raised_by),
        "suggested_owner": party_view(review.suggested_owner),
        "reason_code": review.reason_code,
        "note": review.note,
        "raised_at": review.raised_at,
        "review_at": review.review_at,
        "state": review.state,
        "state_label": text(f"routing.objection.{review.state}", lang),
        "settled_at": review.settled_at,
        "ruled_by": review.ruled_by,
        "ruling_note": review.ruling_note,
    }
