"""Context of a decision besides the matter: actor, time, calendar and limits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.routing.domain.dispatching import Limits
from shared.calendar import WorkingCalendar
from shared.contracts.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Acting:
    """The actor: a role, and the party it speaks for."""

    role: Role
    party: str


ROUTING: Final = Acting(Role.SYSTEM, "urn:liaison:routing")
"""Makes offers."""

CLOCK: Final = Acting(Role.CLOCK, "urn:liaison:routing")
"""Acts when a limit runs out or an absence begins."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is aware; `limits` are the town's defaults."""

    at: datetime
    by: Acting
    calendar: WorkingCalendar
    limits: Limits
