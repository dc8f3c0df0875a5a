"""What the page of a matter is loaded from."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from services.desk.clients.services import Visitor
from services.desk.domain.steps import FORMS
from services.desk.handlers.matter import load_matter
from shared.runtime.errors import Problem


async def get(visitor: Visitor, path: str, **query: object) -> Any:
    """Followup works, routing is away."""
    if path.startswith("/routing/"):
        raise Problem(503, "service_away")
    return {"items": [], "next": None}


async def test_a_department_can_be_typed_while_routing_is_away():
    services: Any = SimpleNamespace(get=get)
    found = await load_matter(services, Visitor(None, "zh"), UUID(int=1), FORMS["plan"])
    assert found.departments == ()
