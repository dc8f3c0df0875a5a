"""Every fault by its name: what it does to a stand, and for how long in a short or a long run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from tests.faults.cluster import SERVICES
from tests.faults.injecting import backups, messages, servers, services, wire
from tests.faults.stand import Stand

Inject: TypeAlias = Callable[[Stand], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Spans:
    """How long what lasts does, in seconds."""

    usual: float = 6.0
    frozen: float = 14.0
    relay: float = 9.0
    locked: float = 60.0
    slow: float = 15.0
    times: int = 5


LONG = Spans()
SHORT = Spans(usual=3.0, frozen=7.0, relay=7.0, locked=12.0, slow=12.0, times=3)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is done to a stand and undone again; faults of different groups can be at work together."""

    name: str
    inject: Inject
    group: str = ""


def every_fault(spans: Spans) -> dict[str, Fault]:
    """All faults by name, in the order in which a run meets them first."""
    groups = {
        "services": _of_services(spans),
        "postgres": _of_postgres(spans),
        "kafka": _of_kafka(spans),
        "wire": _of_the_wire(spans),
        "messages": _of_messages(spans),
    }
    return {
        fault.name: replace(fault, group=group)
        for group, faults in groups.items()
        for fault in faults
    }


def _of_services(spans: Spans) -> list[Fault]:
    found = []
    for service in SERVICES:
        of = partial(partial, service=service)
        found += [
            Fault(f"{service}: kill -9", of(services.killed)),
            Fault(f"{service}: frozen", of(services.frozen, seconds=spans.frozen)),
            Fault(f"{service}: relay killed, batch out", of(services.relay_killed)),
            Fault(
                f"{service}: relay frozen, batch out",
                of(services.relay_frozen, seconds=spans.relay),
            ),
            Fault(f"{service}: killed before the ack", of(services.killed_before_acknowledging)),
            Fault(f"{service}: killed before the delete", of(services.killed_before_forgetting)),
            Fault(f"{service}: killed inside a batch", of(services.killed_in_the_middle)),
            Fault(
                f"{service}: table locked",
                # One for as long as it takes to lose all patience, the others for less.
                of(services.locked, seconds=spans.locked if service == "followup" else spans.slow),
            ),
            Fault(
                f"{service}: statements time out", of(servers.slow_statements, seconds=spans.slow)
            ),
        ]
    found += [
        Fault("rebalances", services.rebalanced),
        Fault("rolling restart", services.rolled),
        Fault("relays without a lock", partial(services.relays_without_lock, seconds=spans.usual)),
    ]
    return found


def _of_postgres(spans: Spans) -> list[Fault]:
    frozen, usual = spans.frozen, spans.usual
    return [
        Fault("postgres: immediate stop", servers.postgres_stopped),
        Fault("postgres: away", partial(servers.postgres_stopped, seconds=frozen)),
        Fault("postgres: sessions ended", partial(servers.sessions_ended, times=spans.times)),
        Fault("postgres: no connection left", partial(servers.crowded, seconds=frozen)),
        Fault("postgres: disk full", partial(servers.disk_full, seconds=frozen)),
        Fault(
            "postgres: a transaction left open", partial(servers.long_transaction, seconds=usual)
        ),
        Fault("postgres: backed up under load", backups.backed_up),
    ]


def _of_kafka(spans: Spans) -> list[Fault]:
    frozen, usual = spans.frozen, spans.usual
    return [
        Fault("kafka: one broker killed", partial(servers.brokers_killed, seconds=usual)),
        Fault("kafka: two brokers killed", partial(servers.brokers_killed, seconds=usual, count=2)),
        Fault("kafka: one broker frozen", partial(servers.broker_frozen, seconds=frozen)),
        Fault("kafka: all brokers killed", partial(servers.all_brokers_killed, seconds=frozen)),
        Fault("kafka: all brokers frozen", partial(servers.all_brokers_frozen, seconds=frozen)),
        Fault("kafka: wiped and rewound", servers.kafka_wiped),
    ]


def _of_the_wire(spans: Spans) -> list[Fault]:
    found = []
    for server, names in (("kafka", wire.KAFKA), ("postgres", wire.POSTGRES)):
        during = partial(wire.weather, names=names, seconds=spans.usual)
        found += [
            Fault(f"wire to {server}: 200 ms late", partial(during, do="delay", delay=0.2)),
            Fault(
                f"wire to {server}: swallows", partial(during, do="swallow", seconds=spans.frozen)
            ),
            Fault(f"wire to {server}: half open", partial(during, do="half")),
            Fault(f"wire to {server}: connections go dead", partial(during, do="die")),
            Fault(f"wire to {server}: refuses", partial(during, do="refuse")),
            Fault(
                f"wire to {server}: answers lost",
                partial(wire.answers_lost, names=names, times=spans.times),
            ),
        ]
    hour = 3600.0
    found += [
        Fault("clock: an hour back", partial(wire.clock_set, shift=-hour, seconds=spans.usual)),
        Fault("clock: a week on", partial(wire.clock_set, shift=168 * hour, seconds=spans.usual)),
    ]
    return found


def _of_messages(spans: Spans) -> list[Fault]:
    return [
        Fault("copies of every tenth", partial(messages.copied, seconds=2 * spans.usual)),
        Fault("poison of every kind", messages.poisoned),
    ]
