"""Gauges of followup: open matters, late ones, and those on the wall chart."""

from datetime import datetime
from typing import Final

from prometheus_client import Gauge

from services.followup.store.figures import count_disagreements, count_open
from shared.observability.metrics import SWEEP_LATE
from shared.runtime.database import Connection
from shared.runtime.sampling import set_lateness

SERVICE: Final = "followup"

OPEN: Final = Gauge("liaison_matters_open", "Open matters by state.", ["service", "state"])
BREACHED: Final = Gauge(
    "liaison_matters_breached", "Open matters with a clock that has run out.", ["service"]
)
CHARTED: Final = Gauge(
    "liaison_matters_charted", "Matters with a step on the wall chart to be done.", ["service"]
)
DISAGREEMENTS: Final = Gauge(
    "liaison_disagreements",
    "Where two comparisons in a row found that services know different things of a matter.",
    ["service", "reason", "state"],
)
RECONCILED: Final = Gauge(
    "liaison_reconciled_timestamp_seconds",
    "When the services' rows were last compared whole, in Unix time.",
    ["service"],
)
GAUGES: Final = (OPEN, BREACHED, CHARTED, SWEEP_LATE, DISAGREEMENTS, RECONCILED)
REASONS: Final = ("version", "behind", "state", "owner", "offer")
STATES: Final = {True: "standing", False: "gone"}


async def set_gauges(conn: Connection, now: datetime) -> None:
    """Set the gauges to the present values."""
    found = await count_open(conn, now)
    for state, count in found.states.items():
        OPEN.labels(SERVICE, state.value).set(count)
    BREACHED.labels(SERVICE).set(found.breached)
    CHARTED.labels(SERVICE).set(found.charted)
    set_lateness(SERVICE, found.act_at, now)
    await _set_disagreements(conn)


async def _set_disagreements(conn: Connection) -> None:
    found = await count_disagreements(conn)
    for reason in REASONS:
        for stands, state in STATES.items():
            count = found.counts.get((reason, stands), 0)
            DISAGREEMENTS.labels(SERVICE, reason, state).set(count)
    if found.ended_at is not None:
        RECONCILED.labels(SERVICE).set(found.ended_at.timestamp())
