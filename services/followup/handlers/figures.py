"""What of followup is measured now and then: what is open, what is late, what hangs on the wall."""

from datetime import datetime
from typing import Final

from prometheus_client import Gauge

from services.followup.store.figures import count_open
from shared.kit.db import Connection
from shared.kit.measuring import tell_lateness
from shared.kit.telemetry import SWEEP_LATE

SERVICE: Final = "followup"

OPEN: Final = Gauge("liaison_matters_open", "Open matters by state.", ["service", "state"])
BREACHED: Final = Gauge(
    "liaison_matters_breached", "Open matters with a clock that has run out.", ["service"]
)
CHARTED: Final = Gauge(
    "liaison_matters_charted", "Matters with a step on the wall chart to be done.", ["service"]
)
GAUGES: Final = (OPEN, BREACHED, CHARTED, SWEEP_LATE)


async def take(conn: Connection, now: datetime) -> None:
    """Set the gauges as things stand."""
    found = await count_open(conn, now)
    for state, count in found.states.items():
        OPEN.labels(SERVICE, state.value).set(count)
    BREACHED.labels(SERVICE).set(found.breached)
    CHARTED.labels(SERVICE).set(found.charted)
    tell_lateness(SERVICE, found.act_at, now)
