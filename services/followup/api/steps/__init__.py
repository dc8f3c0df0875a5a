"""Followup's table of steps: each entry is a route and a command."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter

from services.followup.api.edge import PROBLEMS, edge_of
from services.followup.api.steps import chart, contact, links, resolution, waiting
from shared.http.routes import CheckedRoute
from shared.http.writes.idempotency import KEYED, VERSIONED
from shared.http.writes.steps import StepEntry, add_steps

ENTRIES: Final = (
    *contact.STEPS,
    *chart.STEPS,
    *waiting.STEPS,
    *resolution.STEPS,
    *links.STEPS,
)
COMMANDS: Final[Mapping[str, StepEntry]] = MappingProxyType(
    {each.command: each for each in ENTRIES}
)
"""The steps by the types of their commands."""

router = APIRouter(route_class=CheckedRoute, tags=["steps"], dependencies=[KEYED, VERSIONED])
add_steps(router, ENTRIES, edge_of, PROBLEMS)
