"""What every route of intake works with."""

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
    """What the routes work with."""

    db: Database
    clock: Clock
    batcher: Batcher[Arrival, Registration]
    health: Health
    max_pending_events: int
    brute_force_guard: BruteForceGuard
    feed_watch: FeedWatch

    @property
    def is_full(self) -> bool:
        """Whether Kafka has been away for so long that no more can be kept for it."""
        return self.health.outbox_events > self.max_pending_events

    def refuse_when_full(self) -> None:
        """Raises Problem 503 while no more can be kept for Kafka."""
        if self.is_full:
            raise busy(RETRY_SECONDS)


def edge_of(request: Request) -> Edge:
    """The edge of the app that serves `request`."""
    edge: Edge = request.app.state.edge
    return edge


PROBLEMS: Final = problem_responses(400, 401, 403, 404, 409, 413, 422, 503)
