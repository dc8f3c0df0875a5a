"""Gauges of routing: how many matters wait, for what, and how long."""

from datetime import datetime
from typing import Final

from prometheus_client import Gauge

from services.routing.handlers.office import Office
from services.routing.store.figures import count_waiting
from shared.contracts.vocabulary import MatterState, PendingReason
from shared.observability.metrics import SWEEP_LATE
from shared.runtime.database import Connection
from shared.runtime.sampling import set_lateness

SERVICE: Final = "routing"

WAITING: Final = Gauge(
    "liaison_matters_waiting", "Matters that nobody has taken yet.", ["service", "reason"]
)
WAITING_SECONDS: Final = Gauge(
    "liaison_matters_waiting_working_seconds",
    "Working time since the matter that waits longest was first offered in its round.",
    ["service", "reason"],
)
GAUGES: Final = (WAITING, WAITING_SECONDS, SWEEP_LATE)


async def set_gauges(conn: Connection, office: Office, now: datetime) -> None:
    """Set the gauges to the present values."""
    found = await count_waiting(conn)
    for reason, count, since in (
        (MatterState.OFFERED, found.offered, found.offered_since),
        (PendingReason.OBJECTION_REVIEW, found.reviewed, found.reviewed_since),
    ):
        WAITING.labels(SERVICE, reason.value).set(count)
        WAITING_SECONDS.labels(SERVICE, reason.value).set(_worked(office, since, now))
    set_lateness(SERVICE, found.due_at, now)


def _worked(office: Office, since: datetime | None, now: datetime) -> float:
    if since is None:
        return 0.0
    return max(0.0, office.calendar.working_time_between(since, now).total_seconds())
