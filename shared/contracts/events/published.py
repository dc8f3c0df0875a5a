"""Every event there is, by its wire type; importing this module is what loads them all."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.contracts.events import (
    amending,
    assignments,
    dead_letters,
    directory,
    matters,
    replies,
    requests,
    rescheduling,
    urging,
)
from shared.contracts.events.event import REGISTRY, Event

EVENTS: Final[Mapping[str, type[Event]]] = MappingProxyType(REGISTRY)

MODULES: Final = (
    requests,
    assignments,
    directory,
    matters,
    amending,
    rescheduling,
    urging,
    dead_letters,
    replies,
)
