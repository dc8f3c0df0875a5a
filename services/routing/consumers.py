"""Kafka consumers of routing: the handler of each topic."""

from functools import partial

from services.routing.handlers import batches
from services.routing.handlers.office import Office
from shared.contracts import topics
from shared.delivery.inbox.consumer import Apply
from shared.runtime.clock import Clock


def applies(office: Office, clock: Clock) -> dict[str, Apply]:
    """Return the handler of each topic; registrations are applied before events of their matters."""
    return {
        topics.REQUESTS: partial(batches.apply_requests, office=office, clock=clock),
        topics.MATTERS: partial(batches.apply_matters, office=office, clock=clock),
    }
