"""Converts a registration of intake into the values of this service."""

from services.followup.domain.arrivals import Registration
from services.followup.domain.facts import RequestingParty
from services.followup.store.requests import Request
from shared.contracts.events import requests


def registration_of(event: requests.RequestRegistered) -> Registration:
    """Return the values that the rules open a matter with."""
    return Registration(
        event.matter_id,
        _requester(event),
        event.channel,
        event.kind,
        event.category,
        event.summary,
        event.urgency,
        event.received_at,
    )


def _requester(event: requests.RequestRegistered) -> RequestingParty:
    return RequestingParty(event.requester.kind, event.requester.id, event.requester.name)


def request_of(event: requests.RequestRegistered) -> Request:
    """Return the request to store."""
    return Request(
        event.matter_id,
        event.source,
        event.source_ref,
        event.channel,
        event.kind,
        event.category,
        _requester(event),
        event.summary,
        event.detail,
        event.location,
        event.urgency,
        event.occurred_at,
        event.received_at,
        event.attachments,
    )
