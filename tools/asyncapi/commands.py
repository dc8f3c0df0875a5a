"""The commands of all services, by their types."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.followup.api.steps import COMMANDS as OF_MATTERS
from services.routing.api.offers import COMMANDS as OF_OFFERS
from shared.http.writes.steps import StepEntry

COMMANDS: Final[Mapping[str, StepEntry]] = MappingProxyType({**OF_OFFERS, **OF_MATTERS})

__all__ = ["COMMANDS", "OF_MATTERS"]
