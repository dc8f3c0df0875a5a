"""What the pages know of the town: the clock and the time zone."""

from dataclasses import dataclass
from datetime import tzinfo

from fastapi import Request

from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`zone` is the town's, in which the pages show every moment."""

    clock: Clock
    zone: tzinfo


def surroundings_of(request: Request) -> Surroundings:
    """Those of the app that serves `request`."""
    found: Surroundings = request.app.state.surroundings
    return found
