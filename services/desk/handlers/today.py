"""What somebody has to do next, asked of followup in their name."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.desk.clients.services import Services, Visitor
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role

FOREVER: Final = "2200-12-31T00:00:00Z"
"""A list by promise is asked for up to a moment; no limit can be later than this one."""
MOST: Final = 100

_OWN: Final = {"owner": "me"}
_OFFERED: Final = {"state": "offered"}

LISTS: Final[Mapping[Role, Sequence[Mapping[str, str]]]] = {
    Role.LIAISON: (_OWN, _OFFERED),
    Role.DEPARTMENT: (_OWN, _OFFERED, {"state": "in_progress"}),
    Role.COORDINATOR: (_OWN, _OFFERED, {"state": "handled"}, {"state": "awaiting_dispatch"}),
    Role.OPERATOR: ({},),
}
"""The lists of followup's that may hold something that waits for a role, by their filters."""

WAITS_FOR_COORDINATOR: Final = frozenset({"handled", "awaiting_dispatch"})

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Today:
    """The matters with the earliest promises, and milestones of one's own.

    `next` is the cursor of a list of everything; `is_whole` is false where a list of one's own has more than is here.
    """

    matters: Sequence[Item]
    milestones: Sequence[Item] = ()
    next: str | None = None
    is_whole: bool = True


async def load_all(services: Services, visitor: Visitor, cursor: str | None) -> Today:
    """Load what is promised next of all that the visitor may see, 100 matters a page.

    Raises Problem 503 while followup does not answer.
    """
    page = await services.get(
        visitor, "/followup/matters", due_before=FOREVER, limit=MOST, cursor=cursor
    )
    return Today(page["items"], next=page["next"])


async def load_own(services: Services, visitor: Visitor, principal: Principal) -> Today:
    """Load what waits for who looks: 100 matters of each list that may hold some, and a department's milestones.

    Raises Problem 503 while followup does not answer.
    """
    pages = await asyncio.gather(
        *(
            services.get(
                visitor, "/followup/matters", due_before=FOREVER, limit=MOST, **dict(filters)
            )
            for filters in LISTS[principal.role]
        )
    )
    found = {
        item["matter_id"]: item
        for page in pages
        for item in page["items"]
        if waits_for(item, principal)
    }
    milestones: Sequence[Item] = ()
    if principal.role is Role.DEPARTMENT:
        chart = await services.get(
            visitor, "/followup/wall-chart", department=principal.party, limit=MOST
        )
        pages.append(chart)
        milestones = chart["items"]
    is_whole = all(page["next"] is None for page in pages)
    return Today(list(found.values()), milestones, is_whole=is_whole)


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
