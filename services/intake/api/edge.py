"""Dependencies of intake's routes."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request

from services.intake.domain import Registration
from services.intake.handlers.feed_watching import FeedWatch
from services.intake.handlers.registration import Arrival
from shared.auth.brute_force import BruteForceGuard
from shared.http.problems import problem_responses
from shared.http.writes.group_commit import Batcher
from shared.runtime.clock import Clock
from shared.runtime.database import Database
from shared.runtime.errors import busy
from shared.runtime.supervisor import Health

RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Edge:
    """Dependencies of the routes, in `app.state.edge`."""

    db: Database
    clock: Clock
    batcher: Batcher[Arrival, Registration]
    health: Health
    max_pending_events: int
    brute_force_guard: BruteForceGuard
    feed_watch: FeedWatch

    @property
    def is_full(self) -> bool:
        """Return whether more events than allowed wait for Kafka (back-pressure)."""
        return self.health.outbox_events > self.max_pending_events

    def refuse_when_full(self) -> None:
        """Raises Problem 503 while the outbox is full (back-pressure)."""
        if self.is_full:
            raise busy(RETRY_SECONDS)


def edge_of(request: Request) -> Edge:
    """The edge of the app that serves `request`."""
    edge: Edge = request.app.state.edge
    return edge


PROBLEMS: Final = problem_responses(400, 401, 403, 404, 409, 413, 422, 503)
