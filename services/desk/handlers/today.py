"""What somebody has to do next, asked of followup in their name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.desk.clients.services import Services, Visitor
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role

FOREVER: Final = "2200-12-31T00:00:00Z"
"""A list by promise is asked for up to a moment; no limit can be later than this one."""
MOST: Final = 100

WAITS_FOR_COORDINATOR: Final = frozenset({"handled", "awaiting_dispatch"})

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Today:
    """The matters with the earliest promises, milestones of one's own, and where the list goes on."""

    matters: Sequence[Item]
    milestones: Sequence[Item]
    next: str | None


async def load_today(services: Services, visitor: Visitor, cursor: str | None, mine: bool) -> Today:
    """What is promised next, 100 matters at most; with `mine` those alone that wait for who looks.

    Raises Problem 503 while followup does not answer.
    """
    page = await services.get(
        visitor, "/followup/matters", due_before=FOREVER, limit=MOST, cursor=cursor
    )
    principal = visitor.principal
    matters = [
        item for item in page["items"] if not mine or (principal and waits_for(item, principal))
    ]
    milestones: Sequence[Item] = ()
    if principal is not None and principal.role is Role.DEPARTMENT and cursor is None:
        chart = await services.get(
            visitor, "/followup/wall-chart", department=principal.party, limit=MOST
        )
        milestones = chart["items"]
    return Today(matters, milestones, page["next"])


def waits_for(item: Item, principal: Principal) -> bool:
    """Whether a matter waits for somebody: who answers for it now, or leads its work.

    For a coordinator: what lies with the town's desk or with nobody, and what is to be visited.
    """
    responsible = item["responsible"]
    if principal.role is Role.COORDINATOR:
        return bool(responsible["kind"] == "desk" or item["state"] in WAITS_FOR_COORDINATOR)
    if principal.role is Role.OPERATOR:
        return True
    leads = item["lead_department"] == principal.party and item["state"] == "in_progress"
    return bool(responsible["id"] == principal.party or leads)
