"""Routing's Kafka edge: the handler of each topic."""

from collections.abc import Sequence

from services.routing.handlers import batches
from services.routing.handlers.office import Office
from shared.contracts import topics
from shared.delivery.cloudevents import Message
from shared.delivery.inbox.consumer import Apply
from shared.runtime.clock import Clock
from shared.runtime.database import Connection


def applies(office: Office, clock: Clock) -> dict[str, Apply]:
    """What is done with each topic's events; registrations before what is said of their matters."""

    async def on_requests(conn: Connection, messages: Sequence[Message]) -> Sequence[Message]:
        return await batches.apply_requests(conn, office, messages, clock())

    async def on_matters(conn: Connection, messages: Sequence[Message]) -> Sequence[Message]:
        return await batches.apply_matters(conn, office, messages, clock())

    return {topics.REQUESTS: on_requests, topics.MATTERS: on_matters}
