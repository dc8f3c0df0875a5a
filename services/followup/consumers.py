"""Followup's Kafka edge: what intake registered and what routing did, in either order."""

from collections.abc import Mapping, Sequence

from services.followup.handlers import batches
from services.followup.handlers.office import Office
from shared.contracts import topics
from shared.kit.clock import Clock
from shared.kit.cloudevents import Message
from shared.kit.db import Connection
from shared.kit.inbound import Apply


def applies(office: Office, clock: Clock) -> Mapping[str, Apply]:
    """What is done with the events of each topic: within a batch the requests go first, as they open matters."""

    async def take(conn: Connection, messages: Sequence[Message]) -> Sequence[Message]:
        return await batches.take(conn, office, messages, clock)

    return {topics.REQUESTS: take, topics.ASSIGNMENTS: take}
