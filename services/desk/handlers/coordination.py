"""What waits for a coordinator: objections, and matters without an owner."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.desk.clients.services import Services, Visitor
from services.desk.handlers.today import FOREVER

MOST: Final = 100

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Coordination:
    """Open objections, the one whose review ends first at the head; matters that wait, the earliest promise first.

    `is_whole` is false where either list goes on.
    """

    objections: Sequence[Item]
    waiting: Sequence[Item]
    is_whole: bool


async def load_coordination(services: Services, visitor: Visitor) -> Coordination:
    """Load 100 of each at most. Raises Problem 503, or ServiceProblem 403 for who may not see objections."""
    objections, waiting = await asyncio.gather(
        services.get(visitor, "/routing/objections", limit=MOST),
        services.get(
            visitor,
            "/followup/matters",
            state="awaiting_dispatch",
            due_before=FOREVER,
            limit=MOST,
        ),
    )
    is_whole = objections["next"] is None and waiting["next"] is None
    return Coordination(objections["items"], waiting["items"], is_whole)
