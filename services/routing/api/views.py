"""JSON views of parties, offers and decisions, with words in the reader's language."""

from datetime import datetime
from typing import Any

from services.routing.domain.dispatching import Dispatched
from services.routing.domain.matter import Offer
from services.routing.domain.parties import Party
from services.routing.handlers import wording
from services.routing.store.queues import Item
from shared.messages.catalogue import text


def party_view(party: Party) -> dict[str, Any]:
    """Return a party with id, kind and name."""
    return {"id": party.id, "kind": party.kind, "name": party.name}


def holder_view(offer: Offer | None, lang: str) -> dict[str, Any] | None:
    """Return the open or accepted offer as the matter's holder; None without one."""
    if offer is None:
        return None
    return {
        "offer_id": offer.id,
        "party": party_view(offer.party),
        "state": offer.state,
        "state_label": text(f"routing.state.{offer.state}", lang),
    }


def holder_words(offer: Offer | None, lang: str) -> str:
    """Return the matter's holder in words."""
    if offer is None:
        return text("routing.nobody", lang)
    return f"{offer.party.name} ({text(f'routing.state.{offer.state}', lang)})"


def dispatch_view(dispatched: Dispatched) -> dict[str, Any]:
    """Return the catalogue's decision."""
    return {
        "catalogue_version": dispatched.catalogue_version,
        "rule_id": dispatched.rule_id,
        "category": dispatched.category,
        "lead_department": dispatched.lead_department,
        "co_departments": dispatched.co_departments,
        "urgency": dispatched.urgency,
        "difficulty": dispatched.difficulty,
        "accept_hours": dispatched.accept_minutes / 60,
        "handle_days": dispatched.handle_days,
    }


def item_view(item: Item, now: datetime, lang: str) -> dict[str, Any]:
    """Return an offer in a queue; `age_seconds` is the request's age, whatever offers came before."""
    return {
        "offer_id": item.offer_id,
        "matter_id": item.matter_id,
        "version": item.version,
        "round": item.round,
        "attempt": item.attempt,
        "party": party_view(item.party),
        "state": item.state,
        "summary": item.summary,
        "requester": {
            "kind": item.requester_kind,
            "id": item.requester_id,
            "name": item.requester_name,
        },
        "category": item.dispatched.category,
        "urgency": item.dispatched.urgency,
        "candidacy": item.candidacy,
        "reason": wording.why(item.considered, item.catalogue_version, item.rule_id, lang),
        "received_at": item.received_at,
        "offered_at": item.offered_at,
        "expires_at": item.expires_at,
        "age_seconds": max(0, int((now - item.received_at).total_seconds())),
        "catalogue_version": item.catalogue_version,
        "rule_id": item.rule_id,
        "lead_department": item.dispatched.lead_department,
        "co_departments": item.dispatched.co_departments,
        "handle_days": item.dispatched.handle_days,
    }
