"""Everything that the page of one matter shows, asked of the services in the reader's name."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.desk.clients.services import ServiceProblem, Services, Visitor
from services.desk.domain.steps import FieldKind, StepForm
from shared.runtime.errors import Problem

MOST_ENTRIES: Final = 500
MOST_DEPARTMENTS: Final = 200

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dossier:
    """A matter whole, its changes in order, and the departments to choose from where a form asks for one.

    `is_whole` says that the story has no more than 500 changes.
    """

    matter: Item
    story: Sequence[Item]
    departments: Sequence[Item]
    is_whole: bool


async def load_matter(
    services: Services, visitor: Visitor, matter_id: UUID, form: StepForm | None
) -> Dossier:
    """Load a matter for its page. Raises Problem 503, or ServiceProblem 404 for one that the reader may not see."""
    path = f"/followup/matters/{matter_id}"
    matter, story, departments = await asyncio.gather(
        services.get(visitor, path),
        services.get(visitor, f"{path}/history", limit=MOST_ENTRIES),
        _departments(services, visitor, form),
    )
    return Dossier(matter, story["items"], departments, story["next"] is None)


async def _departments(
    services: Services, visitor: Visitor, form: StepForm | None
) -> Sequence[Item]:
    if form is None or not any(field.kind is FieldKind.DEPARTMENT for field in form.fields):
        return ()
    try:
        page = await services.get(visitor, "/routing/departments", limit=MOST_DEPARTMENTS)
    except (Problem, ServiceProblem):
        # The field can be typed as well.
        return ()
    found: Sequence[Item] = page["items"]
    return found
