"""Broken builds of the services, each wrong in one way that has lost or doubled messages somewhere."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.delivery.cloudevents import Recorded
from shared.delivery.inbox import bisect, sequencer, store
from shared.delivery.inbox.sequencer import Discarded, SubjectProgress, _Plan
from shared.delivery.outbox import relay

HASTE_SECONDS = 1.0


def hasty() -> None:
    """Not broken: gives up a batch soon, so that what comes after an error is reached without waiting for a minute."""
    bisect.PATIENCE_SECONDS = HASTE_SECONDS


def _subscribing(change: Callable[[dict[str, Any]], None]) -> None:
    sound = KafkaBroker.subscriber

    def subscriber(self: KafkaBroker, *topics: str, **settings: Any) -> Any:
        change(settings)
        return sound(self, *topics, **settings)

    KafkaBroker.subscriber = subscriber  # type: ignore[method-assign, assignment]
    hasty()


def default_ack_policy() -> None:
    """What FastStream does when nothing is said: records count as read when they are fetched."""
    _subscribing(lambda settings: settings.pop("ack_policy"))


def ack_after_error() -> None:
    """A batch is acknowledged whatever became of it."""
    _subscribing(lambda settings: settings.update(ack_policy=AckPolicy.ACK))


def ack_by_hand() -> None:
    """A batch is acknowledged by hand at its end, so that the next one acknowledges what failed before it."""
    _subscribing(lambda settings: settings.update(ack_policy=AckPolicy.MANUAL))


def default_header_parser() -> None:
    """FastStream reads the headers by itself."""

    def change(settings: dict[str, Any]) -> None:
        del settings["parser"], settings["decoder"]

    _subscribing(change)


def no_inbox() -> None:
    """What comes is applied, whether it was applied before or not."""

    async def claim(conn: Any, ids: Any, raws: Any) -> set[Any]:
        return set(ids)

    def planned(progress: SubjectProgress, messages: Any, discarded: Discarded) -> _Plan:
        plan = _Plan()
        for message in messages:
            plan.due.setdefault(message.raw.topic, []).append(message)
        return plan

    store.claim = claim
    sequencer._planned = planned


SELECT_AFTER = """
select seq, id, subject, version, type, topic, at, causation_id, traceparent, data
from event where seq > $1 order by seq limit $2"""
FIRST = "select coalesce((select min(seq) from outbox) - 1, (select max(seq) from event), 0)"
FORGET_UP_TO = "delete from outbox where seq <= $1"


def relay_by_cursor() -> None:
    """Sends what has a higher number than what was sent last: what is committed later with a lower one is skipped."""
    last: dict[relay.Relay, int] = {}

    async def carry(self: relay.Relay, connection: Any, producer: Any) -> int:
        if self not in last:
            last[self] = await connection.fetchval(FIRST)
        found = await connection.fetch(SELECT_AFTER, last[self], relay.BATCH)
        if found:
            rows = [Recorded(*row.values()) for row in found]
            await self._send(producer, relay.Sending(rows))
            last[self] = rows[-1].seq
            await connection.execute(FORGET_UP_TO, last[self])
        return len(found)

    relay.Relay._carry = carry  # type: ignore[method-assign]


SELECT_BY_TRANSACTION = """
select event.seq, event.id, event.subject, event.version, event.type, event.topic, event.at,
       event.causation_id, event.traceparent, event.data
from outbox join event using (seq)
where event.xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
order by event.xmin::text::bigint, event.seq limit $1"""


def relay_by_transaction() -> None:
    """Sends in the order of transactions, those below the oldest that is open: a matter's order is another."""
    relay.SELECT_PENDING = SELECT_BY_TRANSACTION


def relay_without_lock() -> None:
    """Not broken, only wasteful: every replica's relay is at work."""
    relay.TRY_LEAD = "select true"


MUTANTS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType(
    {
        mutant.__name__: mutant
        for mutant in (
            hasty,
            default_ack_policy,
            ack_after_error,
            ack_by_hand,
            default_header_parser,
            no_inbox,
            relay_by_cursor,
            relay_by_transaction,
            relay_without_lock,
        )
    }
)
