"""Kafka consumers of followup: requests and assignments, which may arrive in either order, and the directory."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from services.followup.handlers.batches import directory, matters
from services.followup.handlers.news import MatterNews
from services.followup.handlers.office import Office
from shared.contracts import topics
from shared.delivery.cloudevents import Message, Raw
from shared.delivery.inbox.consumer import Apply
from shared.runtime.clock import Clock
from shared.runtime.database import Connection

Consume: TypeAlias = Callable[[Sequence[Raw]], Awaitable[None]]


def applies(office: Office, clock: Clock, news: MatterNews) -> Mapping[str, Apply]:
    """Return the handler of each topic; within a batch requests are applied first, because they open matters."""

    async def apply_messages(conn: Connection, messages: Sequence[Message]) -> Sequence[Message]:
        news.note(message.subject for message in messages)
        return await matters.apply_batch(conn, office, messages, clock)

    async def follow(conn: Connection, messages: Sequence[Message]) -> Sequence[Message]:
        news.note(message.subject for message in messages)
        return await directory.apply(conn, messages)

    return {
        topics.DIRECTORY: follow,
        topics.REQUESTS: apply_messages,
        topics.ASSIGNMENTS: apply_messages,
    }


def publishing(consume: Consume, news: MatterNews) -> Consume:
    """Return a consumer of records that also wakes the calls waiting for one of their matters."""

    async def consume_and_publish(raws: Sequence[Raw]) -> None:
        try:
            await consume(raws)
        finally:
            # Part of a batch that failed may be committed; a waiter that was woken for nothing waits on.
            news.publish()

    return consume_and_publish
