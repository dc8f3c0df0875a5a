"""The limits of each promise by category, with the town's defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from shared.calendar import Limit
from shared.contracts.vocabulary import ClockKind

_ONE_DAY = Limit.days(1)
_INTERIM = Limit.days(3)
_SIMPLE = Limit.days(5)
_COMPLEX = Limit.days(15)
_REOPENING = Limit.calendar_days(15)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one category; all but `reopening` count working time.

    The handling limit comes with the dispatch. `simple` and `complex` stand in where it names none.
    """

    first_contact: Limit = _ONE_DAY
    interim: Limit = _INTERIM
    simple: Limit = _SIMPLE
    complex: Limit = _COMPLEX
    feedback: Limit = _SIMPLE
    return_visit: Limit = _ONE_DAY
    reopening: Limit = _REOPENING


@dataclass(frozen=True, slots=True)
class LimitTable:
    """The default limits and those of single categories; the longest matching path counts."""

    default: Limits = Limits()
    by_category: Mapping[str, Limits] = field(default_factory=dict)

    def of(self, category: str | None) -> Limits:
        """Return the limits of a category path such as 基础设施/道路交通."""
        path = category
        while path and self.by_category:
            if path in self.by_category:
                return self.by_category[path]
            path = path.rpartition("/")[0]
        return self.default


REMINDER_LEADS: Final[Mapping[ClockKind, Limit]] = MappingProxyType(
    {
        ClockKind.ACCEPT: Limit.minutes(30),
        ClockKind.FIRST_CONTACT: Limit.hours(2),
        ClockKind.INTERIM: Limit.days(1),
        ClockKind.FEEDBACK: Limit.days(1),
        ClockKind.HANDLE: Limit.days(1),
        ClockKind.RETURN_VISIT: Limit.hours(2),
        ClockKind.REVIEW: Limit.days(1),
    }
)
"""How long before its limit a clock reminds. `resume` has none: the hold ends by itself."""

RUNG: Final = Limit.days(1)
"""How long each level above a broken limit has before the next one is told."""
